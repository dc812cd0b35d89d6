/**
 * Watches: every activation below a prefix after a revision, in log order, none twice, none left
 * out. A subscriber first catches up from the applied state in portions, then follows live. It
 * becomes live in the very turn in which it finds nothing left to catch up with, so no activation
 * falls between the two.
 */
import { CountersignError } from '../errors.js'
import type { Defer } from './inbox.js'
import type { WatchBatch, WatchRequest, WatchSubscription } from './ports.js'

/** Activations after a revision that touch the prefix, oldest first. */
export type WrittenSince = (revision: number, prefix: string) => Iterable<WatchBatch>

/** A long catch-up must not hold up the loop. */
const catchUpPortion = 64

interface Watcher {
  readonly prefix: string
  readonly next: (batch: WatchBatch) => void
  /** While it catches up: everything up to this revision has been delivered. */
  from: number
  /** Takes each entry's activations as they are applied. */
  isLive: boolean
}

export class WatchHub {
  readonly #writtenSince: WrittenSince
  readonly #appliedIndex: () => number
  readonly #defer: Defer
  readonly #watchersMax: number
  readonly #watchers = new Set<Watcher>()

  constructor(options: {
    readonly writtenSince: WrittenSince
    readonly appliedIndex: () => number
    readonly defer: Defer
    readonly watchersMax: number
  }) {
    this.#writtenSince = options.writtenSince
    this.#appliedIndex = options.appliedIndex
    this.#defer = options.defer
    this.#watchersMax = options.watchersMax
  }

  get size(): number {
    return this.#watchers.size
  }

  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription {
    if (this.#watchers.size >= this.#watchersMax) {
      throw new CountersignError(
        'BUSY',
        `This node serves ${String(this.#watchersMax)} watches already. Use another node.`,
      )
    }
    const watcher: Watcher = {
      prefix: request.prefix,
      next,
      from: request.afterRevision ?? this.#appliedIndex(),
      isLive: false,
    }
    this.#watchers.add(watcher)
    this.#defer(() => {
      this.#catchUp(watcher)
    })
    return {
      close: () => {
        this.#watchers.delete(watcher)
      },
      // While it catches up, more activations of the same revision may be still to come.
      delivered: () =>
        watcher.isLive ? Math.max(watcher.from, this.#appliedIndex()) : watcher.from - 1,
    }
  }

  /** All activations of one entry, right after it was applied: they share a revision. */
  activated(batches: readonly WatchBatch[]): void {
    for (const watcher of [...this.#watchers]) {
      if (!watcher.isLive) continue
      for (const batch of batches) {
        if (batch.revision <= watcher.from) continue
        const written = batch.written.filter(({ path }) => covers(watcher.prefix, path))
        if (written.length > 0) this.#deliver(watcher, { ...batch, written })
      }
    }
  }

  /**
   * The state was replaced by one that is ahead of `deliveredTo`, up to which every live watcher
   * has what it asked for. What lies between is in the new state: each catches up from there.
   */
  restored(deliveredTo: number): void {
    for (const watcher of this.#watchers) {
      if (!watcher.isLive) continue
      watcher.isLive = false
      watcher.from = Math.max(watcher.from, deliveredTo)
      this.#defer(() => {
        this.#catchUp(watcher)
      })
    }
  }

  close(): void {
    this.#watchers.clear()
  }

  /** Looks again at the end of what it took: meanwhile more may have been applied. */
  #catchUp(watcher: Watcher): void {
    const behind = [...this.#writtenSince(watcher.from, watcher.prefix)]
    const last = behind.at(-1)
    if (last === undefined) watcher.isLive = this.#watchers.has(watcher)
    else this.#deliverPortion(watcher, behind, 0)
  }

  #deliverPortion(watcher: Watcher, behind: readonly WatchBatch[], from: number): void {
    const end = Math.min(from + catchUpPortion, behind.length)
    for (const batch of behind.slice(from, end)) this.#deliver(watcher, batch)
    if (!this.#watchers.has(watcher)) return
    watcher.from = behind[end - 1]?.revision ?? watcher.from
    if (end === behind.length) {
      this.#catchUp(watcher)
      return
    }
    this.#defer(() => {
      this.#deliverPortion(watcher, behind, end)
    })
  }

  #deliver(watcher: Watcher, batch: WatchBatch): void {
    if (!this.#watchers.has(watcher)) return
    try {
      watcher.next(batch)
    } catch {
      // A subscriber that fails loses its watch; it must not take the loop with it.
      this.#watchers.delete(watcher)
    }
  }
}

/** A path, or everything below a prefix that ends in `/`. */
export function covers(prefix: string, path: string): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix
}
