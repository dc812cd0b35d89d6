/**
 * The clock by which calls measure their time. A test that needs a call to run out of time gives it
 * plenty, and ends that time when enough has happened: so no slow machine ends it too early.
 */
import type { Test } from 'tap'

/** Longer than any machine needs. */
export const plentyMs = 120_000

/** Returns what ends the time of every call under way. */
export function callClock(t: Test): () => void {
  const real = performance.now.bind(performance)
  let aheadMs = 0
  t.intercept(performance, 'now', { value: () => real() + aheadMs })
  return () => {
    aheadMs += plentyMs
  }
}
