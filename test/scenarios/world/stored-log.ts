/** A log as the persist effects of a core describe it: what stands on its disk, or in its memory. */
import {
  logIndex,
  origin,
  type Entry,
  type LogAnchor,
  type LogIndex,
  type PersistEffect,
  type Term,
} from '../../../src/raft/index.js'

export class StoredLog {
  anchor: LogAnchor
  entries: Entry[]

  constructor(anchor: LogAnchor = origin, entries: readonly Entry[] = []) {
    this.anchor = anchor
    this.entries = [...entries]
  }

  get lastIndex(): LogIndex {
    return logIndex(this.anchor.index + this.entries.length)
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.anchor.term
  }

  entryAt(index: number): Entry | null {
    return this.entries[index - this.anchor.index - 1] ?? null
  }

  /** Null where nothing is known: beyond the end, or below the anchor. */
  termAt(index: number): Term | null {
    if (index === this.anchor.index) return this.anchor.term
    return this.entryAt(index)?.term ?? null
  }

  follow(effect: PersistEffect): void {
    if (effect.install !== null) {
      this.anchor = { index: effect.install.index, term: effect.install.term }
      this.entries = []
    }
    if (effect.truncateAfter !== null) {
      this.entries.length = Math.min(
        this.entries.length,
        Math.max(0, effect.truncateAfter - this.anchor.index),
      )
    }
    for (const entry of effect.entries) {
      if (entry.index !== this.lastIndex + 1) {
        throw new Error(
          `entry ${String(entry.index)} does not follow ${String(this.lastIndex)}: the log has a gap`,
        )
      }
      this.entries.push(entry)
    }
    if (effect.purgeTo !== null) this.purge(effect.purgeTo)
  }

  private purge(index: LogIndex): void {
    const purgedTerm = this.termAt(index)
    if (purgedTerm === null || index <= this.anchor.index) return
    this.entries = this.entries.slice(index - this.anchor.index)
    this.anchor = { index, term: purgedTerm }
  }
}
