export type { LogBatch, LogStore, RecoveredLog } from './log-store.js'
export type { AppliedPoint, StateStore, StateWrite } from './state-store.js'
export type { Identity } from './record.js'
export { initialiseDataDirectory, openStores, type OpenedStores } from './data-directory.js'

// In memory, for tests and simulation.
export { MemoryLogDisk, MemoryStateDisk } from './memory.js'
