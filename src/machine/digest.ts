/**
 * The state digest: an additive multiset hash, the sum modulo 2^256 of one SHA-256 for each
 * record. It does not depend on the order of records, and a write costs two additions instead of
 * a walk over the state (Bellare and Micciancio 1997, "AdHASH"). It compares honest nodes; it is
 * no commitment against an attacker who chooses records, for which the audit log has a tree.
 */
import { sha256Hex } from '../signing/index.js'

const digestBits = 256
const encoder = new TextEncoder()

/** SHA-256 over both lengths, the key and the value, as a number. */
export function recordHash(key: string, value: Uint8Array): bigint {
  const keyBytes = encoder.encode(key)
  return BigInt(`0x${sha256Hex(lengths(keyBytes, value), keyBytes, value)}`)
}

export class MultisetDigest {
  private sum = 0n

  add(hash: bigint): void {
    this.sum = BigInt.asUintN(digestBits, this.sum + hash)
  }

  remove(hash: bigint): void {
    this.sum = BigInt.asUintN(digestBits, this.sum - hash)
  }

  /** 32 bytes in lower-case hex. */
  hex(): string {
    return this.sum.toString(16).padStart(64, '0')
  }
}

/** Four bytes each, big endian. */
function lengths(key: Uint8Array, value: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(8)
  const view = new DataView(prefix.buffer)
  view.setUint32(0, key.length)
  view.setUint32(4, value.length)
  return prefix
}
