/** Both stores in memory, for tests and simulation. A crash is: drop the store, open it again. */
import { invariant } from '../invariant.js'
import type { Entry, HardState, LogIndex, Term } from '../raft/index.js'
import { nextLogEnd, type LogEnd } from './log-batch.js'
import type { LogBatch, LogStore, RecoveredLog } from './log-store.js'
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'

/** What survives a crash of a memory log store. */
export class MemoryLogDisk {
  #hardState: HardState = { term: 0 as Term, votedFor: null, commit: 0 as LogIndex }
  #entries: readonly Entry[] = []

  open(): { logStore: LogStore; recovered: RecoveredLog } {
    const recovered = { hardState: this.#hardState, entries: this.#entries }
    return { logStore: new MemoryLogStore(this), recovered }
  }

  apply(batch: LogBatch): void {
    const { truncateAfter, entries } = batch
    const last = this.#entries.at(-1)
    const kept = truncateAfter === null ? this.#entries : this.#entries.slice(0, truncateAfter)
    const now: LogEnd = {
      ...this.#hardState,
      lastIndex: last?.index ?? 0,
      lastTerm: last?.term ?? 0,
    }
    const end = nextLogEnd(now, batch, kept.at(-1)?.term ?? 0)
    this.#entries = [...kept, ...entries]
    this.#hardState = {
      term: end.term as Term,
      votedFor: end.votedFor,
      commit: end.commit as LogIndex,
    }
  }
}

class MemoryLogStore implements LogStore {
  readonly #disk: MemoryLogDisk
  #writing = false
  #closed = false

  constructor(disk: MemoryLogDisk) {
    this.#disk = disk
  }

  async write(batch: LogBatch): Promise<void> {
    invariant(!this.#closed, 'Nothing is written to a closed store.')
    invariant(!this.#writing, 'Batches are awaited one by one by a single writer.')
    this.#writing = true
    await Promise.resolve()
    this.#writing = false
    this.#disk.apply(batch)
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}

/** What survives a crash of a memory state store; `records` may be tampered with by tests. */
export class MemoryStateDisk {
  readonly records = new Map<string, Uint8Array>()
  applied: AppliedPoint | null = null

  open(): StateStore {
    return new MemoryStateStore(this)
  }
}

class MemoryStateStore implements StateStore {
  readonly #disk: MemoryStateDisk

  constructor(disk: MemoryStateDisk) {
    this.#disk = disk
  }

  readApplied(): Promise<AppliedPoint | null> {
    return Promise.resolve(this.#disk.applied)
  }

  async *readAll(): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    const keys = [...this.#disk.records.keys()].sort((a, b) => (a < b ? -1 : 1))
    for (const key of keys) {
      const value = this.#disk.records.get(key)
      if (value !== undefined) yield await Promise.resolve([key, value] as const)
    }
  }

  write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void> {
    for (const { key, value } of writes) {
      if (value === null) this.#disk.records.delete(key)
      else this.#disk.records.set(key, value)
    }
    this.#disk.applied = applied
    return Promise.resolve()
  }

  clear(): Promise<void> {
    this.#disk.records.clear()
    this.#disk.applied = null
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
