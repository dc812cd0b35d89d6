/**
 * Ready: a leader is known and everything has been applied that was committed when this node first
 * heard of a leader. Before that it may answer from a state of long ago.
 */
import type { Append, RaftStatus } from '../raft/index.js'

export class Health {
  #target: number | null = null
  #reached = false

  /** The first append of a leader names its commit index, uncapped. */
  appendHeard(append: Append): void {
    this.#target ??= append.commit
  }

  /** A leader knows what is committed once its own no-op is. */
  becameLeader(lastIndex: number): void {
    if (!this.#reached) this.#target = lastIndex
  }

  isReady(status: RaftStatus): boolean {
    if (status.leader === null || this.#target === null) return false
    this.#reached ||= status.appliedIndex >= this.#target
    return this.#reached
  }
}
