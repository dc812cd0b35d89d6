export { startApi, type Api, type ApiCounters, type ApiOptions } from './server.js'
export { defaultLimits, type Allowance, type ApiLimits } from './limits.js'
export type { Logger } from './logger.js'
