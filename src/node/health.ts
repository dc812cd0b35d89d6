/**
 * Ready: a leader is known and everything has been applied that was committed when this node first
 * heard of a leader. Before that it may answer from a state of long ago.
 */
import type { Append, NodeId, RaftStatus, Term } from '../raft/index.js'

interface Heard {
  readonly from: NodeId
  readonly term: Term
  readonly commit: number
}

export class Health {
  /** The latest word on the commit index; it counts only when it is that of the leader. */
  #heard: Heard | null = null
  #reached = false

  /** The first append of a leader names its commit index, uncapped. */
  appendHeard({ from, term, commit }: Append): void {
    if (this.#heard?.from !== from || this.#heard.term !== term)
      this.#heard = { from, term, commit }
  }

  /** A leader knows what is committed once its own no-op is. */
  becameLeader({ id, term, index }: { id: NodeId; term: Term; index: number }): void {
    this.#heard = { from: id, term, commit: index }
  }

  isReady({ leader, term, appliedIndex }: RaftStatus): boolean {
    if (leader === null) return false
    const { from, term: heardTerm, commit } = this.#heard ?? {}
    const isOfLeader = from === leader && heardTerm === term
    this.#reached ||= isOfLeader && commit !== undefined && appliedIndex >= commit
    return this.#reached
  }
}
