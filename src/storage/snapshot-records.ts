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

/** As many at once as the parts hold. Null stands for a stream that ends in the middle of a record. */
export async function* recordsOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly SnapshotRecord[] | null> {
  let rest: Buffer = Buffer.alloc(0)
  let pieces: Uint8Array[] = []
  let pieceBytes = 0
  let needed = 4
  for await (const part of parts) {
    pieces.push(part)
    pieceBytes += part.length
    // A record of many parts is put together once, not once a part.
    if (rest.length + pieceBytes < needed) continue
    const taken = takeRecords(Buffer.concat([rest, ...pieces]))
    pieces = []
    pieceBytes = 0
    rest = taken.rest
    needed = taken.needed
    if (taken.records.length > 0) yield taken.records
  }
  if (rest.length + pieceBytes > 0) yield null
}

/** The values lie in `bytes`, which nobody may change any more. */
function takeRecords(bytes: Buffer): {
  readonly records: readonly SnapshotRecord[]
  readonly rest: Buffer
  /** Bytes that the next record takes, as far as its beginning tells. */
  readonly needed: number
} {
  const records: SnapshotRecord[] = []
  let at = 0
  for (;;) {
    const left = bytes.length - at
    const keyAt = at + 4
    const valueAt = left < 4 ? Infinity : keyAt + bytes.readUInt32BE(at) + 4
    const end = valueAt > bytes.length ? Infinity : valueAt + bytes.readUInt32BE(valueAt - 4)
    if (end > bytes.length) {
      const needed = left < 4 ? 4 : (end === Infinity ? valueAt : end) - at
      return { records, rest: bytes.subarray(at), needed }
    }
    records.push([
      textOfRecordKey(bytes.subarray(keyAt, valueAt - 4)),
      bytes.subarray(valueAt, end),
    ])
    at = end
  }
}

function lengthOf(value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value.length)
  return bytes
}
