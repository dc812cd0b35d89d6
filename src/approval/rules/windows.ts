/**
 * Windows: times of the week, in UTC, in which a change may be activated. Union within a rule,
 * intersection between rules; a rule without windows is always open. Calendar arithmetic is done on
 * integers: the epoch began on a Thursday, and UTC days all have 86,400 seconds.
 */
import { durationMs } from '../forms/duration.js'
import type { EffectiveRule, Ms, Window } from '../types.js'

const dayMs = 86_400_000
const daysOfWeek = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const
/** After a week everything repeats. */
const horizonDays = 8

/** The first moment from `from` on at which every rule is open; null when there is none. */
export function nextOpening(rules: readonly EffectiveRule[], from: Ms): Ms | null {
  const restricting = rules.flatMap(({ rule }) =>
    rule.windows === undefined ? [] : [rule.windows],
  )
  const end = from + horizonDays * dayMs
  let at = from
  while (at < end) {
    const openings = restricting.map((windows) => openingOf(windows, at))
    const latest = Math.max(at, ...openings)
    if (latest === at) return at
    at = latest
  }
  return null
}

/** Of one rule: a window is open from its `from` up to, but not at, its `to`. */
function openingOf(windows: readonly Window[], at: Ms): Ms {
  const today = Math.floor(at / dayMs)
  let first = Infinity
  for (let day = today; day <= today + horizonDays; day++) {
    const name = daysOfWeek[day % 7]
    for (const window of windows) {
      if (name === undefined || !window.days.includes(name)) continue
      const opens = Math.max(at, day * dayMs + durationMs(window.from))
      if (opens < day * dayMs + durationMs(window.to)) first = Math.min(first, opens)
    }
    if (first < Infinity) return first
  }
  return first
}
