/**
 * Keys of the two LevelDB stores and names of the files in a data directory; the layout of the
 * values is in record.ts. LevelDB sorts keys by bytes.
 *
 * | where      | key                                    | value                       |
 * |------------|----------------------------------------|-----------------------------|
 * | `raft/`    | `a`                                    | anchor                      |
 * | `raft/`    | `e` + index, 8 bytes big-endian        | entry, its digest and chain |
 * | `raft/`    | `h`                                    | hard state                  |
 * | `raft/`    | `i`                                    | identity                    |
 * | `state/`   | `m`                                    | applied point               |
 * | `state/`   | `s`                                    | settled point               |
 * | `state/`   | `r` + key, UTF-16 big-endian           | one record of the state     |
 * | `state/`   | `w` + index, 8 bytes big-endian        | keys written up to there    |
 * | `snapshots/` | index, 16 digits, `.snapshot`        | snapshot-file.ts            |
 * | `identity` | -                                      | identity                    |
 * | `guard`    | two slots of 512 bytes                 | guard record each           |
 * | `reserve`  | -                                      | zeros                       |
 *
 * UTF-16 big-endian sorts by code units, as JavaScript compares strings; UTF-8 would not.
 */
export const dataFiles = {
  raft: 'raft',
  state: 'state',
  identity: 'identity',
  guard: 'guard',
  snapshots: 'snapshots',
  reserve: 'reserve',
} as const

const entryPrefix = 0x65 // e
const recordPrefix = 0x72 // r
const writtenPrefix = 0x77 // w

export const raftKeys = {
  anchor: Buffer.from('a'),
  hardState: Buffer.from('h'),
  identity: Buffer.from('i'),
} as const

export const stateKeys = { applied: Buffer.from('m'), settled: Buffer.from('s') } as const

export function entryKey(index: number): Buffer {
  return indexKey(entryPrefix, index)
}

/** Of the keys that a write to the state store named; `index` is that of its applied point. */
export function writtenKey(index: number): Buffer {
  return indexKey(writtenPrefix, index)
}

/** Bounds of these from above `index` on. */
export const writtenAfter = (index: number) =>
  ({ gt: writtenKey(index), lt: Buffer.of(writtenPrefix + 1) }) as const

/** Bounds of these up to `index`. */
export const writtenUpTo = (index: number) =>
  ({ gte: writtenKey(0), lte: writtenKey(index) }) as const

function indexKey(prefix: number, index: number): Buffer {
  const key = Buffer.alloc(9)
  key[0] = prefix
  key.writeBigUInt64BE(BigInt(index), 1)
  return key
}

/** The index of an entry's key; null for any other key. */
export function entryIndexOf(key: Uint8Array): number | null {
  if (key.length !== 9 || key[0] !== entryPrefix) return null
  const { buffer, byteOffset, byteLength } = key
  const index = Number(Buffer.from(buffer, byteOffset, byteLength).readBigUInt64BE(1))
  return Number.isSafeInteger(index) ? index : null
}

/** UTF-16 big-endian. */
export function recordKeyBytes(key: string): Buffer {
  return Buffer.from(key, 'utf16le').swap16()
}

/** An odd last byte belongs to no key that was written. */
export function textOfRecordKey(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 2)
  return Buffer.from(bytes.subarray(0, whole)).swap16().toString('utf16le')
}

export function recordKey(key: string): Buffer {
  return Buffer.concat([Buffer.of(recordPrefix), recordKeyBytes(key)])
}

export function recordKeyText(key: Uint8Array): string {
  return textOfRecordKey(key.subarray(1))
}

/** Bounds of all records of the state: from `gte` on, below `lt`. */
export const recordKeyRange = {
  gte: Buffer.of(recordPrefix),
  lt: Buffer.of(recordPrefix + 1),
} as const

/** A key as a person can read it in a report. */
export function describeRaftKey(key: Uint8Array): string {
  const index = entryIndexOf(key)
  if (index !== null) return `entry ${String(index)}`
  for (const [name, known] of Object.entries(raftKeys)) {
    if (known.equals(key)) return name
  }
  return `unknown key ${Buffer.from(key).toString('hex')}`
}
