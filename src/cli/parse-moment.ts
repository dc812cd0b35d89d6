import { badInput } from './failures.js'
import { parseTime } from './parse-time.js'

/** `2026-11-24T08:00:00Z` (a zone is needed) or `+2h`, in milliseconds since the epoch. */
export function parseMoment(text: string, nowMs: number): number {
  if (text.startsWith('+')) return nowMs + parseTime(text.slice(1))
  const form = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/
  const ms = form.test(text) ? Date.parse(text.replace(' ', 'T')) : NaN
  if (Number.isFinite(ms)) return ms
  throw badInput(
    `"${text}" is not a moment.`,
    'Write it with its zone, e.g. 2026-11-24T08:00:00Z, or as a distance, e.g. +2h.',
  )
}
