export type { LogBatch, LogStore, RecoveredLog, VerifiableLog } from './log-store.js'
export type {
  SnapshotHead,
  SnapshotInfo,
  SnapshotReceiver,
  SnapshotStore,
  StateCheck,
} from './snapshot-store.js'
export type { AppliedPoint, StateStore, StateWrite } from './state-store.js'
export type { Identity } from './record.js'
export { initialiseDataDirectory } from './data-directory.js'
export {
  examineStores,
  openStores,
  type ExaminedStores,
  type OpenedStores,
  type OpenOptions,
} from './open-stores.js'

// Damage, and its repair from the other nodes.
export {
  holdingWithDamage,
  soundEntry,
  type Damage,
  type DamageReport,
  type IndexRange,
} from './damage.js'
export { repairStores, type RepairOutcome } from './repair.js'
export type { RepairSources } from './repair-sources.js'

// A disk that loses what was not synced, for tests of whole processes.
export { systemDisk, type Disk } from './disk.js'
export { powerCutDisk } from './power-cut-files.js'
export { powerCutStateStore } from './power-cut-state-store.js'

// In memory, for tests and simulation.
export { MemoryLogDisk } from './memory-log-store.js'
export { MemorySnapshotDisk } from './memory-snapshot-store.js'
export { MemoryStateDisk } from './memory-state-store.js'
