/**
 * What the effective rules say together about time: deadlines, delay, bake, and who may use the
 * rollback grant. Pure functions of log time; durations are milliseconds here.
 */
import { durationMs } from '../forms/duration.js'
import type { Duration, EffectiveRule, Genesis, Id, Line, Ms, ProposeBody } from '../types.js'
import { sortedIds } from '../governed.js'

export interface Terms {
  /** To collect approvals; an emergency's `ttl` replaces both. */
  readonly openMs: Ms
  /** To activate, once activation is possible. */
  readonly useMs: Ms
  /** Wait after the quorum, if the change loosens. */
  readonly weakeningDelayMs: Ms
  readonly bakeMs: Ms
  /** Sorted. */
  readonly watch: readonly Id[]
  /** A matching rule has `risk`: the tier must be known, or `riskTimeout` over. */
  readonly asksRisk: boolean
  /** One list for each rule that has `by`; a line of each must be filled. Null: no grant. */
  readonly grantBy: readonly (readonly Line[])[] | null
  readonly freezeMs: Ms | null
}

/** The shortest `open` and `use` count, the author's own included; the longest delay and bake. */
export function termsOf(
  rules: readonly EffectiveRule[],
  defaults: Genesis['defaults'],
  body: Pick<ProposeBody, 'open' | 'use'> = {},
): Terms {
  const ttl = shortest(rules.map(({ rule }) => rule.ttl))
  const open = shortest(rules.map(({ rule }) => rule.open)) ?? durationMs(defaults.open)
  const use = shortest(rules.map(({ rule }) => rule.use)) ?? durationMs(defaults.use)
  const watch = new Set(rules.flatMap(({ rule }) => rule.bake?.watch ?? []))
  return {
    openMs: Math.min(ttl ?? open, shortest([body.open]) ?? Infinity),
    useMs: Math.min(ttl ?? use, shortest([body.use]) ?? Infinity),
    weakeningDelayMs: longest(rules.map(({ rule }) => rule.weakeningDelay)),
    bakeMs: longest(rules.map(({ rule }) => rule.bake?.for)),
    watch: sortedIds(watch),
    asksRisk: rules.some(({ rule }) => rule.risk !== undefined),
    ...grantOf(rules),
  }
}

function grantOf(rules: readonly EffectiveRule[]): Pick<Terms, 'grantBy' | 'freezeMs'> {
  const grants = rules.flatMap(({ rule }) => (rule.rollback === undefined ? [] : [rule.rollback]))
  const inverse = grants.flatMap((grant) => (grant.plan === 'inverse' ? [grant] : []))
  const none = inverse.length < grants.length || inverse.length === 0
  return {
    grantBy: none ? null : inverse.map((grant) => grant.by),
    freezeMs: none ? null : shortest(inverse.map((grant) => grant.freeze)),
  }
}

function shortest(durations: readonly (Duration | undefined)[]): Ms | null {
  const known = durations.flatMap((one) => (one === undefined ? [] : [durationMs(one)]))
  return known.length === 0 ? null : Math.min(...known)
}

function longest(durations: readonly (Duration | undefined)[]): Ms {
  return Math.max(0, ...durations.map((one) => (one === undefined ? 0 : durationMs(one))))
}
