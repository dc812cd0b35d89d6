/**
 * Numbered switches of replicated behaviour (docs/approval-model.md lists them). Every entry is judged
 * by the level that is committed at its index, by every later build. Which message, kind, field or
 * path needs which level stands with the decoders, in approval/bodies/features.ts.
 */
export { featureLevelMax } from '../approval/index.js'

export const featureLevelPath = '/sys/cluster/featureLevel'
