/** Paths of the config tree. ASCII and case-sensitive, so no look-alike letters. */
import { limits } from '../limits.js'
import type { Path } from '../types.js'
import { invalid, type Check } from './shape.js'
import { every, isDigit, isLower } from './text.js'

/**
 * One or more segments, each `/` and 1 to 128 of `[A-Za-z0-9._~-]`, none of them `.` or `..`; at
 * most 512 bytes and 32 segments.
 */
export function isPath(text: string): text is Path {
  const segments = segmentsOf(text)
  return segments !== null && segments.every(isSegment)
}

export const path: Check = (value, at) =>
  typeof value === 'string' && isPath(value)
    ? null
    : invalid(at, 'must be a path such as /prod/payments/timeout_ms')

/** Null when the text is no path by its slashes, length or number of segments. */
export function segmentsOf(text: string): readonly string[] | null {
  if (!text.startsWith('/') || text.length > limits.pathBytesMax) return null
  const segments = text.slice(1).split('/')
  return segments.length <= limits.pathSegmentsMax ? segments : null
}

export function isSegment(segment: string): boolean {
  if (segment.length < 1 || segment.length > limits.pathSegmentBytesMax) return false
  if (segment === '.' || segment === '..') return false
  return every(segment, isSegmentCharacter)
}

/** `[A-Za-z0-9._~-]` */
export function isSegmentCharacter(c: number): boolean {
  return (
    isLower(c) || isDigit(c) || (c >= 0x41 && c <= 0x5a) || c === 0x2d || c === 0x2e || isTail(c)
  )
}

function isTail(c: number): boolean {
  return c === 0x5f || c === 0x7e
}

/** The path itself or one below it; `/` is above all. */
export function isAtOrBelow(candidate: Path, ancestor: string): boolean {
  const prefix = ancestor.endsWith('/') ? ancestor : `${ancestor}/`
  return candidate === ancestor || candidate.startsWith(prefix)
}

/** Whether the system's own state lies there. */
export function isSystemPath(candidate: Path): boolean {
  return isAtOrBelow(candidate, '/sys')
}
