/**
 * Linearizable reads without a log entry (dissertation 6.4). The leader proves with one round of
 * heartbeats that it was still the leader after a read came in. The proof is bound to a token that
 * the leader makes itself: it only grows, and an answer counts only in the leader's own term. A
 * client's id is never the token, since a client may repeat it while old answers are on their way.
 */
import { quorumValue, type Halves } from './quorum.js'
import type { LogIndex, NodeId } from './types.js'

interface ReadBatch {
  readonly token: number
  /** Commit index when the token was made: what the answer must include. */
  readonly index: LogIndex
  readonly ids: readonly number[]
}

export class ReadQueue {
  private readonly self: NodeId
  private readonly acked = new Map<NodeId, number>()
  private lastToken: number
  /** Without a token yet: they wait for the end of the drain, or for the own-term commit. */
  private fresh: number[] = []
  /** Ascending in token. */
  private asked: ReadBatch[] = []
  private confirmed: ReadBatch[] = []

  /** `lastToken` continues the count of this process, so that no token is ever used twice. */
  constructor(self: NodeId, lastToken: number) {
    this.self = self
    this.lastToken = lastToken
  }

  get count(): number {
    const batches = [...this.asked, ...this.confirmed]
    return this.fresh.length + batches.reduce((sum, batch) => sum + batch.ids.length, 0)
  }

  get latestToken(): number {
    return this.lastToken
  }

  /** Highest token a peer has acknowledged; for the invariants. */
  get ackedTokenMax(): number {
    return Math.max(0, ...this.acked.values())
  }

  /** Token for heartbeats to carry, 0 when no read waits for an acknowledgement. */
  get tokenToSend(): number {
    return this.asked.length > 0 ? this.lastToken : 0
  }

  add(id: number): void {
    this.fresh.push(id)
  }

  /** Gives all fresh reads one token. Returns whether there were any. */
  open(commit: LogIndex): boolean {
    if (this.fresh.length === 0) return false
    this.lastToken += 1
    this.asked.push({ token: this.lastToken, index: commit, ids: this.fresh })
    this.fresh = []
    this.acked.set(this.self, this.lastToken)
    return true
  }

  /** A token that was never made is a stray message: ignored. */
  acknowledge(peer: NodeId, token: number): void {
    if (token <= (this.acked.get(peer) ?? 0) || token > this.lastToken) return
    this.acked.set(peer, token)
  }

  /** Who is no member any more acknowledges nothing. */
  forget(peer: NodeId): void {
    this.acked.delete(peer)
  }

  /**
   * Confirms what a quorum of the configuration in force has acknowledged. It need not be the one
   * in which the token was made: a rival that was elected before would have had a quorum of this
   * configuration or of the one next to it, and any two of these meet (4.3).
   */
  confirm(halves: Halves): void {
    let batch = this.asked[0]
    if (batch === undefined) return
    const reached = quorumValue(halves, (voter) => this.acked.get(voter) ?? 0)
    while (batch !== undefined && batch.token <= reached) {
      this.confirmed.push(batch)
      this.asked.shift()
      batch = this.asked[0]
    }
  }

  /** Confirmed reads whose index the state machine has reached; each is given out once. */
  takeReady(applied: LogIndex): { readonly id: number; readonly index: LogIndex }[] {
    const ready = this.confirmed.filter((batch) => batch.index <= applied)
    if (ready.length === 0) return []
    this.confirmed = this.confirmed.filter((batch) => batch.index > applied)
    return ready.flatMap((batch) => batch.ids.map((id) => ({ id, index: batch.index })))
  }

  /** Every read that has no answer, when leadership ends. */
  takeAll(): number[] {
    const ids = [...this.confirmed, ...this.asked].flatMap((batch) => batch.ids)
    ids.push(...this.fresh)
    this.confirmed = []
    this.asked = []
    this.fresh = []
    return ids
  }
}
