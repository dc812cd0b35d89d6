/**
 * What may follow what: documents of a change against the state before and after it. Kinds and
 * owners are for ever, `removed` and `revoked` are final, everybody named exists, and a new key
 * proves that somebody holds it.
 */
import type { Refusal } from '../../errors.js'
import {
  canonicalText,
  envelopeFromJson,
  payloadType,
  rawPublicKey,
  fromBase64,
  verifyEnvelope,
  type Verify,
} from '../../signing/index.js'
import { decodeBody } from '../bodies/decode-body.js'
import { invalid } from '../forms/shape.js'
import { sortedIds, type Governed } from '../governed.js'
import type { Group, Hex32, Person, PersonKey } from '../types.js'
import type { GovernedDocument } from './decode-document.js'
import { judgeUses } from './identity.js'

export interface SuccessionInput {
  readonly before: Governed
  /** {@link overlay} of the documents. */
  readonly after: Governed
  readonly documents: readonly GovernedDocument[]
  readonly clusterId: Hex32
  readonly featureLevel: number
  readonly verify: Verify
}

/** BODY_INVALID with the path's field. */
export function judgeSuccession(input: SuccessionInput): Refusal | null {
  for (const document of input.documents) {
    const fault = judgeOne(document, input)
    if (fault !== null) return fault
  }
  return null
}

function judgeOne(document: GovernedDocument, input: SuccessionInput): Refusal | null {
  switch (document.kind) {
    case 'person':
      return judgePerson(document.person, input)
    case 'key':
      return judgeKey(document.key, input)
    case 'group':
      return document.group === 'deleted' ? null : judgeMembers(document.group, input.after)
    case 'policy':
      return document.policy === 'deleted' && input.before.policy(document.name) === undefined
        ? invalid(`/sys/policies/${document.name}`, 'does not exist')
        : null
    case 'freeze':
    case 'node':
    case 'featureLevel':
      return null
  }
}

function judgePerson(person: Person, { before, after }: SuccessionInput): Refusal | null {
  const at = `/sys/people/${person.id}`
  const old = before.person(person.id)
  if (old !== undefined && old.kind !== person.kind) return invalid(`${at}.kind`, 'never changes')
  if (old?.status === 'removed' && person.status !== 'removed') {
    return invalid(`${at}.status`, 'removed is final; an id is not used again')
  }
  if (person.sponsor !== undefined && after.person(person.sponsor)?.kind !== 'human') {
    return invalid(`${at}.sponsor`, `${person.sponsor} is not a known human`)
  }
  if (person.node === undefined || person.status === 'removed') return null
  const beside = [...after.people()].filter(
    ({ id, node, status }) => id !== person.id && node === person.node && status !== 'removed',
  )
  const [other] = sortedIds(beside.map(({ id }) => id))
  if (other === undefined) return null
  return invalid(`${at}.node`, `${other} runs beside ${person.node} already`)
}

function judgeKey(key: PersonKey, input: SuccessionInput): Refusal | null {
  const at = `/sys/keys/${key.keyId}`
  const owner = input.after.person(key.person)
  if (owner === undefined) return invalid(`${at}.person`, `${key.person} is not known`)
  const uses = judgeUses(key, owner, at)
  if (uses !== null) return uses
  const old = input.before.key(key.keyId)
  if (old === undefined) return judgeNewKey(key, at, input)
  if (textOf(old.proof) !== textOf(key.proof)) {
    return invalid(`${at}.proof`, 'stays as it was at registration')
  }
  if (old.person !== key.person) return invalid(`${at}.person`, 'owns the key for ever')
  if (old.status === 'revoked' && key.status !== 'revoked') {
    return invalid(`${at}.status`, 'revoked is final')
  }
  return null
}

function textOf(proof: PersonKey['proof']): string {
  return proof === undefined ? '' : canonicalText(proof)
}

function judgeNewKey(key: PersonKey, at: string, input: SuccessionInput): Refusal | null {
  if (key.status !== 'active') return invalid(`${at}.status`, 'must be active in a new key')
  if (input.before.isNodeKey(key.publicKey)) {
    return invalid(`${at}.publicKey`, 'is the key of a node; it can never speak for a person')
  }
  return judgeProof(key, at, input)
}

/** An `ack` of this cluster, by the key itself, over its own person and id: possession. */
function judgeProof(key: PersonKey, at: string, input: SuccessionInput): Refusal | null {
  const where = `${at}.proof`
  if (key.proof === undefined) return invalid(where, 'is missing: an ack signed by the new key')
  const decoded = envelopeFromJson(key.proof)
  if (decoded.kind === 'refused') return invalid(where, decoded.refusal.message)
  const { envelope } = decoded
  if (envelope.type !== payloadType('ack')) return invalid(where, 'is not of type ack')
  const body = decodeBody(envelope, input.featureLevel)
  if (body.kind === 'refused') return invalid(where, body.refusal.message)
  if (body.signed.word !== 'ack') return invalid(where, 'is not of type ack')
  const { clusterId, person, keyId } = body.signed.body
  if (clusterId !== input.clusterId) return invalid(where, `was made for cluster ${clusterId}`)
  if (person !== key.person || keyId !== key.keyId) {
    return invalid(where, 'speaks for another person or key')
  }
  const publicKey = rawPublicKey(fromBase64(key.publicKey) ?? new Uint8Array())
  if (publicKey !== null && verifyEnvelope(envelope, publicKey, input.verify)) return null
  return invalid(where, 'is not signed by the new key')
}

function judgeMembers(group: Group, after: Governed): Refusal | null {
  const at = `/sys/groups/${group.name}.members`
  const unknown = group.members.find((member) => after.person(member) === undefined)
  return unknown === undefined ? null : invalid(at, `${unknown} is not a known person`)
}
