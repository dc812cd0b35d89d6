/** Linearizability of what clients saw. The simulator, chaos runs and a program of its own use it. */
export { checkHistory, type CheckOptions, type HistoryVerdict, type Verdict } from './check.js'
export { shortestBadPrefix, type BadPrefix } from './bad-prefix.js'
export { changeModel, changePrefix, modelOfKey, registerModel, type Model } from './models.js'
export { formatHistory, parseHistory, BadHistory, type Json, type Operation } from './operation.js'
export { picture } from './picture.js'
export { resolveUnknown, type ReadBack } from './resolve.js'
