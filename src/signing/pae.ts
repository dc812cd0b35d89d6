/**
 * What exactly is signed: the DSSE v1.0.2 pre-authentication encoding of a payload type and a body.
 * The type lies inside the signed bytes, so a signature made for one purpose never passes for
 * another.
 */
import { sha256Hex } from './hash.js'

const encoder = new TextEncoder()
const prefix = 'application/vnd.countersign.'
const suffix = '.v1+json'

/** The first fourteen are signed; `rules`, `genesis` and `detached` only separate digests. */
export const payloadWords = [
  'propose',
  'approve',
  'reject',
  'revoke',
  'ratify',
  'withdraw',
  'activate',
  'risk',
  'detect',
  'rollback',
  'stage',
  'recover',
  'ack',
  'stamp',
  'rules',
  'genesis',
  'detached',
] as const

export type PayloadWord = (typeof payloadWords)[number]

const wordByType = new Map<string, PayloadWord>(
  payloadWords.map((word) => [prefix + word + suffix, word]),
)

export function payloadType(word: PayloadWord): string {
  return prefix + word + suffix
}

/** Null for a type that no version of this format knows. */
export function payloadWord(type: string): PayloadWord | null {
  return wordByType.get(type) ?? null
}

/** `DSSEv1 LEN(type) type LEN(body) body`; LEN counts bytes, in decimal. */
export function pae(type: string, body: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `
  const headLength = Buffer.byteLength(head)
  const bytes = new Uint8Array(headLength + body.length)
  encoder.encodeInto(head, bytes)
  bytes.set(body, headLength)
  return bytes
}

/** Names a message for ever: hex SHA-256 of its PAE. For `propose` this is the content digest. */
export function messageDigest(type: string, body: Uint8Array): string {
  return sha256Hex(pae(type, body))
}
