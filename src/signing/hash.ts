import { hash } from 'node:crypto'

/** SHA-256 over the concatenation of the parts. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const { buffer, byteOffset, byteLength } = hash('sha256', joined(parts), 'buffer')
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** The same in lower-case hex. */
export function sha256Hex(...parts: readonly Uint8Array[]): string {
  return hash('sha256', joined(parts), 'hex')
}

/** What is hashed here is small: copying it costs less than a hash object with an update a part. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts)
}
