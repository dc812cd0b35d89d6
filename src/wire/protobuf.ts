/**
 * The one place that touches protobufjs. Without `Long` a uint64 decodes to a plain number, and a
 * value past 2^53 rounds without a word; therefore every decoded uint64 goes through
 * {@link safeInteger}. Every codec of this room imports the generated code from here, never from
 * generated/, so that the library is configured before that code loads.
 */
import './without-long.js'
import protobuf from 'protobufjs/minimal.js'
import { CountersignError } from '../errors.js'

export { countersign, google } from './generated/countersign.js'

/** What a decoder throws about bytes that do not say what they should: MALFORMED_REQUEST. */
export function malformed(message: string, cause?: unknown): CountersignError {
  return new CountersignError('MALFORMED_REQUEST', message, cause === undefined ? {} : { cause })
}

/** A decoded uint64; absent means 0, as in proto3. Refuses what a double cannot hold exactly. */
export function safeInteger(value: number | null | undefined, field: string): number {
  const number = value ?? 0
  if (!Number.isSafeInteger(number) || number < 0) {
    throw malformed(`${field} is not an integer from 0 to 2^53-1`)
  }
  return number
}

interface Decoder<T> {
  decode(reader: protobuf.Reader | Uint8Array, length?: number): T
}

export interface DecodeOptions {
  /** Keep fields that this build does not know in `$unknowns`, to notice a newer writer. */
  readonly keepUnknown?: boolean
}

/** Decodes hostile bytes: whatever protobufjs throws becomes MALFORMED_REQUEST. */
export function decodeBytes<T>(
  type: Decoder<T>,
  bytes: Uint8Array,
  what: string,
  options: DecodeOptions = {},
): T {
  try {
    const reader = new protobuf.Reader(plain(bytes))
    reader.discardUnknown = options.keepUnknown !== true
    return type.decode(reader)
  } catch (error) {
    throw malformed(`${what} cannot be decoded`, error)
  }
}

/** First varint field with this number among the top-level fields; undefined when absent. */
export function peekVarint(bytes: Uint8Array, field: number): number | undefined {
  try {
    const reader = new protobuf.Reader(plain(bytes))
    while (reader.pos < reader.len) {
      const tag = reader.tag()
      if (tag >>> 3 === field && (tag & 7) === 0) return reader.uint32()
      reader.skipType(tag & 7, 0, tag >>> 3)
    }
  } catch {
    return undefined
  }
  return undefined
}

interface Encoder<P> {
  encode(message: P, writer?: protobuf.Writer): protobuf.Writer
}

/** A plain Uint8Array of its own memory: protobufjs hands out slices of a shared pool. */
export function encodeBytes<P>(type: Encoder<P>, message: P): Uint8Array {
  return new Uint8Array(type.encode(message).finish())
}

/** The same, without the copy: for bytes that leave at once. */
export function encodeView<P>(type: Encoder<P>, message: P): Uint8Array {
  return type.encode(message).finish()
}

/** A Buffer's own `subarray` makes Buffers; seen as a Uint8Array it makes plain arrays. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
