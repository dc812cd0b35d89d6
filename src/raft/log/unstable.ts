/**
 * What the disk knows of the log. Three marks, each at or above the one before:
 * durable (a completion has come), handed (given to the writer), and the end of the log itself.
 *
 * A truncation lowers every mark and the end of every write in flight at once. So a late completion
 * cannot vouch for entries that were cut off after its write was issued, even when the same entries
 * have come back at the same indexes since.
 */
import { invariant } from '../../invariant.js'
import { logIndex, type LogIndex } from '../types.js'

interface WriteInFlight {
  readonly token: number
  readonly issuedAtTicks: number
  /** Last index that this write and all before it make durable. */
  lastIndex: LogIndex
}

export class Unstable {
  durableIndex: LogIndex
  private handedIndex: LogIndex
  /** Lowest truncation since the last write, null when none has touched what was handed out. */
  private truncatedAfter: LogIndex | null = null
  private readonly inFlight: WriteInFlight[] = []

  constructor(lastIndex: LogIndex) {
    this.durableIndex = lastIndex
    this.handedIndex = lastIndex
  }

  truncateAfter(index: LogIndex): void {
    if (index < this.handedIndex) {
      this.handedIndex = index
      this.truncatedAfter = index
    }
    if (index < this.durableIndex) this.durableIndex = index
    for (const write of this.inFlight) {
      if (index < write.lastIndex) write.lastIndex = index
    }
  }

  /**
   * The log was dropped and restarts after `anchorIndex`; only what old and new history share, up
   * to `commonIndex`, keeps its marks. So a write of the old log that completes late vouches for
   * nothing, and the anchor itself is durable when the write that drops the old log is.
   */
  restartAfter(anchorIndex: LogIndex, commonIndex: LogIndex): void {
    this.truncatedAfter = null
    this.handedIndex = anchorIndex
    if (commonIndex < this.durableIndex) this.durableIndex = commonIndex
    for (const write of this.inFlight) {
      if (commonIndex < write.lastIndex) write.lastIndex = commonIndex
    }
  }

  hasWork(lastIndex: LogIndex): boolean {
    return this.truncatedAfter !== null || this.handedIndex < lastIndex
  }

  /** What the next write must hold: remove all after `truncateAfter`, then write from `first`. */
  take(lastIndex: LogIndex): {
    readonly truncateAfter: LogIndex | null
    readonly first: LogIndex
  } {
    const work = { truncateAfter: this.truncatedAfter, first: logIndex(this.handedIndex + 1) }
    this.truncatedAfter = null
    this.handedIndex = lastIndex
    return work
  }

  issued(token: number, issuedAtTicks: number): void {
    this.inFlight.push({ token, issuedAtTicks, lastIndex: this.handedIndex })
  }

  /** The writer is one FIFO: a completion covers all writes before it; a late one says nothing. */
  completed(token: number): void {
    let write = this.inFlight[0]
    while (write !== undefined && write.token <= token) {
      if (write.lastIndex > this.durableIndex) this.durableIndex = write.lastIndex
      this.inFlight.shift()
      write = this.inFlight[0]
    }
    invariant(this.durableIndex <= this.handedIndex, 'only what was written can be durable', {
      durableIndex: this.durableIndex,
      handedIndex: this.handedIndex,
    })
  }

  /** When the oldest write without completion was issued; null when the disk owes nothing. */
  oldestIssuedAtTicks(): number | null {
    return this.inFlight[0]?.issuedAtTicks ?? null
  }
}
