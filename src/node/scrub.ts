/**
 * Reads the newest snapshot and the log from time to time and verifies them, so that rot is found
 * while the other nodes can still help, and not on the day when it is needed. What is found ends
 * the node: at its next start it repairs itself.
 */
import type { Logger } from 'pino'
import { logIndex, type LogIndex } from '../raft/index.js'
import type { SnapshotStore, VerifiableLog } from '../storage/index.js'
import type { Clock } from './ports.js'

const hourMs = 3_600_000

/** Entries read at once, and the pause after them: the disk belongs to the writer. */
const entriesAtOnce = 64
const pauseMs = 50

export interface ScrubOptions {
  readonly snapshotStore: SnapshotStore
  readonly logStore: VerifiableLog
  readonly clock: Clock
  /** 0: never. */
  readonly everyHours: number
  readonly log: Pick<Logger, 'info'>
  readonly failed: (thrown: unknown) => void
}

export class Scrub {
  readonly #options: ScrubOptions
  #cancel: () => void = () => undefined
  #run: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: ScrubOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, everyHours } = this.#options
    if (everyHours === 0 || this.#stopped) return
    this.#cancel = clock.after(everyHours * hourMs, () => {
      this.#run = this.#scrub()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#run
  }

  async #scrub(): Promise<void> {
    try {
      await this.#verifySnapshot()
      await this.#verifyLog()
    } catch (thrown) {
      if (!this.#stopped) this.#options.failed(thrown)
      return
    }
    this.start()
  }

  async #verifySnapshot(): Promise<void> {
    const { snapshotStore, log } = this.#options
    const latest = snapshotStore.latest()
    if (latest === null) return
    const { index } = latest
    try {
      let records = 0
      for await (const portion of snapshotStore.records(index)) {
        records += portion.length
        if (this.#stopped) return
      }
      log.info({ index, records }, 'snapshot verified')
    } catch (thrown) {
      // One that was removed while it was read is not damaged.
      if (snapshotStore.info(index) !== null) throw thrown
    }
  }

  async #verifyLog(): Promise<void> {
    const { logStore, log } = this.#options
    let next: LogIndex | null = logIndex(1)
    let portions = 0
    while (next !== null && !this.#stopped) {
      next = await logStore.verify(next, entriesAtOnce)
      portions += 1
      if (next !== null) await this.#pause()
    }
    if (next === null) log.info({ portions }, 'log verified')
  }

  /** Ends early when the node stops. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(pauseMs, resolve)
      this.#cancel = () => {
        cancel()
        resolve()
      }
    })
  }
}
