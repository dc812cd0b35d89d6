import { createHash } from 'node:crypto'

/** SHA-256 over the concatenation of the parts. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(digestOf(parts))
}

/** The same in lower-case hex. */
export function sha256Hex(...parts: readonly Uint8Array[]): string {
  return digestOf(parts).toString('hex')
}

function digestOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
