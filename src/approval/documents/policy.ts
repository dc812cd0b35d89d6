/**
 * The policy decoder that counts. The JSON Schema serves editors; this one runs at apply and also
 * says what a schema cannot: the shape of globs, `from < to`, unique rule ids, each group once in a
 * list. What needs the rest of the state (known groups, floor, satisfiability) comes after.
 */
import { refusal, type Refusal } from '../../errors.js'
import { depthOf, valueDepthMax, type Json } from '../../signing/index.js'
import { duration, durationMs } from '../forms/duration.js'
import { glob } from '../forms/glob.js'
import {
  by,
  choose,
  integer,
  invalid,
  itself,
  listOf,
  object,
  oneOf,
  optional,
  required,
  uniqueListOf,
  within,
  type FieldsOf,
} from '../forms/shape.js'
import { id, note } from '../forms/text.js'
import { limits } from '../limits.js'
import type { Line, PolicyDocument, Rule, Window } from '../types.js'

export type DecodedPolicy =
  | { readonly kind: 'ok'; readonly policy: PolicyDocument }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** BODY_INVALID with the field, e.g. `rules[0].need[1].count`. */
export function decodePolicy(value: Json): DecodedPolicy {
  if (depthOf(value) > valueDepthMax) {
    const message = `a policy is nested at most ${valueDepthMax} deep`
    return { kind: 'refused', refusal: refusal('VALUE_NOT_CANONICAL', message) }
  }
  const fault = policyDocument(value, '')
  if (fault !== null) return { kind: 'refused', refusal: fault }
  return { kind: 'ok', policy: value as unknown as PolicyDocument }
}

const names = uniqueListOf(id, itself, { min: 1, max: limits.namesMax })

const line = object<Line>({
  count: required(integer({ min: 1, max: limits.lineCountMax })),
  group: required(id),
})

const lines = uniqueListOf(line, by('group'), { min: 1, max: limits.linesMax })

const tier = object<{ readonly need: readonly Line[] }>({ need: required(lines) })

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const dayMs = 86_400_000

const window = object<Window>(
  {
    days: required(uniqueListOf(oneOf(...days), itself, { min: 1, max: days.length })),
    from: required(duration),
    to: required(duration),
  },
  (one, at) => {
    if (durationMs(one.to) > dayMs) return invalid(within(at, 'to'), 'must be at most 24h')
    if (durationMs(one.from) < durationMs(one.to)) return null
    return invalid(at, 'must have from before to; write one that passes midnight as two')
  },
)

const rollbackNone = object<{ readonly plan: 'none' }>({ plan: required(oneOf('none')) })
const rollbackInverse = object<Extract<Rule['rollback'], { readonly plan: 'inverse' }>>({
  plan: required(oneOf('inverse')),
  by: required(lines),
  freeze: optional(duration),
})

const ruleFields: FieldsOf<Rule> = {
  id: required(id),
  note: optional(note(limits.noteCharactersMax)),
  kind: optional(oneOf('ordinary', 'rollback', 'emergency')),
  paths: required(uniqueListOf(glob, itself, { min: 1, max: limits.globsPerRuleMax })),
  propose: optional(
    object<NonNullable<Rule['propose']>>({
      groups: required(names),
      agents: optional(oneOf('never', 'sponsored')),
    }),
  ),
  need: optional(lines),
  veto: optional(lines),
  distinct: optional(oneOf('rule', 'global')),
  risk: optional(
    object<NonNullable<Rule['risk']>>(
      { medium: optional(tier), high: optional(tier) },
      (risk, at) =>
        risk.medium === undefined && risk.high === undefined
          ? invalid(at, 'must name medium or high')
          : null,
    ),
  ),
  windows: optional(listOf(window, { min: 1, max: limits.windowsMax })),
  open: optional(duration),
  use: optional(duration),
  weakeningDelay: optional(duration),
  bake: optional(
    object<NonNullable<Rule['bake']>>({ for: required(duration), watch: optional(names) }),
  ),
  rollback: optional(
    choose(
      (json) => (json['plan'] === 'none' ? rollbackNone : rollbackInverse),
      'must be {plan: none} or {plan: inverse, by, freeze?}',
    ),
  ),
  ttl: optional(duration),
  ratify: optional(
    object<NonNullable<Rule['ratify']>>({
      need: required(lines),
      within: required(duration),
      else: required(oneOf('inverse')),
    }),
  ),
}

const emergencyNeeds = ['propose', 'need', 'ttl', 'ratify'] as const
const emergencyForbids = ['open', 'use', 'risk', 'windows', 'weakeningDelay'] as const

const rule = object<Rule>(ruleFields, (one, at) => {
  if (one.kind !== 'emergency') {
    const extra = (['ttl', 'ratify'] as const).find((name) => one[name] !== undefined)
    return extra === undefined ? null : invalid(within(at, extra), 'is for emergency rules only')
  }
  const missing = emergencyNeeds.find((name) => one[name] === undefined)
  if (missing !== undefined) return invalid(within(at, missing), 'is missing in an emergency rule')
  const extra = emergencyForbids.find((name) => one[name] !== undefined)
  if (extra !== undefined) return invalid(within(at, extra), 'has no place in an emergency rule')
  if (one.propose?.agents !== 'sponsored') return null
  return invalid(within(at, 'propose.agents'), 'must be never in an emergency rule')
})

const policyDocument = object<PolicyDocument>({
  format: required(integer({ min: 1, max: 1 })),
  rules: required(uniqueListOf(rule, by('id'), { min: 1, max: limits.rulesPerPolicyMax })),
})
