/** Where each term of a log begins: the log's outline, small however long the log is. */
import { logIndex, term, type LogIndex, type Term } from '../types.js'

export interface LogPosition {
  readonly index: LogIndex
  readonly term: Term
}

export interface TermRun {
  readonly term: Term
  readonly first: LogIndex
}

export class TermRuns {
  /** Ascending in term and in first index. */
  private readonly runs: TermRun[] = []
  private shown: readonly TermRun[] | null = null

  /** Does not change afterwards, and costs nothing while the terms stay the same. */
  list(): readonly TermRun[] {
    this.shown ??= [...this.runs]
    return this.shown
  }

  push(index: LogIndex, entryTerm: Term): void {
    if (this.runs.at(-1)?.term === entryTerm) return
    this.runs.push({ term: entryTerm, first: index })
    this.shown = null
  }

  truncateAfter(index: LogIndex): void {
    let last = this.runs.at(-1)
    while (last !== undefined && last.first > index) {
      this.runs.pop()
      this.shown = null
      last = this.runs.at(-1)
    }
  }

  /** Binary search; position 0 of term 0 when no run qualifies. */
  lastWithTermAtMost(index: LogIndex, maxTerm: Term): LogPosition {
    let low = 0
    let high = this.runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const run = this.runs[middle]
      if (run !== undefined && run.term <= maxTerm && run.first <= index) low = middle + 1
      else high = middle
    }
    const found = this.runs[low - 1]
    if (found === undefined) return { index: logIndex(0), term: term(0) }
    const next = this.runs[low]
    const end = next === undefined ? index : Math.min(index, next.first - 1)
    return { index: logIndex(end), term: found.term }
  }
}
