/** The log store of a node, watched: how long its writes take, and whether one does not come back. */
import type { LogIndex } from '../raft/index.js'
import type { LogBatch, LogStore } from '../storage/index.js'
import type { Clock } from './ports.js'

export class TimedLogStore implements LogStore {
  readonly #store: LogStore
  readonly #clock: Clock
  readonly #written: (ms: number) => void
  #writingSinceMs: number | null = null

  /** `written` is told how long each write took that became durable. */
  constructor(store: LogStore, clock: Clock, written: (ms: number) => void) {
    this.#store = store
    this.#clock = clock
    this.#written = written
  }

  /** For how long the write under way has been; 0 when there is none. */
  get writingForMs(): number {
    return this.#writingSinceMs === null ? 0 : this.#clock.monotonicMs() - this.#writingSinceMs
  }

  async write(batch: LogBatch): Promise<void> {
    const sinceMs = this.#clock.monotonicMs()
    this.#writingSinceMs = sinceMs
    try {
      await this.#store.write(batch)
      this.#written(this.#clock.monotonicMs() - sinceMs)
    } finally {
      this.#writingSinceMs = null
    }
  }

  chainAt(index: LogIndex): Promise<string | null> {
    return this.#store.chainAt(index)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
