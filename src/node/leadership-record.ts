/** Who leads, as the consensus core last said, and since which entry when it is this node. */
import type { Leadership, NodeId, Term } from '../raft/index.js'

/** What a change of leadership means for this node. */
export interface LeadershipStep {
  readonly before: Leadership
  readonly now: Leadership
  /** This node led, and does not lead that term any more. */
  readonly lost: boolean
  /** This node leads a term that it did not lead before. */
  readonly won: boolean
}

export class LeadershipRecord {
  #now: Leadership
  #termStart = 0
  readonly #waiting = new Set<() => void>()

  constructor(now: Leadership) {
    this.#now = now
  }

  get leader(): NodeId | null {
    return this.#now.leader
  }

  get term(): Term {
    return this.#now.term
  }

  get leads(): boolean {
    return this.#now.role === 'leader'
  }

  /** Index of the no-op of the term in which this node leads, or led last. */
  get termStart(): number {
    return this.#termStart
  }

  /** `termStart`: asked only when this node begins to lead. */
  changed(now: Leadership, termStart: () => number): LeadershipStep {
    const before = this.#now
    this.#now = now
    const isSameTerm = now.term === before.term
    const lost = before.role === 'leader' && (now.role !== 'leader' || !isSameTerm)
    const won = now.role === 'leader' && (before.role !== 'leader' || !isSameTerm)
    if (won) this.#termStart = termStart()
    for (const look of [...this.#waiting]) look()
    return { before, now, lost, won }
  }

  /**
   * Resolves true as soon as `holds`, which is looked at now and at each change; false when the
   * time that `after` sets is up.
   */
  until(
    holds: (record: LeadershipRecord) => boolean,
    after: (giveUp: () => void) => () => void,
  ): Promise<boolean> {
    if (holds(this)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (reached: boolean): void => {
        this.#waiting.delete(look)
        cancel()
        resolve(reached)
      }
      const look = (): void => {
        if (holds(this)) end(true)
      }
      const cancel = after(() => {
        end(false)
      })
      this.#waiting.add(look)
    })
  }
}
