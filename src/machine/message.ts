/**
 * Checks 1 to 6 of every signed message (docs/approval-model.md): what can be said without believing
 * the sender. A failure here is noise: it is counted, it changes nothing, and in the log it accuses
 * the leader.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { Hex32, Person, PersonKey } from '../approval/index.js'
import type { Envelope, Json, Verify } from '../signing/index.js'
import type { Law } from './law.js'
import type { Message, Read } from './reading.js'
import type { State } from './state.js'

/** A message whose bytes, cluster, key and signature are in order. */
export interface Admitted {
  readonly message: Message
  readonly messageDigest: Hex32
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  /** Values of the detached parts by digest. */
  readonly parts: ReadonlyMap<Hex32, Json>
  readonly person: Person
  readonly key: PersonKey
}

export type Admission =
  | { readonly kind: 'admitted'; readonly admitted: Admitted }
  | { readonly kind: 'noise'; readonly refusal: Refusal }

export function admit(law: Law, state: State, read: Read, verify: Verify): Admission {
  if (read.kind === 'refused') return noise(read.refusal)
  const { reading } = read
  const { message, messageDigest, envelope, detached, parts } = reading
  const { clusterId, person: personId, keyId } = message.body
  if (clusterId !== law.clusterId) {
    return noise(
      refusal('WRONG_CLUSTER', `Signed for cluster ${clusterId}; this is ${law.clusterId}.`, {
        signedFor: clusterId,
        clusterId: law.clusterId,
      }),
    )
  }
  const key = state.governance.key(keyId)
  if (key === undefined) {
    return noise(refusal('UNKNOWN_KEY', `No person owns the key ${keyId}.`, { field: 'keyId' }))
  }
  const person = state.governance.person(key.person)
  if (person === undefined || key.person !== personId) {
    return noise(
      refusal('UNKNOWN_KEY', `The key ${keyId} does not belong to ${personId}.`, {
        field: 'person',
      }),
    )
  }
  if (!reading.isSignedBy(state.governance.publicKey(keyId), verify)) {
    return noise(
      refusal('BAD_SIGNATURE', `The signature of ${personId} does not verify over these bytes.`, {
        field: 'signature',
        keyId,
      }),
    )
  }
  return {
    kind: 'admitted',
    admitted: { message, messageDigest, envelope, detached, parts, person, key },
  }
}

function noise(refused: Refusal): Admission {
  return { kind: 'noise', refusal: refused }
}
