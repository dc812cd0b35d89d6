/**
 * One life of a simulated process: its clocks and its event loop. Everything that the node hears
 * comes in through {@link SimProcess.enter}, so a dead process hears nothing and a stalled one hears
 * it late, in the order in which it came.
 */
import type { Clock } from '../../../src/node/ports.js'
import type { Schedule } from '../schedule.js'

/** One turn of the event loop. */
const turnMs = 0.02

export class SimProcess implements Clock {
  isAlive = true
  /** The event loop is blocked until then, by the schedule's time. */
  stalledUntilMs = 0
  /** Wrong by so much: only stamps and log lines see it. */
  wallSkewMs: number
  private readonly schedule: Schedule
  /** Of the monotonic clock: its seconds are a little longer or shorter. */
  private readonly rate: number
  private readonly epochMs: number
  private readonly deaths: (() => void)[] = []

  constructor(
    schedule: Schedule,
    clock: { readonly rate: number; readonly epochMs: number; readonly wallSkewMs: number },
  ) {
    this.schedule = schedule
    this.rate = clock.rate
    this.epochMs = clock.epochMs
    this.wallSkewMs = clock.wallSkewMs
  }

  monotonicMs(): number {
    return this.schedule.nowMs * this.rate
  }

  wallMs(): number {
    return Math.floor(this.epochMs + this.schedule.nowMs * this.rate + this.wallSkewMs)
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false
    this.later(Math.max(ms, 0) / this.rate, () => {
      if (!isCancelled) callback()
    })
    return () => {
      isCancelled = true
    }
  }

  /** The node's `Defer`. */
  readonly defer = (callback: () => void): void => {
    this.later(turnMs, callback)
  }

  /** Calls back after `ms` of the schedule's time if the process still lives then. */
  later(ms: number, callback: () => void): void {
    this.schedule.after(ms, () => {
      this.enter(callback)
    })
  }

  enter(callback: () => void): void {
    if (!this.isAlive) return
    const blockedMs = this.stalledUntilMs - this.schedule.nowMs
    if (blockedMs > 0) this.later(blockedMs, callback)
    else callback()
  }

  onDeath(callback: () => void): void {
    if (this.isAlive) this.deaths.push(callback)
    else callback()
  }

  /** As SIGKILL: nothing of it runs any more. */
  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const callback of this.deaths) callback()
  }
}
