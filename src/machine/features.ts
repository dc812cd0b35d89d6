/**
 * Numbered switches of replicated behaviour. Every entry is judged by the level that is committed
 * at its index, by every later build: 1 the first slice, 2 membership, 3 audit, 4 risk and
 * schemas, 5 response. Which message, kind, field or path needs which level stands with the
 * decoders, in approval/bodies/features.ts.
 */
export { featureLevelMax } from '../approval/index.js'

export const featureLevelPath = '/sys/cluster/featureLevel'
