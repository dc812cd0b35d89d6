/**
 * Who hears of applied entries: the callers that wait for them, watchers of the configuration, and
 * the live views. Everything in log order, as soon as the machine has applied it.
 */
import type { Logger } from 'pino'
import type { Applied } from '../machine/index.js'
import type { Entry, SnapshotMeta } from '../raft/index.js'
import { logEvent } from './event-log.js'
import type { Latencies } from './latencies.js'
import type { AppliedListener, Subscription } from './ports.js'
import type { Submissions } from './submissions.js'
import type { WatchHub } from './watch-hub.js'

export interface AppliedFeedParts {
  /** What is applied at the start. */
  readonly appliedIndex: number
  readonly submissions: Submissions
  readonly latencies: Latencies
  readonly watches: WatchHub
  readonly log: Logger
}

export class AppliedFeed {
  readonly #parts: AppliedFeedParts
  readonly #listeners = new Set<AppliedListener>()
  #appliedIndex: number

  constructor(parts: AppliedFeedParts) {
    this.#parts = parts
    this.#appliedIndex = parts.appliedIndex
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  listen(listener: AppliedListener): Subscription {
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }

  entryApplied({ index, term }: Entry, { events, result }: Applied): void {
    const { submissions, latencies, watches, log } = this.#parts
    this.#appliedIndex = index
    latencies.applied(index)
    const batches = events
      .filter((event) => event.kind === 'activated')
      .map(({ activation, written }) => ({
        revision: activation.index,
        at: activation.at,
        changeId: activation.changeId,
        written,
      }))
    for (const event of events) logEvent(log, { index, term }, event)
    submissions.applied(index, term, result)
    if (batches.length > 0) watches.activated(batches)
    for (const listener of [...this.#listeners]) listener({ index, events })
  }

  /** Watchers had everything up to what was applied before; the rest is in the new state. */
  restored({ index }: SnapshotMeta): void {
    const deliveredTo = this.#appliedIndex
    this.#appliedIndex = index
    this.#parts.watches.restored(deliveredTo)
  }

  /** After everything else of a restore is done. */
  tellRestored({ index }: SnapshotMeta): void {
    for (const listener of [...this.#listeners]) listener({ index, events: [] })
  }
}
