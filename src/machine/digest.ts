/**
 * The state digest: an additive multiset hash, the sum modulo 2^256 of one SHA-256 for each
 * record. It does not depend on the order of records, and a write costs two additions instead of
 * a walk over the state (Bellare and Micciancio 1997, "AdHASH"). It compares honest nodes; it is
 * no commitment against an attacker who chooses records, for which the audit log has a tree.
 */
import { sha256Hex } from '../signing/index.js'

const digestBits = 256
const encoder = new TextEncoder()
const lengthBytes = 8
/** Bytes of UTF-8 that a UTF-16 code unit takes at the most. */
const utf8BytesMax = 3

/** Where a record is put together: a start hashes every record, and parts of their own cost more. */
let scratch = new Uint8Array(64 * 1024)

/** SHA-256 over both lengths, four bytes each, big endian, the key and the value, as a number. */
export function recordHash(key: string, value: Uint8Array): bigint {
  const needed = lengthBytes + utf8BytesMax * key.length + value.length
  if (scratch.length < needed) scratch = new Uint8Array(2 * needed)
  const keyBytes = encoder.encodeInto(key, scratch.subarray(lengthBytes)).written
  const view = new DataView(scratch.buffer)
  view.setUint32(0, keyBytes)
  view.setUint32(4, value.length)
  const valueAt = lengthBytes + keyBytes
  scratch.set(value, valueAt)
  return BigInt(`0x${sha256Hex(scratch.subarray(0, valueAt + value.length))}`)
}

export class MultisetDigest {
  private sum = 0n

  /** As `hex` gave it. */
  startFrom(hex: string): void {
    this.sum = BigInt(`0x${hex}`)
  }

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
