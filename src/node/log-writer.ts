/**
 * The single writer of the Raft log. Effects leave in the order in which they came; those that
 * gather while a write is under way become one write, as long as none of them truncates or installs
 * a snapshot. Purging may wait for the end of the group: it takes away what nobody needs.
 */
import type { PersistEffect } from '../raft/index.js'
import type { LogBatch, LogStore } from '../storage/index.js'
import type { Defer } from './inbox.js'
import type { Rare } from './rare-sites.js'

export class LogWriter {
  readonly #store: LogStore
  readonly #defer: Defer
  readonly #rare: Rare | undefined
  readonly #durable: (effect: PersistEffect) => void
  readonly #failed: (thrown: unknown) => void
  #queue: PersistEffect[] = []
  #isRunning = false
  #run: Promise<void> = Promise.resolve()
  #dead = false

  /** `durable` is called once for each effect, in order, when it and all before it are durable. */
  constructor(options: {
    readonly store: LogStore
    readonly defer: Defer
    readonly rare?: Rare
    readonly durable: (effect: PersistEffect) => void
    readonly failed: (thrown: unknown) => void
  }) {
    this.#store = options.store
    this.#defer = options.defer
    this.#rare = options.rare
    this.#durable = options.durable
    this.#failed = options.failed
  }

  add(effect: PersistEffect): void {
    if (this.#dead) return
    this.#queue.push(effect)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#run = this.#writeAll()
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    await this.#run
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#dead) {
        const isSingle = this.#rare?.('log-writer: a group is written one by one') === true
        const group = isSingle ? this.#queue.slice(0, 1) : takeGroup(this.#queue)
        this.#queue = this.#queue.slice(group.length)
        if (group.some(hasSomethingToWrite)) await this.#store.write(merge(group))
        if (this.#rare?.('log-writer: a durable write is told late') === true) {
          await new Promise<void>((resolve) => {
            this.#defer(resolve)
          })
        }
        for (const effect of group) this.#durable(effect)
      }
    } catch (thrown) {
      // What a failed write left behind is unknown: nothing is acknowledged from here on.
      this.#dead = true
      this.#queue = []
      this.#failed(thrown)
    } finally {
      this.#isRunning = false
    }
  }
}

function takeGroup(queue: readonly PersistEffect[]): readonly PersistEffect[] {
  const next = queue.findIndex(
    (effect, at) => at > 0 && (effect.truncateAfter !== null || effect.install !== null),
  )
  return next === -1 ? queue : queue.slice(0, next)
}

function hasSomethingToWrite(effect: PersistEffect): boolean {
  const { install, purgeTo, hardState, truncateAfter, entries } = effect
  return (
    entries.length > 0 || [install, purgeTo, hardState, truncateAfter].some((part) => part !== null)
  )
}

function merge(group: readonly PersistEffect[]): LogBatch {
  const last = group.at(-1)
  return {
    install: group[0]?.install ?? null,
    hardState: group.findLast((effect) => effect.hardState !== null)?.hardState ?? null,
    truncateAfter: group[0]?.truncateAfter ?? null,
    entries: group.length === 1 ? (last?.entries ?? []) : group.flatMap((each) => each.entries),
    purgeTo: group.findLast((effect) => effect.purgeTo !== null)?.purgeTo ?? null,
  }
}
