/** Log time for people: UTC to the second, and how far away it is. */

export function timeText(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return String(ms)
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

/** `in 3h 20m`, `5m ago`, `now`: two units at most. */
export function distanceText(ms: number, nowMs: number): string {
  const seconds = Math.round(Math.abs(ms - nowMs) / 1000)
  if (seconds < 1) return 'now'
  const text = lengthText(seconds)
  return ms > nowMs ? `in ${text}` : `${text} ago`
}

function lengthText(seconds: number): string {
  const parts: string[] = []
  let rest = seconds
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${String(count)}${unit}`)
    if (parts.length === 2 || (parts.length === 1 && unit === 'm')) break
  }
  return parts.join(' ')
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const
