/**
 * Fixed-width fields, integers big-endian, and the seal that ends a record: SHA-256 over a label
 * and the content. The label keeps a record of one kind from passing for another.
 */
import { invariant } from '../invariant.js'
import { sha256 } from '../signing/index.js'

export class FieldWriter {
  readonly #parts: Uint8Array[] = []

  u8(value: number): this {
    this.#parts.push(Buffer.of(value))
    return this
  }

  u32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    this.#parts.push(bytes)
    return this
  }

  u64(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, 'A stored number is a safe integer.', {
      value,
    })
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value))
    this.#parts.push(bytes)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(value)
    return this
  }

  /** Lower-case hex of a fixed width, stored as bytes. */
  hex(value: string, length: number): this {
    const bytes = Buffer.from(value, 'hex')
    invariant(bytes.length === length, 'A stored digest has its full width.', { value, length })
    return this.bytes(bytes)
  }

  /** One length byte, then UTF-8. Empty stands for null where a field may be absent. */
  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    invariant(bytes.length <= 255, 'A stored name is at most 255 bytes.', { value })
    return this.u8(bytes.length).bytes(bytes)
  }

  take(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Reads what {@link FieldWriter} wrote; anything that does not fit makes `ended` false. */
export class FieldReader {
  readonly #bytes: Buffer
  #offset = 0
  #fits = true

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(): number {
    return this.#take(1)?.readUInt8() ?? 0
  }

  u32(): number {
    return this.#take(4)?.readUInt32BE() ?? 0
  }

  u64(): number {
    const value = Number(this.#take(8)?.readBigUInt64BE() ?? 0n)
    if (!Number.isSafeInteger(value)) this.#fits = false
    return value
  }

  bytes(length: number): Buffer {
    return this.#take(length) ?? Buffer.alloc(0)
  }

  /** All that is left. */
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#offset)
  }

  hex(length: number): string {
    return this.bytes(length).toString('hex')
  }

  text(): string {
    return this.bytes(this.u8()).toString('utf8')
  }

  /** True when every field was there and nothing is left over. */
  ended(): boolean {
    return this.#fits && this.#offset === this.#bytes.length
  }

  #take(length: number): Buffer | null {
    const end = this.#offset + length
    if (!this.#fits || end > this.#bytes.length) {
      this.#fits = false
      return null
    }
    const part = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return part
  }
}

const sealBytes = 32

export function seal(label: string, content: Uint8Array): Buffer {
  return Buffer.concat([content, sha256(Buffer.from(label), content)])
}

/** The content under a seal; null when the seal does not fit. */
export function unseal(label: string, sealed: Uint8Array): Buffer | null {
  if (sealed.length < sealBytes) return null
  const content = Buffer.from(sealed.subarray(0, sealed.length - sealBytes))
  const digest = sha256(Buffer.from(label), content)
  return Buffer.from(sealed.subarray(sealed.length - sealBytes)).equals(digest) ? content : null
}
