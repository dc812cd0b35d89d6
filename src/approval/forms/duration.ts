/** Durations are kept as written (`8h30m`) and read here into milliseconds. */
import { limits } from '../limits.js'
import type { Duration, Ms } from '../types.js'
import { invalid, type Check } from './shape.js'
import { isDigit } from './text.js'

const units = [
  { letter: 'd', ms: 86_400_000 },
  { letter: 'h', ms: 3_600_000 },
  { letter: 'm', ms: 60_000 },
  { letter: 's', ms: 1000 },
] as const

/** `<integer><unit>`, units d h m s in falling order, each at most once. Null for anything else. */
export function parseDuration(text: string): Ms | null {
  let ms = 0
  let at = 0
  let parts = 0
  for (const unit of units) {
    let end = at
    while (end < text.length && isDigit(text.charCodeAt(end))) end++
    if (text[end] !== unit.letter) continue
    const digits = text.slice(at, end)
    if (digits === '' || digits.length > limits.durationDigitsMax) return null
    if (digits.length > 1 && digits.startsWith('0')) return null
    ms += Number(digits) * unit.ms
    at = end + 1
    parts++
  }
  return parts > 0 && at === text.length ? ms : null
}

/** Of a duration that a decoder has accepted; throws RangeError on other text. */
export function durationMs(duration: Duration): Ms {
  const ms = parseDuration(duration)
  if (ms === null) throw new RangeError(`not a duration: ${duration}`)
  return ms
}

/**
 * A moment `ms` after another. It stops at the largest safe integer: a schedule in the far future
 * or a delay of 99,999 days must not give a deadline that no record can hold.
 */
export function later(at: Ms, ms: Ms): Ms {
  return Math.min(at + ms, Number.MAX_SAFE_INTEGER)
}

export const duration: Check = (value, at) =>
  typeof value === 'string' && parseDuration(value) !== null
    ? null
    : invalid(at, 'must be a duration such as 15m, 72h or 8h30m')
