/** Seats: what a rule asks for at a tier. A line with count c makes c seats of its group. */
import type { EffectiveRule, Id, Line, Rule, Tier } from '../types.js'

export interface Seat {
  readonly policy: Id
  readonly rule: Id
  /** Place of the line among {@link linesAt}. */
  readonly line: number
  readonly group: Id
}

const tiersUpTo: Readonly<Record<Tier, readonly ('medium' | 'high')[]>> = {
  low: [],
  medium: ['medium'],
  high: ['medium', 'high'],
}

/**
 * For each group the largest count among `need` and the `risk` lines of all tiers up to `tier`.
 * Lines of `need` first and as written, then groups that only a tier names.
 */
export function linesAt(rule: Rule, tier: Tier): readonly Line[] {
  const known = linesByTier.get(rule)
  const lines = known?.[tier] ?? mergeLines(rule, tier)
  if (known === undefined) linesByTier.set(rule, { [tier]: lines })
  else known[tier] = lines
  return lines
}

/** Rules of decoded documents never change, and each judgement asks for their lines. */
const linesByTier = new WeakMap<Rule, Partial<Record<Tier, readonly Line[]>>>()

function mergeLines(rule: Rule, tier: Tier): readonly Line[] {
  const counts = new Map<Id, number>()
  const lists = [rule.need ?? [], ...tiersUpTo[tier].map((name) => rule.risk?.[name]?.need ?? [])]
  for (const { group, count } of lists.flat()) {
    counts.set(group, Math.max(counts.get(group) ?? 0, count))
  }
  return [...counts].map(([group, count]) => ({ count, group }))
}

export function seatsOf(effective: EffectiveRule, tier: Tier): readonly Seat[] {
  return seatsOfLines(effective, linesAt(effective.rule, tier))
}

export function seatsOfLines(
  { policy, rule }: EffectiveRule,
  lines: readonly Line[],
): readonly Seat[] {
  return lines.flatMap(({ count, group }, line) =>
    Array.from({ length: count }, () => ({ policy, rule: rule.id, line, group })),
  )
}
