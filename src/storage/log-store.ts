/** Port: the durable Raft log of one node. Implementations: level-log-store.ts, memory.ts. */
import type { Entry, HardState, LogIndex } from '../raft/index.js'

export interface LogBatch {
  /** Null when unchanged. */
  readonly hardState: HardState | null
  readonly truncateAfter: LogIndex | null
  readonly entries: readonly Entry[]
}

export interface RecoveredLog {
  readonly hardState: HardState
  /** From index 1, unbroken, each verified against digest and chain. */
  readonly entries: readonly Entry[]
}

export interface LogStore {
  /**
   * One synced batch, then the guard record; resolves when both are durable. Batches are awaited
   * one by one by a single writer. After a rejection the store is dead: every later call rejects.
   */
  write(batch: LogBatch): Promise<void>
  close(): Promise<void>
}
