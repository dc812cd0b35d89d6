/**
 * Which rules bind a change: every rule of its rule kind with a glob that matches any touched path,
 * and all must pass. A wide rule is a floor, a narrow one can only add.
 */
import { canonicalText, compareCodeUnits, messageDigest, payloadType } from '../../signing/index.js'
import { globTakes, namesOf, parsedGlobs, type ParsedGlob } from '../forms/glob.js'
import type { NamedPolicy } from '../governed.js'
import type { ChangeKind, EffectiveRule, Hex32, Path, Rule, RuleKind } from '../types.js'

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
  { kind, paths }: ChangeScope,
): readonly EffectiveRule[] {
  if (kind === 'emergency') return rulesOfKind(governed, 'emergency', paths)
  if (kind !== 'rollback') return rulesOfKind(governed, 'ordinary', paths)
  const own = rulesOfKind(governed, 'rollback', paths)
  return own.length > 0 ? own : rulesOfKind(governed, 'ordinary', paths)
}

function rulesOfKind(
  governed: PoliciesInForce,
  kind: RuleKind,
  paths: readonly Path[],
): readonly EffectiveRule[] {
  const found: EffectiveRule[] = []
  const names = paths.map(namesOf)
  for (const { name, document } of governed.policies()) {
    for (const rule of document.rules) {
      if (ruleKindOf(rule) !== kind) continue
      const globs = globsOf(rule)
      if (names.some((path) => globs.some((glob) => globTakes(glob, path)))) {
        found.push({ policy: name, rule })
      }
    }
  }
  return found.sort(
    (a, b) => compareCodeUnits(a.policy, b.policy) || compareCodeUnits(a.rule.id, b.rule.id),
  )
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
