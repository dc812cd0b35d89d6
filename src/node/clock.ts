/**
 * Real time for the node: the monotonic clock drives Raft's ticks, the wall clock only stamps.
 *
 * After a stall of the event loop (a long garbage collection, SIGSTOP) the missed time is handed in
 * late and capped at one heartbeat interval. The sockets are drained first: otherwise every pause
 * of a follower would look like silence of a leader whose heartbeats wait unread in the kernel.
 */
import { performance } from 'node:perf_hooks'
import type { Defer } from './inbox.js'
import type { Clock } from './ports.js'

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => {
      clearTimeout(timer)
    }
  },
}

export interface Ticker {
  stop(): void
}

export function startTicker(options: {
  readonly clock: Clock
  readonly tickMs: number
  /** No more than this is handed in at once: one heartbeat interval. */
  readonly ticksMax: number
  readonly defer: Defer
  readonly tick: (ticks: number) => void
}): Ticker {
  const { clock, tickMs, ticksMax, defer, tick } = options
  let countedMs = clock.monotonicMs()
  let stopped = false
  let cancel = clock.after(tickMs, wake)

  function wake(): void {
    if (stopped) return
    const ticks = Math.floor((clock.monotonicMs() - countedMs) / tickMs)
    countedMs += ticks * tickMs
    cancel = clock.after(tickMs, wake)
    if (ticks === 0) return
    if (ticks <= ticksMax) tick(ticks)
    else afterTheSockets(() => stopped || tick(ticksMax))
  }

  /** Timers run before sockets in a turn of the loop; two turns later both were looked at. */
  function afterTheSockets(callback: () => void): void {
    defer(() => {
      defer(callback)
    })
  }

  return {
    stop: () => {
      stopped = true
      cancel()
    },
  }
}
