/**
 * Windows: times of the week, in UTC, in which a change may be activated. Union within a rule,
 * intersection between rules; a rule without windows is always open. Calendar arithmetic is done on
 * integers: the epoch began on a Thursday, and UTC days all have 86,400 seconds.
 */
import { durationMs, later } from '../forms/duration.js'
import type { EffectiveRule, Ms, Window } from '../types.js'

const dayMs = 86_400_000
const weekMs = 7 * dayMs
const daysOfWeek = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const

/** A time of the week, in milliseconds since its Thursday; up to, but not at, `to`. */
interface Span {
  readonly from: number
  readonly to: number
}

/** The first moment from `from` on at which every rule is open; null when there is none. */
export function nextOpening(rules: readonly EffectiveRule[], from: Ms): Ms | null {
  const open = openSpans(rules)
  if (open === 'always') return from
  const week = from - (from % weekMs)
  const inWeek = from - week
  const [first] = open
  if (first === undefined) return null
  const span = open.find(({ to }) => inWeek < to)
  const at = span === undefined ? weekMs + first.from : Math.max(span.from, inWeek)
  return later(week, at)
}

const spansOfRules = new WeakMap<readonly EffectiveRule[], readonly Span[] | 'always'>()

/**
 * When all rules are open, sorted and disjoint. Worked out once for a list of rules: 32 rules with
 * 16 windows on 7 days are too many to be walked for each change at each Tick.
 */
function openSpans(rules: readonly EffectiveRule[]): readonly Span[] | 'always' {
  let spans = spansOfRules.get(rules)
  if (spans === undefined) {
    spans = 'always'
    for (const { rule } of rules) {
      if (rule.windows === undefined) continue
      const own = unionOf(rule.windows)
      spans = spans === 'always' ? own : intersectionOf(spans, own)
    }
    spansOfRules.set(rules, spans)
  }
  return spans
}

/** Of one rule: a window is open from its `from` up to, but not at, its `to`. */
function unionOf(windows: readonly Window[]): readonly Span[] {
  const spans: Span[] = []
  for (const { days, from, to } of windows) {
    daysOfWeek.forEach((name, day) => {
      if (!days.includes(name)) return
      spans.push({ from: day * dayMs + durationMs(from), to: day * dayMs + durationMs(to) })
    })
  }
  spans.sort((a, b) => a.from - b.from)
  const union: Span[] = []
  for (const span of spans) {
    const last = union.at(-1)
    if (last === undefined || span.from > last.to) union.push(span)
    else union[union.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
  }
  return union
}

function intersectionOf(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const common: Span[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i] as Span, b[j] as Span]
    const [from, to] = [Math.max(x.from, y.from), Math.min(x.to, y.to)]
    if (from < to) common.push({ from, to })
    if (x.to < y.to) i++
    else j++
  }
  return common
}
