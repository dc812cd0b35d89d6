/**
 * Public keys travel as SPKI DER (RFC 8410). For Ed25519 that is one fixed prefix and 32 bytes, so
 * nothing needs to be parsed: other bytes are another algorithm, or not DER.
 */
import { refusal, type Refusal } from '../errors.js'
import { fromBase64 } from './base64.js'
import { sha256Hex } from './hash.js'
import { isPrimeOrderPoint, publicKeyBytes } from './verify.js'

/** SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }. */
const spkiPrefix = Uint8Array.of(
  0x30,
  0x2a,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x03,
  0x21,
  0,
)

export type DecodedPublicKey =
  | { readonly kind: 'ok'; readonly publicKey: Uint8Array; readonly keyId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** From strict base64 to the raw 32 bytes. A point of small or mixed order is refused here. */
export function decodePublicKey(spkiBase64: string): DecodedPublicKey {
  const spki = fromBase64(spkiBase64)
  if (spki === null) return refused('is not strict base64 (RFC 4648 section 4, with padding)')
  const publicKey = rawPublicKey(spki)
  if (publicKey === null) return refused('is not the SPKI DER of an Ed25519 key (RFC 8410)')
  if (!isPrimeOrderPoint(publicKey)) {
    return refused('is not a sound Ed25519 key: off the curve, not canonical, or of small order')
  }
  return { kind: 'ok', publicKey, keyId: keyIdOf(spki) }
}

/** Lower-case hex SHA-256 of the SPKI DER. */
export function keyIdOf(spkiDer: Uint8Array): string {
  return sha256Hex(spkiDer)
}

export function spkiOf(rawPublicKey: Uint8Array): Uint8Array {
  const spki = new Uint8Array(spkiPrefix.length + rawPublicKey.length)
  spki.set(spkiPrefix)
  spki.set(rawPublicKey, spkiPrefix.length)
  return spki
}

/** The 32 bytes in an Ed25519 SPKI DER; null for anything else. Says nothing about the point. */
export function rawPublicKey(spkiDer: Uint8Array): Uint8Array | null {
  if (spkiDer.length !== spkiPrefix.length + publicKeyBytes) return null
  if (!spkiPrefix.every((byte, i) => spkiDer[i] === byte)) return null
  return spkiDer.slice(spkiPrefix.length)
}

function refused(why: string): DecodedPublicKey {
  return { kind: 'refused', refusal: refusal('BODY_INVALID', `publicKey ${why}`) }
}
