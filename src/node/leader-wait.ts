/**
 * Between two leaders a command is held for a moment instead of being refused: an election after a
 * refused redial takes a few round trips and syncs, less than a client needs to go round by itself,
 * and whoever waits here adds no load while the others vote.
 */
import { leaderWaitMs } from './limits.js'
import type { LeadershipRecord } from './leadership-record.js'
import type { Clock } from './ports.js'

export class LeaderWait {
  readonly #leadership: LeadershipRecord
  readonly #clock: Pick<Clock, 'after'>
  readonly #heldMax: number
  #held = 0

  constructor(options: {
    readonly leadership: LeadershipRecord
    readonly clock: Pick<Clock, 'after'>
    /** As many may wait at a time; who comes on top is not held. */
    readonly heldMax: number
  }) {
    this.#leadership = options.leadership
    this.#clock = options.clock
    this.#heldMax = options.heldMax
  }

  /** Resolves as soon as a leader is known, and without one when it has taken too long. */
  async untilKnown(): Promise<void> {
    if (this.#leadership.leader !== null || this.#held >= this.#heldMax) return
    this.#held += 1
    await this.#leadership.until(
      ({ leader }) => leader !== null,
      (giveUp) => this.#clock.after(leaderWaitMs, giveUp),
    )
    this.#held -= 1
  }
}
