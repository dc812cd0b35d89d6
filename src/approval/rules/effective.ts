/**
 * Which rules bind a change: every rule of its rule kind with a glob that matches any touched path,
 * and all must pass. A wide rule is a floor, a narrow one can only add.
 */
import { canonicalText, compareCodeUnits, messageDigest, payloadType } from '../../signing/index.js'
import { globTakes, namesOf, parsedGlobs, type ParsedGlob } from '../forms/glob.js'
import type { NamedPolicy } from '../governed.js'
import type { ChangeKind, EffectiveRule, Hex32, Id, Path, Rule, RuleKind } from '../types.js'

export interface PoliciesInForce {
  policies(): Iterable<NamedPolicy>
}

export interface ChangeScope {
  readonly kind: ChangeKind
  readonly paths: readonly Path[]
}

/** Sorted by policy name and rule id. */
export function effectiveRules(
  governed: PoliciesInForce,
  scope: ChangeScope,
): readonly EffectiveRule[] {
  return rulesThatBind(scope.kind, matchPolicies(governed, scope))
}

/**
 * By policy name, the rules that match a path of the scope; a policy without any is absent. Kept,
 * so that after a write only the written policy meets the paths again ({@link matchPolicy}).
 */
export type MatchedPolicies = ReadonlyMap<Id, readonly EffectiveRule[]>

export function matchPolicies(governed: PoliciesInForce, scope: ChangeScope): MatchedPolicies {
  const names = scope.paths.map(namesOf)
  const matched = new Map<Id, readonly EffectiveRule[]>()
  for (const policy of governed.policies()) {
    const rules = rulesMatching(policy, scope.kind, names)
    if (rules.length > 0) matched.set(policy.name, rules)
  }
  return matched
}

/** Rules of one policy, of every rule kind that the change may come under, in written order. */
export function matchPolicy(policy: NamedPolicy, scope: ChangeScope): readonly EffectiveRule[] {
  return rulesMatching(policy, scope.kind, scope.paths.map(namesOf))
}

/** Sorted by policy name and rule id: the order of `matched` says nothing. */
export function rulesThatBind(
  kind: ChangeKind,
  matched: MatchedPolicies,
): readonly EffectiveRule[] {
  const found = [...matched.values()].flat()
  const own = found.filter(({ rule }) => ruleKindOf(rule) === 'rollback')
  const binding = kind === 'rollback' && own.length > 0 ? own : found.filter(isNoRollback)
  return binding.sort(
    (a, b) => compareCodeUnits(a.policy, b.policy) || compareCodeUnits(a.rule.id, b.rule.id),
  )
}

function isNoRollback({ rule }: EffectiveRule): boolean {
  return ruleKindOf(rule) !== 'rollback'
}

function rulesMatching(
  { name, document }: NamedPolicy,
  kind: ChangeKind,
  names: readonly (readonly string[])[],
): readonly EffectiveRule[] {
  const kinds = ruleKindsOf(kind)
  const found: EffectiveRule[] = []
  for (const rule of document.rules) {
    if (!kinds.includes(ruleKindOf(rule))) continue
    const globs = globsOf(rule)
    if (names.some((path) => globs.some((glob) => globTakes(glob, path)))) {
      found.push({ policy: name, rule })
    }
  }
  return found
}

/** A rollback comes under the ordinary rules where no rule is written for rollbacks. */
function ruleKindsOf(kind: ChangeKind): readonly RuleKind[] {
  if (kind === 'emergency') return ['emergency']
  return kind === 'rollback' ? ['rollback', 'ordinary'] : ['ordinary']
}

export function ruleKindOf(rule: Rule): RuleKind {
  return rule.kind ?? 'ordinary'
}

export function ruleMatches(rule: Rule, path: Path): boolean {
  const names = namesOf(path)
  return globsOf(rule).some((glob) => globTakes(glob, names))
}

export function globsOf(rule: Rule): readonly ParsedGlob[] {
  return parsedGlobs(rule.paths)
}

const signedTexts = new WeakMap<Rule, string>()

/**
 * Names the text of the rules that an approver saw: SHA-256 of the PAE, under the type `rules`, of
 * the canonical array of `{policy, rule}` without notes. Group membership is judged live and is no
 * part of it.
 */
export function rulesDigest(effective: readonly EffectiveRule[]): Hex32 {
  const parts = effective.map(
    ({ policy, rule }) => `{"policy":${canonicalText(policy)},"rule":${signedText(rule)}}`,
  )
  return messageDigest(payloadType('rules'), new TextEncoder().encode(`[${parts.join(',')}]`))
}

function signedText(rule: Rule): string {
  let text = signedTexts.get(rule)
  if (text === undefined) {
    const signed = Object.entries(rule).filter(([name]) => name !== 'note')
    text = canonicalText(Object.fromEntries(signed))
    signedTexts.set(rule, text)
  }
  return text
}
