/**
 * How long the stages of a command take on this node, in milliseconds of its monotonic clock:
 * `persist` a write of the log until it is durable, `commit` from the log of the leader until a
 * majority holds it, `apply` from there until the state machine has it.
 */
import type { Entry } from '../raft/index.js'
import type { Clock, LatencyListener, LatencyStage, Subscription } from './ports.js'

export class Latencies {
  readonly #clock: Clock
  readonly #listeners = new Set<LatencyListener>()
  /** When the entries that this leader appended came into its log, by index; in order. */
  readonly #appended = new Map<number, number>()
  /** When entries were handed out to apply, by index; in order. */
  readonly #committed = new Map<number, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  listen(listener: LatencyListener): Subscription {
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }

  appended(index: number): void {
    if (this.#listeners.size > 0) this.#appended.set(index, this.#clock.monotonicMs())
  }

  committed(entries: readonly Entry[]): void {
    if (this.#listeners.size === 0) return
    const nowMs = this.#clock.monotonicMs()
    for (const { index } of entries) {
      const sinceMs = this.#appended.get(index)
      if (sinceMs !== undefined) this.#tell('commit', nowMs - sinceMs)
      this.#appended.delete(index)
      this.#committed.set(index, nowMs)
    }
  }

  applied(index: number): void {
    const sinceMs = this.#committed.get(index)
    if (sinceMs === undefined) return
    this.#committed.delete(index)
    this.#tell('apply', this.#clock.monotonicMs() - sinceMs)
  }

  persisted(ms: number): void {
    this.#tell('persist', ms)
  }

  /** What was appended may be replaced by the next leader: its way ends in no number. */
  leadershipLost(): void {
    this.#appended.clear()
  }

  #tell(stage: LatencyStage, ms: number): void {
    for (const listener of this.#listeners) listener(stage, ms)
  }
}
