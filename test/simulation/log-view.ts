/** A node's log as an observer follows it, from what the node tells its disk. */
import type {
  Configuration,
  Entry,
  LogAnchor,
  NodeId,
  PersistEffect,
} from '../../src/raft/index.js'
import { majorityOf } from '../../src/raft/quorum.js'

/** What an effect, or a batch of a log store, does to the log. */
export type LogChange = Pick<PersistEffect, 'install' | 'truncateAfter' | 'entries' | 'purgeTo'>

export class LogView {
  private anchor: LogAnchor
  private entries: Entry[]

  constructor(anchor: LogAnchor, entries: readonly Entry[]) {
    this.anchor = anchor
    this.entries = [...entries]
  }

  get anchorIndex(): number {
    return this.anchor.index
  }

  at(index: number): Entry | undefined {
    return this.entries[index - this.anchor.index - 1]
  }

  /** Calls `appended` for each new entry, with the term of the entry before it. */
  follow(effect: LogChange, appended: (entry: Entry, termBefore: number) => void): void {
    if (effect.install !== null) {
      this.anchor = effect.install
      this.entries = []
    }
    if (effect.truncateAfter !== null) {
      this.entries.length = Math.max(0, effect.truncateAfter - this.anchor.index)
    }
    for (const entry of effect.entries) {
      appended(entry, this.entries.at(-1)?.term ?? this.anchor.term)
      this.entries.push(entry)
    }
    if (effect.purgeTo !== null && effect.purgeTo > this.anchor.index) {
      const last = this.at(effect.purgeTo)
      this.entries.splice(0, effect.purgeTo - this.anchor.index)
      this.anchor = { index: effect.purgeTo, term: last?.term ?? this.anchor.term }
    }
  }
}

/** Do those for which `holds` is true make a majority, of both halves while joint? */
export function isQuorum(configuration: Configuration, holds: (id: NodeId) => boolean): boolean {
  const { voters, outgoing } = configuration
  return [voters, outgoing].every(
    (half) => half.length === 0 || half.filter(holds).length >= majorityOf(half.length),
  )
}
