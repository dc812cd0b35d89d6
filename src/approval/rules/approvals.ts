/**
 * When a decision counts (docs/approval-model.md). Judged anew at each look, because people, keys and
 * rules move.
 */
import { refusal, type Refusal } from '../../errors.js'
import { later } from '../forms/duration.js'
import type { Hex32, Id, Ms, Person, PersonKey } from '../types.js'

export interface Current {
  readonly contentDigest: Hex32
  readonly rulesDigest: Hex32
  readonly riskDigest: Hex32 | 'none'
}

/** The key as registered; `registeredAt` is absent until the first Tick after its registration. */
export interface ApproverKey {
  readonly key: PersonKey
  readonly registeredAt?: Ms
  /** It has acknowledged the log. */
  readonly acknowledged: boolean
}

export interface ApprovalInput {
  /** What the decision names. */
  readonly named: Current
  readonly current: Current
  readonly person: Person | undefined
  readonly key: ApproverKey | undefined
  /** Log time at the entry of revision 1. */
  readonly openedAt: Ms
  readonly coolOffMs: Ms
  readonly authorSet: ReadonlySet<Id>
}

/** Why an approval does not count, in the order of the checks at apply; null when it does. */
export function whyNotCounted(input: ApprovalInput): Refusal | null {
  const { named, current } = input
  return (
    whyNotEntitled(input) ??
    whyExcluded(input) ??
    changed('CONTENT_MISMATCH', 'content', named.contentDigest, current.contentDigest) ??
    changed('RULES_CHANGED', 'rules', named.rulesDigest, current.rulesDigest) ??
    changed('RISK_CHANGED', 'risk', named.riskDigest, current.riskDigest)
  )
}

/** A "no" is not voided by changed rules, nor by the cool-off. */
export function whyRejectNotCounted(
  input: Pick<ApprovalInput, 'person' | 'key'> & {
    readonly named: Pick<Current, 'contentDigest'>
    readonly current: Pick<Current, 'contentDigest'>
  },
): Refusal | null {
  const { named, current } = input
  return (
    whyNotEntitled(input) ??
    changed('CONTENT_MISMATCH', 'content', named.contentDigest, current.contentDigest)
  )
}

/** An active human with an active, acknowledged key that has the use `approve`. */
export function whyNotEntitled({
  person,
  key,
}: Pick<ApprovalInput, 'person' | 'key'>): Refusal | null {
  if (person === undefined || key === undefined) {
    return refusal('UNKNOWN_KEY', 'nobody of this cluster owns the key')
  }
  const { id } = person
  if (person.kind !== 'human') {
    return refusal('AGENT_CANNOT_APPROVE', `${id} is of kind ${person.kind}; only humans approve`, {
      person: id,
    })
  }
  if (person.status !== 'active') {
    return refusal('PERSON_INACTIVE', `${id} is ${person.status}`, { person: id })
  }
  const { keyId, status, uses } = key.key
  if (status !== 'active') return refusal('KEY_REVOKED', `the key of ${id} is revoked`, { keyId })
  if (!uses.includes('approve')) {
    return refusal('KEY_USE', `the key of ${id} may not approve`, { keyId, needed: 'approve' })
  }
  if (key.acknowledged) return null
  return refusal('KEY_PENDING', `the key of ${id} has not acknowledged the log`, { keyId })
}

/** Author set and cool-off: a key registered after the change was opened is a sock puppet's. */
function whyExcluded({
  person,
  key,
  openedAt,
  coolOffMs,
  authorSet,
}: Pick<ApprovalInput, 'person' | 'key' | 'openedAt' | 'coolOffMs' | 'authorSet'>): Refusal | null {
  if (person !== undefined && authorSet.has(person.id)) {
    return refusal('SELF_APPROVAL', `${person.id} is an author or sponsor of the change`, {
      person: person.id,
    })
  }
  const registeredAt = key?.registeredAt
  if (registeredAt !== undefined && registeredAt + coolOffMs <= openedAt) return null
  return refusal('KEY_TOO_NEW', 'the key was not past its cool-off when the change was opened', {
    openedAt,
    coolOffMs,
    ...(registeredAt === undefined
      ? {}
      : { registeredAt, countsFrom: later(registeredAt, coolOffMs) }),
  })
}

function changed(
  code: 'CONTENT_MISMATCH' | 'RULES_CHANGED' | 'RISK_CHANGED',
  what: string,
  named: string,
  current: string,
): Refusal | null {
  if (named === current) return null
  return refusal(code, `the decision names ${what} ${named}, current is ${current}`, {
    named,
    current,
  })
}
