/** Port: the durable Raft log of one node. Implementations: level-log-store.ts, memory.ts. */
import type { Entry, HardState, LogAnchor, LogIndex, SnapshotMeta } from '../raft/index.js'

export interface LogBatch {
  /**
   * First of all: the log is dropped and restarts after this snapshot, which must be in the
   * snapshot store; anchor and chain value are taken from it. Null: no snapshot is installed.
   */
  readonly install: SnapshotMeta | null
  /** Last of all: entries up to here are removed and become the anchor. Null: none. */
  readonly purgeTo: LogIndex | null
  /** Null when unchanged. */
  readonly hardState: HardState | null
  readonly truncateAfter: LogIndex | null
  readonly entries: readonly Entry[]
}

export interface RecoveredLog {
  readonly hardState: HardState
  /** The position before the first entry. */
  readonly anchor: LogAnchor
  /** From the anchor on, unbroken, each verified against digest and chain. */
  readonly entries: readonly Entry[]
}

export interface LogStore {
  /**
   * One synced batch, then the guard record; resolves when both are durable. Batches are awaited
   * one by one by a single writer. After a rejection the store is dead: every later call rejects.
   */
  write(batch: LogBatch): Promise<void>
  /** Chain value at a durable index from the anchor on, hex; null when it is not kept. */
  chainAt(index: LogIndex): Promise<string | null>
  close(): Promise<void>
}

/** A log on a disk, which may rot while the process runs. */
export interface VerifiableLog {
  /**
   * Reads what is durable from `first` on, at most `entriesMax` entries, and checks digests and
   * chain; beside the writer, which is not held up. Resolves with the index to go on from (that may
   * be `first` when the log was cut meanwhile), or null when the end is reached. Rejects with
   * STORE_DAMAGED.
   */
  verify(first: LogIndex, entriesMax: number): Promise<LogIndex | null>
}
