/** The shapes of people, keys and groups, as they stand under `/sys/`. */
import type { Refusal } from '../../errors.js'
import { decodePublicKey } from '../../signing/index.js'
import { glob } from '../forms/glob.js'
import {
  integer,
  invalid,
  object,
  oneOf,
  optional,
  required,
  setOfStrings,
  within,
} from '../forms/shape.js'
import { anyJson, base64, hex32, id, text } from '../forms/text.js'
import { limits } from '../limits.js'
import type { Group, KeyUse, Person, PersonKey, PersonKind } from '../types.js'

export const person = object<Person>(
  {
    id: required(id),
    kind: required(oneOf('human', 'agent', 'service')),
    displayName: required(text(limits.displayNameBytesMax)),
    status: required(oneOf('active', 'suspended', 'removed')),
    sponsor: optional(id),
    node: optional(id),
    scope: optional(setOfStrings(glob, { min: 1, max: limits.scopeGlobsMax })),
    quota: optional(
      object<NonNullable<Person['quota']>>({
        open: required(integer({ max: limits.openChangesPerPersonMax })),
        perDay: required(integer({ max: limits.quotaPerDayMax })),
      }),
    ),
  },
  (one, at) => {
    if ((one.kind === 'agent') !== (one.sponsor !== undefined)) {
      return invalid(within(at, 'sponsor'), 'stands there exactly for agents')
    }
    const forAgents = (['scope', 'quota'] as const).find((name) => one[name] !== undefined)
    if (one.kind !== 'agent' && forAgents !== undefined) {
      return invalid(within(at, forAgents), 'is for agents only')
    }
    if (one.kind !== 'service' && one.node !== undefined) {
      return invalid(within(at, 'node'), 'is for services only')
    }
    return null
  },
)

export const key = object<PersonKey>(
  {
    keyId: required(hex32),
    person: required(id),
    algorithm: required(oneOf('ed25519')),
    publicKey: required(base64),
    uses: required(
      setOfStrings(oneOf('propose', 'approve', 'detect', 'analyse'), { min: 1, max: 4 }),
    ),
    proof: optional(anyJson),
    status: required(oneOf('active', 'revoked')),
  },
  (one, at) => {
    const decoded = decodePublicKey(one.publicKey)
    if (decoded.kind === 'refused') return invalid(at, decoded.refusal.message)
    if (decoded.keyId === one.keyId) return null
    return invalid(within(at, 'keyId'), 'is not the SHA-256 of publicKey')
  },
)

export const group = object<Group>({
  name: required(id),
  purpose: required(text(limits.groupPurposeBytesMax)),
  members: required(setOfStrings(id, { max: limits.groupMembersMax })),
})

const usesOf: Readonly<Record<PersonKind, readonly KeyUse[]>> = {
  human: ['approve', 'propose'],
  agent: ['propose'],
  service: ['analyse', 'detect'],
}

/** Agents never approve, humans are no detectors. */
export function judgeUses(one: PersonKey, owner: Person, at: string): Refusal | null {
  const wrong = one.uses.find((use) => !usesOf[owner.kind].includes(use))
  if (wrong === undefined) return null
  return invalid(within(at, 'uses'), `may not hold ${wrong}: ${owner.id} is of kind ${owner.kind}`)
}
