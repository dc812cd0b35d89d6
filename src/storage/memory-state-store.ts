/** The state store in memory, for tests and simulation. */
import type { WrittenKeys } from './record.js'
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'
import { keysWrittenSince } from './written-since.js'

/** What survives a crash of a memory state store; `records` may be tampered with by tests. */
export class MemoryStateDisk {
  readonly records = new Map<string, Uint8Array>()
  applied: AppliedPoint | null = null
  written: readonly WrittenKeys[] = []
  settled: number | null = null

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

  readSince(index: number): Promise<readonly StateWrite[] | null> {
    const { applied, records, settled } = this.#disk
    if (applied === null || settled === null || settled < index) return Promise.resolve(null)
    const written = this.#disk.written.filter(({ to }) => to > index)
    const keys = keysWrittenSince(index, written, applied.index)
    if (keys === null) return Promise.resolve(null)
    return Promise.resolve([...keys].map((key) => ({ key, value: records.get(key) ?? null })))
  }

  settle(index: number): Promise<void> {
    this.#disk.written = this.#disk.written.filter(({ to }) => to > index)
    this.#disk.settled = index
    return Promise.resolve()
  }

  forgetChanges(): Promise<void> {
    this.#disk.written = []
    this.#disk.settled = null
    return Promise.resolve()
  }

  write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void> {
    const { applied: before, written } = this.#disk
    if (before !== null && applied.index > before.index) {
      const keys = writes.map(({ key }) => key)
      // What a power cut took back is made anew.
      const kept = written.filter(({ to }) => to <= before.index)
      this.#disk.written = [...kept, { from: before.index, to: applied.index, keys }]
    }
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
    this.#disk.written = []
    this.#disk.settled = null
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
