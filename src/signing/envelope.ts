/** DSSE v1.0.2 envelopes with exactly one signature: make, check, and the JSON form for files. */
import { refusal, type Refusal } from '../errors.js'
import { fromBase64, fromHex, toBase64 } from './base64.js'
import { encodeCanonical } from './canonical-json.js'
import { pae } from './pae.js'
import type { Envelope, Json, JsonObject, Verify } from './types.js'
import { signatureBytes, verifyStrict } from './verify.js'

/** A private key that signs. It may stand in a file or in hardware; the bytes are never seen. */
export interface Signer {
  /** Lower-case hex SHA-256 of `publicKeySpki`. */
  readonly keyId: string
  /** SPKI DER. */
  readonly publicKeySpki: Uint8Array
  /** 64 bytes, Ed25519. */
  sign(message: Uint8Array): Uint8Array
}

/** The signature alone; that the key may sign this is for the caller to judge. */
export function verifyEnvelope(
  envelope: Envelope,
  publicKey: Uint8Array,
  verify: Verify = verifyStrict,
): boolean {
  return verify(publicKey, pae(envelope.type, envelope.body), envelope.signature)
}

/** Encodes the body canonically and signs it under the full payload type. */
export function signBody(type: string, body: JsonObject, signer: Signer): Envelope {
  const bytes = encodeCanonical(body)
  const signature = signer.sign(pae(type, bytes))
  return { type, body: bytes, signature, keyId: signer.keyId }
}

/** The DSSE JSON envelope. */
export function envelopeToJson(envelope: Envelope): Json {
  return {
    payload: toBase64(envelope.body),
    payloadType: envelope.type,
    signatures: [{ keyid: envelope.keyId, sig: toBase64(envelope.signature) }],
  }
}

export type DecodedEnvelope =
  | { readonly kind: 'ok'; readonly envelope: Envelope }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Exactly the fields of {@link envelopeToJson}, one signature, strict base64. BODY_INVALID. */
export function envelopeFromJson(json: Json): DecodedEnvelope {
  const outer = membersOf(json, ['payload', 'payloadType', 'signatures'])
  if (outer === null) return refused('has exactly payload, payloadType and signatures')
  const type = outer['payloadType']
  if (typeof type !== 'string') return refused('payloadType is a string')
  const signatures = outer['signatures']
  if (!Array.isArray(signatures) || signatures.length !== 1) {
    return refused('signatures holds exactly one signature')
  }
  const inner = membersOf(signatures[0] as Json, ['keyid', 'sig'])
  if (inner === null) return refused('a signature has exactly keyid and sig')
  const body = bytesOf(outer['payload'])
  if (body === null) return refused('payload is strict base64')
  const signature = bytesOf(inner['sig'])
  if (signature?.length !== signatureBytes) return refused('sig is strict base64 of 64 bytes')
  const keyId = inner['keyid']
  if (typeof keyId !== 'string' || fromHex(keyId)?.length !== 32) {
    return refused('keyid is 32 bytes in lower-case hex')
  }
  return { kind: 'ok', envelope: { type, body, signature, keyId } }
}

function membersOf(json: Json, names: readonly string[]): JsonObject | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null
  const found = Object.keys(json)
  return found.length === names.length && found.every((name) => names.includes(name))
    ? (json as JsonObject)
    : null
}

function bytesOf(value: Json | undefined): Uint8Array | null {
  return typeof value === 'string' ? fromBase64(value) : null
}

function refused(why: string): DecodedEnvelope {
  return { kind: 'refused', refusal: refusal('BODY_INVALID', `DSSE envelope: ${why}`) }
}
