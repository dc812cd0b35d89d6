/**
 * Globs: segments as in a path; `*` stands for any run inside one segment (at most one in a
 * segment), a whole segment `**` for zero or more segments (at most two in a glob). Everything is
 * decided in length x length steps: no regular expression.
 *
 * `/prod/**` matches `/prod` too.
 */
import { limits } from '../limits.js'
import type { Glob, Path } from '../types.js'
import { isSegment, segmentsOf } from './path.js'
import { invalid, type Check } from './shape.js'

type Segment =
  | { readonly kind: 'deep' }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'star'; readonly before: string; readonly after: string }

export type ParsedGlob = readonly Segment[]

/** Null when the text is no glob. */
export function parseGlob(text: string): ParsedGlob | null {
  const parts = segmentsOf(text)
  if (parts === null) return null
  const segments: Segment[] = []
  let deep = 0
  for (const part of parts) {
    if (part === '**') {
      if (++deep > limits.globDeepMax) return null
      segments.push({ kind: 'deep' })
      continue
    }
    const segment = parseSegment(part)
    if (segment === null) return null
    segments.push(segment)
  }
  return segments
}

function parseSegment(part: string): Segment | null {
  const at = part.indexOf('*')
  if (at < 0) return isSegment(part) ? { kind: 'literal', text: part } : null
  const [before, after] = [part.slice(0, at), part.slice(at + 1)]
  // A second star stays in `after` and is no segment character. `.*` and `*.` may match names.
  if (part.length > limits.pathSegmentBytesMax) return null
  return isRun(before) && isRun(after) ? { kind: 'star', before, after } : null
}

/** Empty, or characters of a segment; `.` and `..` are fine beside a star. */
function isRun(run: string): boolean {
  return run === '' || isSegment(`${run}a`)
}

export const glob: Check = (value, at) =>
  typeof value === 'string' && parseGlob(value) !== null
    ? null
    : invalid(at, 'must be a glob such as /prod/** or /prod/*/limits')

/** `glob` must be one; parse it once with {@link parseGlob} where it is matched often. */
export function globMatches(pattern: Glob | ParsedGlob, candidate: Path): boolean {
  const globSegments = typeof pattern === 'string' ? (parseGlob(pattern) ?? []) : pattern
  return globTakes(globSegments, namesOf(candidate))
}

/** The segments of a path; take them once where a path meets many globs. */
export function namesOf(candidate: Path): readonly string[] {
  return candidate.slice(1).split('/')
}

/**
 * One proposal of 256 paths meets thousands of globs, so this makes no table: it walks both lists
 * and goes back to the last `**` only. What an earlier `**` took can stay as it is, so this decides
 * the same, in length x length steps at worst.
 */
export function globTakes(pattern: ParsedGlob, names: readonly string[]): boolean {
  let at = 0
  let name = 0
  let afterDeep = -1
  let deepUpTo = 0
  while (name < names.length) {
    const segment = pattern[at]
    if (segment?.kind === 'deep') {
      afterDeep = ++at
      deepUpTo = name
    } else if (segment !== undefined && matchesName(segment, names[name] as string)) {
      at++
      name++
    } else if (afterDeep >= 0) {
      at = afterDeep
      name = ++deepUpTo
    } else return false
  }
  while (pattern[at]?.kind === 'deep') at++
  return at === pattern.length
}

const parsedLists = new WeakMap<readonly Glob[], readonly ParsedGlob[]>()

/** The globs of a decoded document, parsed once for each list. */
export function parsedGlobs(globs: readonly Glob[]): readonly ParsedGlob[] {
  let parsed = parsedLists.get(globs)
  if (parsed === undefined) {
    parsed = globs.map((text) => parseGlob(text) ?? [])
    parsedLists.set(globs, parsed)
  }
  return parsed
}

/** Whether some path matches both. Exact but for the length limits of a path. */
export function globsOverlap(a: ParsedGlob, b: ParsedGlob): boolean {
  // Row i holds which rests of b can share a path with the rest of a from i on.
  let below: boolean[] = []
  for (let i = a.length; i >= 0; i--) {
    const row: boolean[] = new Array<boolean>(b.length + 1).fill(false)
    for (let j = b.length; j >= 0; j--) {
      const [x, y] = [a[i], b[j]]
      if (x === undefined && y === undefined) row[j] = true
      else if (x?.kind === 'deep')
        row[j] = below[j] === true || (j < b.length && row[j + 1] === true)
      else if (y?.kind === 'deep')
        row[j] = row[j + 1] === true || (i < a.length && below[j] === true)
      else
        row[j] = x !== undefined && y !== undefined && segmentsMeet(x, y) && below[j + 1] === true
    }
    below = row
  }
  return below[0] === true
}

/**
 * Whether everything that `inner` matches is matched by `outer`. Errs to "no": a wildcard of
 * `inner` is covered by a wider wildcard only, never by several globs together.
 */
export function globCovers(outer: ParsedGlob, inner: ParsedGlob): boolean {
  return decide(outer, inner, coversSegment, (segment) => segment.kind === 'deep')
}

/**
 * The table: can the glob be laid over the whole list? `**` takes zero or more elements, any other
 * segment exactly one that `fits`. `deepOnly` elements can be taken by `**` alone.
 */
function decide<T>(
  segments: ParsedGlob,
  elements: readonly T[],
  fits: (segment: Segment, element: T) => boolean,
  deepOnly: (element: T) => boolean = () => false,
): boolean {
  // reachable[j]: the segments so far can take exactly the first j elements.
  let reachable: boolean[] = elements.map(() => false)
  reachable.unshift(true)
  for (const segment of segments) {
    const next: boolean[] = new Array<boolean>(elements.length + 1).fill(false)
    for (let j = 0; j <= elements.length; j++) {
      if (segment.kind === 'deep') {
        next[j] = reachable[j] === true || (j > 0 && next[j - 1] === true)
      } else if (j > 0) {
        const element = elements[j - 1] as T
        next[j] = reachable[j - 1] === true && !deepOnly(element) && fits(segment, element)
      }
    }
    reachable = next
  }
  return reachable[elements.length] === true
}

function matchesName(segment: Segment, name: string): boolean {
  if (segment.kind === 'literal') return segment.text === name
  if (segment.kind === 'deep') return true
  const { before, after } = segment
  const longEnough = name.length >= before.length + after.length
  return longEnough && name.startsWith(before) && name.endsWith(after)
}

function segmentsMeet(a: Segment, b: Segment): boolean {
  if (a.kind === 'literal') return matchesName(b, a.text)
  if (b.kind === 'literal') return matchesName(a, b.text)
  if (a.kind === 'deep' || b.kind === 'deep') return true
  const prefixes = a.before.startsWith(b.before) || b.before.startsWith(a.before)
  const suffixes = a.after.endsWith(b.after) || b.after.endsWith(a.after)
  return prefixes && suffixes
}

function coversSegment(outer: Segment, inner: Segment): boolean {
  if (inner.kind === 'literal') return matchesName(outer, inner.text)
  if (outer.kind !== 'star' || inner.kind !== 'star') return false
  return inner.before.startsWith(outer.before) && inner.after.endsWith(outer.after)
}
