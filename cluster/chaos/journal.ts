/** What happened when, for the report and the timeline. Times are ms since the run began. */
export type JournalKind = 'fault' | 'heal' | 'phase' | 'trouble'

export interface JournalEntry {
  readonly atMs: number
  readonly kind: JournalKind
  /** Nodes that it is about; none: the cluster. */
  readonly nodes: readonly string[]
  readonly text: string
}

export class Journal {
  readonly #startedMs = performance.now()
  readonly #print: (line: string) => void
  readonly entries: JournalEntry[] = []
  /** Answers by second of the run: what the clients got done. */
  readonly answers: number[] = []

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  nowMs(): number {
    return performance.now() - this.#startedMs
  }

  note(kind: JournalKind, text: string, nodes: readonly string[] = []): void {
    const entry = { atMs: this.nowMs(), kind, nodes, text }
    this.entries.push(entry)
    const seconds = (entry.atMs / 1000).toFixed(1).padStart(7)
    this.#print(`${seconds}  ${kind.padEnd(7)} ${nodes.join(', ')} ${text}`.trimEnd())
  }

  answered(): void {
    const second = Math.floor(this.nowMs() / 1000)
    this.answers[second] = (this.answers[second] ?? 0) + 1
  }
}
