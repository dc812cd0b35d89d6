export type { LogLevel, NodeConfig } from './types.js'
export { loadNodeConfig, type ConfigSources } from './load.js'
export { renderConfigurationDocs } from './render-docs.js'
