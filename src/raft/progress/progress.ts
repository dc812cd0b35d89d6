/**
 * What a leader knows of one peer's log, and every transition of it.
 *
 * Probe: it is not known where the logs agree; one append at a time looks for the place, at most
 * one between two heartbeat replies. Replicate: they agree, appends are sent ahead within a window.
 *
 * Invariant: matchIndex < nextIndex. Entries between them are in flight.
 */
import { invariant } from '../../invariant.js'
import { logIndex, type LogIndex } from '../types.js'
import { Inflights, type Window } from './inflights.js'

type ProgressState =
  /** `awaiting`: the probe is out; wait for its answer or for the next heartbeat reply. */
  | { readonly kind: 'probe'; readonly awaiting: boolean }
  /** `nudge`: something may be lost; the next append goes out even when it is empty. */
  | { readonly kind: 'replicate'; readonly nudge: boolean }

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

  get kind(): 'probe' | 'replicate' {
    return this.state.kind
  }

  /** May an append go out now, given the end of the log and the commit index? */
  wantsAppend(lastIndex: LogIndex, commit: LogIndex): boolean {
    if (this.state.kind === 'probe') return !this.state.awaiting
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

  /** The logs agree up to `index`. */
  matched(index: LogIndex): void {
    if (index > this.matchIndex) this.matchIndex = index
    if (this.nextIndex <= this.matchIndex) this.nextIndex = logIndex(this.matchIndex + 1)
    if (this.state.kind === 'probe') {
      this.nextIndex = logIndex(this.matchIndex + 1)
      this.inflights.clear()
      this.state = { kind: 'replicate', nudge: false }
    } else {
      this.inflights.freeTo(index)
    }
    this.check()
  }

  /**
   * The append after `rejectedIndex` did not fit; `fitIndex` is where the logs may agree. Returns
   * whether it told anything new: an answer that came late or twice changes nothing.
   */
  rejected(rejectedIndex: LogIndex, fitIndex: LogIndex): boolean {
    if (rejectedIndex <= this.matchIndex) return false
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

  /** The peer lives. A lost probe is sent again; a lost tail is found by an empty append. */
  heartbeatAnswered(): void {
    if (this.state.kind === 'probe') this.state = { kind: 'probe', awaiting: false }
    else if (this.matchIndex < this.nextIndex - 1) this.state = { kind: 'replicate', nudge: true }
  }

  /**
   * A new stream stands, perhaps to a process that has lost its disk. Nothing that was answered
   * before counts any more; the search starts where the logs agreed last.
   */
  startSession(session: number): void {
    this.session = session
    this.nextIndex = logIndex(this.matchIndex + 1)
    this.matchIndex = logIndex(0)
    this.sentCommit = logIndex(0)
    this.inflights.clear()
    this.state = { kind: 'probe', awaiting: false }
  }

  private check(): void {
    invariant(this.matchIndex < this.nextIndex, 'matchIndex stays below nextIndex', {
      matchIndex: this.matchIndex,
      nextIndex: this.nextIndex,
    })
  }
}
