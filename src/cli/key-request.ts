/**
 * A key request: the public half of a key and its own signature over an `ack`, which proves that
 * its holder has the private half. It holds no secret; the proposer of the identity change needs it.
 */
import type { KeyUse, PersonKey } from '../approval/index.js'
import { composeAck, sign } from '../client/index.js'
import {
  decodePublicKey,
  envelopeFromJson,
  envelopeToJson,
  toBase64,
  verifyEnvelope,
  type Json,
  type Signer,
} from '../signing/index.js'
import { badInput } from './failures.js'
import { Fields } from './fields.js'

export interface KeyRequest {
  readonly format: 1
  readonly person: string
  readonly keyId: string
  /** SPKI DER in base64. */
  readonly publicKey: string
  readonly uses: readonly KeyUse[]
  /** DSSE envelope of the `ack`. */
  readonly proof: Json
}

export function makeKeyRequest(
  holder: { readonly clusterId: string; readonly person: string; readonly nowMs: number },
  signer: Signer,
  uses: readonly KeyUse[],
): KeyRequest {
  const { clusterId, person, nowMs } = holder
  const ack = composeAck({
    clusterId,
    person,
    keyId: signer.keyId,
    notAfter: nowMs + proofLifetimeMs,
  })
  return {
    format: 1,
    person,
    keyId: signer.keyId,
    publicKey: toBase64(signer.publicKeySpki),
    uses: [...uses].sort(),
    proof: envelopeToJson(sign(ack, signer).envelope),
  }
}

/** A signed message may be valid for 30 days at most; a day is kept for clocks that differ. */
const proofLifetimeMs = 29 * 86_400_000

export function decodeKeyRequest(document: Json, file: string): KeyRequest {
  const fields = new Fields(document, '')
  if (fields.whole('format') !== 1) throw badInput(`${file} is not a key request of format 1.`)
  const request: KeyRequest = {
    format: 1,
    person: fields.text('person'),
    keyId: fields.text('keyId'),
    publicKey: fields.text('publicKey'),
    // The nodes refuse a use that does not exist, or does not suit the person's kind.
    uses: fields.texts('uses') as KeyUse[],
    proof: fields.any('proof') ?? null,
  }
  fields.end()
  const key = decodePublicKey(request.publicKey)
  if (key.kind === 'refused') throw badInput(`${file}: ${key.refusal.message}`)
  if (key.keyId !== request.keyId) throw badInput(`${file}: keyId is not that of publicKey.`)
  const proof = envelopeFromJson(request.proof)
  if (proof.kind === 'refused') throw badInput(`${file}: ${proof.refusal.message}`)
  if (!verifyEnvelope(proof.envelope, key.publicKey)) {
    throw badInput(`${file}: the proof is not a signature of this key.`)
  }
  return request
}

export function keyDocument(request: KeyRequest): PersonKey {
  return {
    keyId: request.keyId,
    person: request.person,
    algorithm: 'ed25519',
    publicKey: request.publicKey,
    uses: request.uses,
    proof: request.proof,
    status: 'active',
  }
}
