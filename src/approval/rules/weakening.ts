/**
 * Does a change loosen? Judged by the documents before and after. Anything not provably tightening
 * counts as weakening, and then the `weakeningDelay` of the rules in force before applies.
 */
import { canonicalText, type Json } from '../../signing/index.js'
import type { GovernedDocument } from '../documents/decode-document.js'
import { durationMs } from '../forms/duration.js'
import { globCovers, parseGlob } from '../forms/glob.js'
import type { Governed } from '../governed.js'
import type {
  Duration,
  Genesis,
  Glob,
  Group,
  Id,
  Line,
  Person,
  PersonKey,
  PolicyDocument,
  Rule,
  Window,
} from '../types.js'

type Deadlines = Genesis['defaults']

interface Defaults extends Deadlines {
  /**
   * What may bind where a rule says no deadline any more: the default, or a longer one of another
   * rule. Absent: the default.
   */
  readonly loosest?: Deadlines
}

/**
 * Of a change of kind `policy` or `identity`; freezes and the feature level loosen nothing. Neither
 * do nodes: they approve nothing, and a delay counts in log time, which may stand still until the
 * very change that replaces dead voters is active.
 */
export function isWeakening(
  before: Governed,
  documents: readonly GovernedDocument[],
  genesisDefaults: Deadlines,
): boolean {
  const defaults = withLoosest(before, documents, genesisDefaults)
  return documents.some((document) => {
    switch (document.kind) {
      case 'policy': {
        const old = before.policy(document.name)
        const after = document.policy === 'deleted' ? noRules : document.policy
        return !tightensPolicy(old ?? noRules, after, defaults)
      }
      case 'group': {
        const after = document.group === 'deleted' ? [] : document.group.members
        const vetoes = standsInVeto(before, document.name)
        return !tightensGroup(before.group(document.name)?.members ?? [], after, vetoes)
      }
      case 'person':
        return !tightensPerson(before.person(document.person.id), document.person)
      case 'key':
        return !tightensKey(before.key(document.key.keyId), document.key)
      case 'freeze':
      case 'node':
      case 'featureLevel':
        return false
    }
  })
}

function withLoosest(
  before: Governed,
  documents: readonly GovernedDocument[],
  defaults: Deadlines,
): Defaults {
  let { open, use } = defaults
  const consider = (rules: readonly Rule[]): void => {
    for (const rule of rules) {
      if (!notLonger(open, rule.open, open)) open = rule.open ?? open
      if (!notLonger(use, rule.use, use)) use = rule.use ?? use
    }
  }
  for (const { document } of before.policies()) consider(document.rules)
  for (const one of documents) {
    if (one.kind === 'policy' && one.policy !== 'deleted') consider(one.policy.rules)
  }
  return { ...defaults, loosest: { open, use } }
}

interface Rules {
  readonly rules: PolicyDocument['rules']
}
const noRules: Rules = { rules: [] }

export function tightensPolicy(before: Rules, after: Rules, defaults: Defaults): boolean {
  const old = new Map(before.rules.map((rule) => [rule.id, rule]))
  const kept = after.rules.filter((rule) => old.has(rule.id)).length
  if (kept < old.size) return false
  return after.rules.every((rule) => {
    const was = old.get(rule.id)
    return was === undefined ? onlyAdds(rule, defaults) : tightensRule(was, rule, defaults)
  })
}

/**
 * An ordinary rule without `propose` asks for more and opens nothing. One that gives a rollback
 * grant hands out power of its own, and one with a longer deadline than the default replaces that
 * where no other rule says one: neither is provably tightening.
 */
function onlyAdds(rule: Rule, defaults: Defaults): boolean {
  return (
    isOrdinary(rule) &&
    rule.propose === undefined &&
    rule.rollback?.plan !== 'inverse' &&
    notLonger(undefined, rule.open, defaults.open) &&
    notLonger(undefined, rule.use, defaults.use)
  )
}

function isOrdinary(rule: Rule): boolean {
  return (rule.kind ?? 'ordinary') === 'ordinary'
}

/** Row by row; an absent field counts as its default. `note` says nothing. */
export function tightensRule(before: Rule, after: Rule, defaults: Defaults): boolean {
  return (
    (before.kind ?? 'ordinary') === (after.kind ?? 'ordinary') &&
    tightensPaths(before, after, defaults) &&
    tightensPropose(before.propose, after.propose) &&
    keepsLines(before.need, after.need) &&
    keepsLines(before.risk?.medium?.need, after.risk?.medium?.need) &&
    keepsLines(before.risk?.high?.need, after.risk?.high?.need) &&
    keepsLines(before.ratify?.need, after.ratify?.need) &&
    keepsVetoes(before.veto, after.veto) &&
    !(before.distinct === 'global' && after.distinct !== 'global') &&
    notLonger(before.open, after.open ?? defaults.loosest?.open, defaults.open) &&
    notLonger(before.use, after.use ?? defaults.loosest?.use, defaults.use) &&
    notLonger(before.ttl, after.ttl, zero) &&
    notLonger(before.ratify?.within, after.ratify?.within, zero) &&
    notLonger(after.weakeningDelay, before.weakeningDelay, zero) &&
    notLonger(after.bake?.for, before.bake?.for, zero) &&
    isSubset(before.bake?.watch ?? [], after.bake?.watch ?? []) &&
    tightensWindows(before.windows, after.windows) &&
    isSame(before.rollback, after.rollback)
  )
}

const zero: Duration = '0s'

function tightensPaths(before: Rule, after: Rule, defaults: Defaults): boolean {
  if (!isSubset(before.paths, after.paths)) return false
  return isSubset(after.paths, before.paths) || onlyAdds(after, defaults)
}

function tightensPropose(before: Rule['propose'], after: Rule['propose']): boolean {
  if (before === undefined || after === undefined) return before === after
  const opensToAgents = before.agents !== 'sponsored' && after.agents === 'sponsored'
  return !opensToAgents && isSubset(after.groups, before.groups)
}

/** Every old line stands there with the same or a larger count. */
function keepsLines(before: readonly Line[] = [], after: readonly Line[] = []): boolean {
  return before.every((line) => countOf(after, line.group) >= line.count)
}

/** Every old line stands there with the same or a smaller count: as easy to veto as before. */
function keepsVetoes(before: readonly Line[] = [], after: readonly Line[] = []): boolean {
  return before.every((line) => {
    const count = countOf(after, line.group)
    return count > 0 && count <= line.count
  })
}

function countOf(lines: readonly Line[], group: Id): number {
  return lines.find((line) => line.group === group)?.count ?? 0
}

function notLonger(
  before: Duration | undefined,
  after: Duration | undefined,
  absent: Duration,
): boolean {
  return durationMs(after ?? absent) <= durationMs(before ?? absent)
}

const alwaysOpen: readonly Window[] = [
  { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '0h', to: '24h' },
]

/** Each new window lies inside an old one. */
function tightensWindows(before = alwaysOpen, after = alwaysOpen): boolean {
  return after.every((inner) =>
    before.some(
      (outer) =>
        isSubset(inner.days, outer.days) &&
        durationMs(outer.from) <= durationMs(inner.from) &&
        durationMs(inner.to) <= durationMs(outer.to),
    ),
  )
}

function isSame(before: Rule['rollback'], after: Rule['rollback']): boolean {
  if (before === undefined || after === undefined) return before === after
  return canonicalText(before as unknown as Json) === canonicalText(after as unknown as Json)
}

/** None added; none removed where the group stands in a `veto` line. */
export function tightensGroup(
  before: Group['members'],
  after: Group['members'],
  standsInVeto: boolean,
): boolean {
  return isSubset(after, before) && (!standsInVeto || isSubset(before, after))
}

function standsInVeto(governed: Governed, group: Id): boolean {
  for (const { document } of governed.policies()) {
    for (const { veto = [] } of document.rules) {
      if (veto.some((line) => line.group === group)) return true
    }
  }
  return false
}

/** Suspending and removing are never delayed; a new or returning person is more power. */
export function tightensPerson(before: Person | undefined, after: Person): boolean {
  if (before === undefined) return false
  if (after.status !== 'active') return true
  return (
    before.status === 'active' &&
    before.sponsor === after.sponsor &&
    before.node === after.node &&
    isCovered(before.scope ?? [], after.scope ?? []) &&
    isSmallerQuota(before.quota, after.quota)
  )
}

function isCovered(before: readonly Glob[], after: readonly Glob[]): boolean {
  return after.every((inner) =>
    before.some((outer) => globCovers(parseGlob(outer) ?? [], parseGlob(inner) ?? [])),
  )
}

/** An agent without a quota is bound by the limits of genesis only. */
function isSmallerQuota(before: Person['quota'], after: Person['quota']): boolean {
  if (before === undefined) return true
  return after !== undefined && after.open <= before.open && after.perDay <= before.perDay
}

/** Revoking is never delayed; a key with fewer uses holds less. */
export function tightensKey(before: PersonKey | undefined, after: PersonKey): boolean {
  if (after.status === 'revoked') return true
  return before?.status === 'active' && isSubset(after.uses, before.uses)
}

function isSubset(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.every((one) => outer.includes(one))
}
