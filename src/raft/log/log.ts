/**
 * The log of one node in memory, from its anchor on, and what of it is durable.
 *
 * The anchor is the position before the first entry that is kept (chapter 5): its index and term
 * are known, as an append that follows it must be checked; before it nothing is known. At and below
 * the anchor everything is committed, applied here, and covered by a snapshot.
 */
import { invariant } from '../../invariant.js'
import { origin } from '../membership/configuration.js'
import { logIndex, type Entry, type LogAnchor, type LogIndex, type Term } from '../types.js'
import { TermRuns, type LogPosition, type TermRun } from './term-runs.js'
import { Unstable } from './unstable.js'

/**
 * Share of an entry in a message limit. 32 bytes stand for index, term, kind and framing, so that
 * many tiny entries do not outgrow the limit of the transport.
 */
export function entryBytes(entry: Entry): number {
  return entry.payload.length + 32
}

export class Log {
  readonly unstable: Unstable
  private position: LogAnchor
  /** The entries after the anchor. */
  private entries: Entry[] = []
  /** Of each entry: payload bytes from the beginning of the process up to and with it. */
  private bytesUpTo: number[] = []
  private bytesAtAnchor = 0
  private readonly runs: TermRuns

  constructor(entries: readonly Entry[], anchor: LogAnchor = origin) {
    this.position = { index: anchor.index, term: anchor.term }
    this.runs = new TermRuns(anchor)
    for (const entry of entries) this.push(entry)
    this.unstable = new Unstable(this.lastIndex)
  }

  get anchor(): LogAnchor {
    return this.position
  }

  /** Of the first entry that is kept, or that will be. */
  get firstIndex(): LogIndex {
    return logIndex(this.position.index + 1)
  }

  get lastIndex(): LogIndex {
    return logIndex(this.position.index + this.entries.length)
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.position.term
  }

  get durableIndex(): LogIndex {
    return this.unstable.durableIndex
  }

  /** Null beyond the end, and before the anchor, where it is not known any more. */
  termAt(index: LogIndex): Term | null {
    if (index === this.position.index) return this.position.term
    return this.entries[index - this.firstIndex]?.term ?? null
  }

  entryAt(index: LogIndex): Entry {
    const entry = this.entries[index - this.firstIndex]
    invariant(entry, 'an entry that is asked for is in the log', {
      index,
      first: this.firstIndex,
      last: this.lastIndex,
    })
    return entry
  }

  /** False before the anchor: what is not known proves nothing. */
  matches(position: LogPosition): boolean {
    return this.termAt(position.index) === position.term
  }

  /** Is a log with this end at least as up to date as this one? (3.6.1: term first, then length) */
  isUpToDate(end: { readonly lastIndex: LogIndex; readonly lastTerm: Term }): boolean {
    if (end.lastTerm !== this.lastTerm) return end.lastTerm > this.lastTerm
    return end.lastIndex >= this.lastIndex
  }

  /** Entries from `first` to `last`, both included; `first` lies after the anchor. */
  range(first: LogIndex, last: LogIndex): Entry[] {
    this.checkKept(first)
    return this.entries.slice(first - this.firstIndex, last - this.position.index)
  }

  /** From `first` on as many as fit into `bytesMax`, but at least one when there is one. */
  rangeWithin(first: LogIndex, bytesMax: number): Entry[] {
    this.checkKept(first)
    const start = first - this.firstIndex
    let bytes = 0
    let end = start
    for (;;) {
      const entry = this.entries[end]
      if (entry === undefined) break
      bytes += entryBytes(entry)
      if (bytes > bytesMax && end > start) break
      end += 1
    }
    return this.entries.slice(start, end)
  }

  /** Payload bytes of the entries after `after` up to and with `last`; both are kept positions. */
  payloadBytes(after: LogIndex, last: LogIndex): number {
    return last <= after ? 0 : this.bytesTo(last) - this.bytesTo(after)
  }

  /**
   * The last position at or below `index` whose term is at most `maxTerm`: the back-tracking step
   * of both sides (3.5). It skips a whole term at once. Null when it lies before the anchor.
   */
  lastWithTermAtMost(index: LogIndex, maxTerm: Term): LogPosition | null {
    return this.runs.lastWithTermAtMost(logIndex(Math.min(index, this.lastIndex)), maxTerm)
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.push(entry)
  }

  /** Removes everything after `index`. The caller has made sure that none of it is committed. */
  truncateAfter(index: LogIndex): void {
    invariant(
      index >= this.position.index && index <= this.lastIndex,
      'a truncation lies within the log',
      { index, anchor: this.position.index, last: this.lastIndex },
    )
    this.entries.length = index - this.position.index
    this.bytesUpTo.length = this.entries.length
    this.runs.truncateAfter(index)
    this.unstable.truncateAfter(index)
  }

  /**
   * Drops the entries up to and with `to`, which becomes the anchor. They are durable, so no write
   * that is still to come needs them. The rest moves up: once for each snapshot, and pointers only.
   */
  purge(to: LogIndex): void {
    if (to <= this.position.index) return
    const toTerm = this.termAt(to)
    invariant(toTerm !== null && to <= this.durableIndex, 'only what is durable is purged', {
      to,
      durableIndex: this.durableIndex,
      last: this.lastIndex,
    })
    this.bytesAtAnchor = this.bytesTo(to)
    const dropped = to - this.position.index
    this.entries = this.entries.slice(dropped)
    this.bytesUpTo = this.bytesUpTo.slice(dropped)
    this.position = { index: to, term: toTerm }
    this.runs.purge(this.position)
  }

  /**
   * Drops everything; the log restarts after a snapshot. `commonIndex`: up to here the old log and
   * the snapshot's history are the same, so what the disk holds of it stays true.
   */
  reset(anchor: LogAnchor, commonIndex: LogIndex): void {
    this.position = { index: anchor.index, term: anchor.term }
    this.entries = []
    this.bytesUpTo = []
    this.runs.reset(this.position)
    this.unstable.restartAfter(anchor.index, commonIndex)
  }

  termRuns(): readonly TermRun[] {
    return this.runs.list()
  }

  private push(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, 'the log has no gap', {
      index: entry.index,
      lastIndex: this.lastIndex,
    })
    invariant(entry.term >= this.lastTerm, 'terms in the log never decrease', {
      index: entry.index,
      term: entry.term,
      lastTerm: this.lastTerm,
    })
    const bytesBefore = this.bytesUpTo.at(-1) ?? this.bytesAtAnchor
    this.entries.push(entry)
    this.bytesUpTo.push(bytesBefore + entry.payload.length)
    this.runs.push(entry.index, entry.term)
  }

  private bytesTo(index: LogIndex): number {
    if (index === this.position.index) return this.bytesAtAnchor
    const bytes = this.bytesUpTo[index - this.firstIndex]
    invariant(bytes !== undefined, 'bytes are asked for of what is kept', {
      index,
      first: this.firstIndex,
      last: this.lastIndex,
    })
    return bytes
  }

  private checkKept(first: LogIndex): void {
    invariant(first > this.position.index, 'entries that are asked for are kept', {
      first,
      anchor: this.position.index,
    })
  }
}
