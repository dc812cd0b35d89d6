/**
 * The one place where a signature is checked. All nodes must agree on every input for ever, so the
 * rule is fixed here and not left to a library's taste (RFC 8032 leaves room; so do libraries):
 *
 * - S < L, so a signature has one form only;
 * - R and A are canonical encodings (y < p), and neither has small order;
 * - the equation holds without the cofactor: R' = S*B - h*A encodes to exactly the bytes of R.
 *
 * libsodium does the arithmetic; the conditions that it has changed over its versions are tested
 * before it is asked.
 */
import sodium from 'sodium-native'
import type { Verify } from './types.js'

export const publicKeyBytes = 32
export const signatureBytes = 64

/** L, the order of the base point, little-endian (RFC 8032, 5.1). */
const order = littleEndian('1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed')
/** p = 2^255 - 19. */
const prime = littleEndian('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed')

/** y coordinates of the eight points of small order; x and its sign do not matter. */
const smallOrderY: readonly Uint8Array[] = [
  littleEndian('0000000000000000000000000000000000000000000000000000000000000000'),
  littleEndian('0000000000000000000000000000000000000000000000000000000000000001'),
  littleEndian('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec'),
  littleEndian('05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826'),
  littleEndian('7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7'),
]

/** Strict Ed25519; see the rule above. Deterministic; never throws, whatever the lengths. */
export const verifyStrict: Verify = (publicKey, message, signature) => {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
  if (!isBelow(signature.subarray(32), order)) return false
  if (!isSoundPoint(signature.subarray(0, 32)) || !isSoundPoint(publicKey)) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}

/** On the curve, canonical, in the prime-order group: what a key must be to be registered. */
export function isPrimeOrderPoint(publicKey: Uint8Array): boolean {
  return publicKey.length === publicKeyBytes && sodium.crypto_core_ed25519_is_valid_point(publicKey)
}

/** A canonical encoding of no point of small order. Whether it lies on the curve is seen later. */
function isSoundPoint(encoded: Uint8Array): boolean {
  const y = Uint8Array.from(encoded)
  // The top bit is the sign of x.
  y[31] = (y[31] as number) & 0x7f
  return isBelow(y, prime) && !smallOrderY.some((small) => isEqual(y, small))
}

function isBelow(number: Uint8Array, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (number[i] as number) - (bound[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i])
}

function littleEndian(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex')).reverse()
}
