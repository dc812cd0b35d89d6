import { usage } from './failures.js'

/** `500ms`, `10s`, `2m`, `8h30m`, `3d` in milliseconds. */
export function parseTime(text: string): number {
  if (!/^(\d{1,6}(ms|[dhms]))+$/.test(text)) {
    throw usage(`"${text}" is not a time.`, 'Write it as 500ms, 10s, 2m, 8h30m or 3d.')
  }
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0)
  }
  return total
}

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
}
