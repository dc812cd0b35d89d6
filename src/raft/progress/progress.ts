/**
 * What a leader knows of one peer's log, and every transition of it.
 *
 * Probe: it is not known where the logs agree; one append at a time looks for the place, at most
 * one between two heartbeat replies. Replicate: they agree, appends are sent ahead within a window.
 * Snapshot: what the peer needs is compacted away; appends rest until a match shows that the logs
 * meet again (chapter 5).
 *
 * Invariant: matchIndex < nextIndex. Entries between them are in flight.
 */
import { invariant } from '../../invariant.js'
import { logIndex, type LogIndex, type SnapshotMeta } from '../types.js'
import { Inflights, type Window } from './inflights.js'

type ProgressState =
  /** `awaiting`: the probe is out; wait for its answer or for the next heartbeat reply. */
  | { readonly kind: 'probe'; readonly awaiting: boolean }
  /** `nudge`: something may be lost; the next append goes out even when it is empty. */
  | { readonly kind: 'replicate'; readonly nudge: boolean }
  | SnapshotState

interface SnapshotState {
  readonly kind: 'snapshot'
  /**
   * What the peer is being fed; the log behind it stays. The same one is offered again while that
   * holds, in later sessions too, so that newer ones do not make a long transfer begin anew. Null:
   * the next offer decides.
   */
  readonly pending: {
    readonly snapshot: SnapshotMeta
    /** Of the first offer, or of the furthest part that the peer has taken since. */
    readonly sinceTicks: number
    readonly fedBytes: number
  } | null
  readonly offeredAtTicks: number
  readonly offerDue: boolean
}

export class Progress {
  matchIndex: LogIndex = logIndex(0)
  nextIndex: LogIndex
  /** Answers of an older session are void: the stream, or the disk behind it, may be another. */
  session: number
  /** Tick of the last answer of this session. */
  heardAtTicks: number
  /** Highest commit index that an append has carried; saves an empty append for each commit. */
  sentCommit: LogIndex = logIndex(0)
  readonly inflights: Inflights
  private state: ProgressState = { kind: 'probe', awaiting: false }

  constructor(
    start: { readonly nextIndex: LogIndex; readonly session: number; readonly nowTicks: number },
    window: Window,
  ) {
    this.nextIndex = start.nextIndex
    this.session = start.session
    this.heardAtTicks = start.nowTicks
    this.inflights = new Inflights(window)
  }

  get kind(): 'probe' | 'replicate' | 'snapshot' {
    return this.state.kind
  }

  /** A snapshot is to be offered now. */
  get offerDue(): boolean {
    return this.state.kind === 'snapshot' && this.state.offerDue
  }

  /** The log after this index is kept for the peer, since that tick; null when none is. */
  get pin(): { readonly index: LogIndex; readonly sinceTicks: number } | null {
    if (this.state.kind !== 'snapshot' || this.state.pending === null) return null
    const { snapshot, sinceTicks } = this.state.pending
    return { index: snapshot.index, sinceTicks }
  }

  /** May an append go out now, given the end of the log and the commit index? */
  wantsAppend(lastIndex: LogIndex, commit: LogIndex): boolean {
    if (this.state.kind === 'probe') return !this.state.awaiting
    if (this.state.kind === 'snapshot') return false
    if (this.state.nudge) return true
    if (this.nextIndex <= lastIndex && !this.inflights.isFull()) return true
    return this.sentCommit < commit && this.sentCommit < this.nextIndex - 1
  }

  /** May the append carry entries? An empty one passes a full window. */
  hasRoom(): boolean {
    return this.state.kind === 'probe' || !this.inflights.isFull()
  }

  sent(append: {
    readonly lastIndex: LogIndex
    readonly bytes: number
    readonly commit: LogIndex
  }): void {
    invariant(this.state.kind !== 'snapshot', 'no append goes to a peer that needs a snapshot')
    // The receiver takes no commit beyond what the append verified.
    this.sentCommit = logIndex(Math.max(this.sentCommit, Math.min(append.commit, append.lastIndex)))
    if (this.state.kind === 'probe') {
      this.state = { kind: 'probe', awaiting: true }
      return
    }
    this.state = { kind: 'replicate', nudge: false }
    if (append.lastIndex >= this.nextIndex) {
      this.inflights.add(append.lastIndex, append.bytes)
      this.nextIndex = logIndex(append.lastIndex + 1)
    }
  }

  /**
   * The logs agree up to `index`; the own log is kept after `anchorIndex`. Whatever snapshot led to
   * it, an older or a newer one than the last offered, a match from the anchor on is enough to
   * append to.
   */
  matched(index: LogIndex, anchorIndex: LogIndex): void {
    const grown = index > this.matchIndex
    if (grown) this.matchIndex = index
    if (this.nextIndex <= this.matchIndex) this.nextIndex = logIndex(this.matchIndex + 1)
    if (this.state.kind === 'replicate') {
      this.inflights.freeTo(index)
    } else if (this.state.kind === 'probe' || this.matchIndex >= anchorIndex) {
      this.nextIndex = logIndex(this.matchIndex + 1)
      this.inflights.clear()
      this.state = { kind: 'replicate', nudge: false }
    } else if (grown && this.state.pending === null) {
      // It took in a snapshot behind which the log is gone already: offer the latest at once.
      this.state = { ...this.state, offerDue: true }
    }
    this.check()
  }

  /**
   * The append after `rejectedIndex` did not fit; `fitIndex` is where the logs may agree. Returns
   * whether it told anything new: an answer that came late or twice changes nothing.
   */
  rejected(rejectedIndex: LogIndex, fitIndex: LogIndex): boolean {
    if (rejectedIndex <= this.matchIndex || this.state.kind === 'snapshot') return false
    if (this.state.kind === 'probe') {
      if (rejectedIndex !== this.nextIndex - 1) return false
      this.nextIndex = logIndex(
        Math.max(Math.min(rejectedIndex, fitIndex + 1), this.matchIndex + 1),
      )
    } else {
      this.nextIndex = logIndex(this.matchIndex + 1)
      this.inflights.clear()
    }
    this.state = { kind: 'probe', awaiting: false }
    this.sentCommit = logIndex(0)
    this.check()
    return true
  }

  /**
   * The peer lives. A lost probe is sent again; a lost tail is found by an empty append; an offer
   * that is older than `offerAgainTicks` may be lost as well, or its transfer has failed.
   */
  heartbeatAnswered(nowTicks: number, offerAgainTicks: number): void {
    switch (this.state.kind) {
      case 'probe':
        this.state = { kind: 'probe', awaiting: false }
        return
      case 'replicate':
        if (this.matchIndex < this.nextIndex - 1) this.state = { kind: 'replicate', nudge: true }
        return
      case 'snapshot':
        if (nowTicks - this.state.offeredAtTicks > offerAgainTicks) {
          this.state = { ...this.state, offerDue: true }
        }
    }
  }

  /** The log does not hold the entry before `nextIndex` any more. */
  needSnapshot(nowTicks: number): void {
    this.inflights.clear()
    this.sentCommit = logIndex(0)
    this.state = { kind: 'snapshot', pending: null, offeredAtTicks: nowTicks, offerDue: true }
  }

  /** An offer leaves now. Returns what it is of: the one that is under way, else the latest. */
  offer(latest: SnapshotMeta, nowTicks: number): SnapshotMeta {
    invariant(this.state.kind === 'snapshot', 'a snapshot is offered to a peer that needs one')
    const pending = this.state.pending ?? { snapshot: latest, sinceTicks: nowTicks, fedBytes: 0 }
    this.state = { kind: 'snapshot', pending, offeredAtTicks: nowTicks, offerDue: false }
    return pending.snapshot
  }

  /** The peer takes the offered snapshot. What it took before already is no progress. */
  fed({ index, bytes }: { readonly index: LogIndex; readonly bytes: number }, now: number): void {
    if (this.state.kind !== 'snapshot' || this.state.pending === null) return
    const { pending } = this.state
    if (pending.snapshot.index !== index || bytes <= pending.fedBytes) return
    this.state = { ...this.state, pending: { ...pending, sinceTicks: now, fedBytes: bytes } }
  }

  /** The log is not kept any longer for the transfer; the next offer is of the latest snapshot. */
  unpin(): void {
    if (this.state.kind === 'snapshot') this.state = { ...this.state, pending: null }
  }

  /**
   * A new stream stands, perhaps to a process that has lost its disk. Nothing that was answered
   * before counts any more; the search starts where the logs agreed last, or goes on where it was:
   * a peer that has answered nothing yet may well hold everything. Is it too far, the hint of the
   * rejection leads back. A peer that needed a snapshot still does: the same one is offered at once,
   * and the log stays behind it, else a link that flaps faster than the transfer takes would make it
   * begin anew each time. Who has come by another one meanwhile answers the offer with a match.
   */
  startSession(session: number): void {
    this.session = session
    if (this.state.kind === 'replicate') this.nextIndex = logIndex(this.matchIndex + 1)
    this.matchIndex = logIndex(0)
    this.sentCommit = logIndex(0)
    this.inflights.clear()
    this.state =
      this.state.kind === 'snapshot'
        ? { ...this.state, offerDue: true }
        : { kind: 'probe', awaiting: false }
  }

  private check(): void {
    invariant(this.matchIndex < this.nextIndex, 'matchIndex stays below nextIndex', {
      matchIndex: this.matchIndex,
      nextIndex: this.nextIndex,
    })
  }
}
