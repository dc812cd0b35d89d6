/** The record stream of a snapshot, cut into parts and put together again (snapshot-file.ts). */
import { recordKeyBytes, textOfRecordKey } from './keys.js'
import { partBytesMax } from './snapshot-file.js'

export type SnapshotRecord = readonly [key: string, value: Uint8Array]

/** Parts of exactly {@link partBytesMax} bytes; the last may be shorter. None without records. */
export async function* partsOf(records: AsyncIterable<SnapshotRecord>): AsyncIterable<Buffer> {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  for await (const [key, value] of records) {
    const keyBytes = recordKeyBytes(key)
    for (const piece of [lengthOf(keyBytes), keyBytes, lengthOf(value), Buffer.from(value)]) {
      waiting.push(piece)
      waitingBytes += piece.length
    }
    if (waitingBytes < partBytesMax) continue
    const bytes = Buffer.concat(waiting)
    const whole = waitingBytes - (waitingBytes % partBytesMax)
    for (let at = 0; at < whole; at += partBytesMax) yield bytes.subarray(at, at + partBytesMax)
    waiting = [Buffer.from(bytes.subarray(whole))]
    waitingBytes -= whole
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting)
}

/** Null stands for a stream that ends in the middle of a record. */
export async function* recordsOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncIterable<SnapshotRecord | null> {
  let rest = Buffer.alloc(0)
  let pieces: Uint8Array[] = []
  let pieceBytes = 0
  let needed = 4
  for await (const part of parts) {
    pieces.push(part)
    pieceBytes += part.length
    // A record of many parts is put together once, not once a part.
    if (rest.length + pieceBytes < needed) continue
    rest = Buffer.concat([rest, ...pieces])
    pieces = []
    pieceBytes = 0
    for (;;) {
      const found = takeRecord(rest)
      if ('needed' in found) {
        needed = found.needed
        break
      }
      rest = rest.subarray(found.bytes)
      yield found.record
    }
  }
  if (rest.length + pieceBytes > 0) yield null
}

function takeRecord(
  bytes: Buffer,
): { readonly needed: number } | { readonly record: SnapshotRecord; readonly bytes: number } {
  if (bytes.length < 4) return { needed: 4 }
  const valueAt = 4 + bytes.readUInt32BE(0) + 4
  if (bytes.length < valueAt) return { needed: valueAt }
  const end = valueAt + bytes.readUInt32BE(valueAt - 4)
  if (bytes.length < end) return { needed: end }
  const key = textOfRecordKey(bytes.subarray(4, valueAt - 4))
  return { record: [key, Buffer.from(bytes.subarray(valueAt, end))], bytes: end }
}

function lengthOf(value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value.length)
  return bytes
}
