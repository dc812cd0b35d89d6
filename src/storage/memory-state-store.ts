/** The state store in memory, for tests and simulation. */
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'

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
    const records = [...this.#disk.records].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const record of records) yield await Promise.resolve(record)
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
