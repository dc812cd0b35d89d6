/**
 * Detached parts: values, rationales and comments that are signed by digest only. They travel
 * beside the envelope and may be deleted later; every signature stays valid. The salt keeps a short
 * text from being guessed from its digest.
 */
import { refusal, type Refusal } from '../errors.js'
import { fromHex } from './base64.js'
import { decodeCanonical, encodeCanonical, valueDepthMax } from './canonical-json.js'
import { messageDigest, payloadType } from './pae.js'
import type { Json } from './types.js'

/** The part is one object around its value. */
const depthMax = valueDepthMax + 1

export interface Detached {
  /** Canonical JSON `{salt, value}`. */
  readonly bytes: Uint8Array
  readonly digest: string
  /** Length of `bytes`. */
  readonly size: number
}

/** `salt` is 16 random bytes in lower-case hex; throws RangeError on another form. */
export function encodeDetached(value: Json, salt: string): Detached {
  if (!isSalt(salt)) throw new RangeError('a salt is 16 bytes in lower-case hex')
  const bytes = encodeCanonical({ salt, value }, { depthMax })
  return { bytes, digest: detachedDigest(bytes), size: bytes.length }
}

/** SHA-256 of the PAE of the part under its own type, in hex. */
export function detachedDigest(bytes: Uint8Array): string {
  return messageDigest(payloadType('detached'), bytes)
}

export type DecodedDetached =
  | { readonly kind: 'ok'; readonly salt: string; readonly value: Json }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export function decodeDetached(bytes: Uint8Array): DecodedDetached {
  const decoded = decodeCanonical(bytes, { depthMax })
  if (decoded.kind === 'refused') return decoded
  const part = decoded.value
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return refused()
  const { salt, value, ...others } = part as Record<string, Json>
  if (value === undefined || !isSalt(salt) || Object.keys(others).length > 0) return refused()
  return { kind: 'ok', salt, value }
}

function isSalt(salt: Json | undefined): salt is string {
  return typeof salt === 'string' && fromHex(salt)?.length === 16
}

function refused(): DecodedDetached {
  const message = 'a detached part is exactly {salt: 16 bytes in hex, value}'
  return { kind: 'refused', refusal: refusal('BODY_INVALID', message) }
}
