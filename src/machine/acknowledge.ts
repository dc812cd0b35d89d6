import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { AckBody } from '../approval/index.js'
import { invariant } from '../invariant.js'
import { envelopeFromJson, messageDigest } from '../signing/index.js'
import type { Admitted } from './message.js'
import type { FirstResult } from './records.js'
import type { Step } from './step.js'

/** A pending key says which history it joined and becomes able to act. */
export function acknowledge(step: Step, admitted: Admitted, body: AckBody): Refusal | FirstResult {
  const { state, index } = step
  const key = state.keys.get(body.keyId)
  invariant(key !== undefined, 'A registered key has no key record.', { keyId: body.keyId })
  if (key.acknowledgedAt !== undefined) {
    return refusal('TRANSITION_NOT_ALLOWED', `The key ${body.keyId} is acknowledged already.`)
  }
  if (isProof(admitted)) {
    return refusal(
      'REPLAYED',
      'This is the proof of possession, made before the registration. Sign a new acknowledgement.',
    )
  }
  state.keys.put(body.keyId, { ...key, acknowledgedAt: state.logTime })
  step.events.push({ kind: 'acknowledged', person: body.person, keyId: body.keyId })
  return { kind: 'accepted', index }
}

/** Everybody can read the proof of a key and send it in; only its holder can sign another one. */
function isProof({ key, messageDigest: digest }: Admitted): boolean {
  if (key.proof === undefined) return false
  const proof = envelopeFromJson(key.proof)
  if (proof.kind === 'refused') return false
  return messageDigest(proof.envelope.type, proof.envelope.body) === digest
}
