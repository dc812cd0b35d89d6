/**
 * Layout of every stored record, in one place. Integers are big-endian, `text` is a length byte
 * and UTF-8, `seal` is SHA-256 over label and content (fields.ts).
 *
 * | record        | fields                                                                       |
 * |---------------|------------------------------------------------------------------------------|
 * | entry         | format u8, index u64, term u64, kind u8, length u32, payload, digest, chain  |
 * | hard state    | format u8, generation u64, term u64, votedFor text, commit u64,              |
 * |               | firstIndex u64, lastIndex u64, lastTerm u64, lastChain 32, seal              |
 * | anchor        | format u8, index u64, term u64, chain 32,                                    |
 * |               | when it was moved: snapshot index u64 and digest 32, seal                    |
 * | identity      | format u8, clusterId 32, nodeId text, incarnation 16, seal                   |
 * | applied point | format u8, index u64, term u64, digest 32, seal                              |
 * | settled point | format u8, index u64, seal                                                   |
 * | written keys  | format u8, from u64, to u64, keys as a JSON array, seal                      |
 * | guard slot    | format u8, generation u64, clusterId 32, incarnation 16, term u64,           |
 * |               | votedFor text, lastIndex u64, lastTerm u64, lastChain 32, zeros to 480, seal |
 *
 * An entry's digest is SHA-256(index, term, kind, length, payload) and its chain value
 * SHA-256(chain before, digest): a wrong digest is a rotten entry, a right digest with a wrong
 * chain value is a missing or replaced neighbour. Equal logs have equal chains on every node.
 */
import type { Entry, EntryKind, LogIndex, Term } from '../raft/index.js'
import { sha256 } from '../signing/index.js'
import { FieldReader, FieldWriter, seal, unseal } from './fields.js'
import type { AppliedPoint } from './state-store.js'

export const storeFormat = 1

export interface Identity {
  /** 32 bytes hex: the digest of genesis. */
  readonly clusterId: string
  readonly nodeId: string
  /** 16 bytes hex: a replaced disk has another one. */
  readonly incarnation: string
}

/** The end of the log and the vote: what must never silently go back. */
export interface LogHead {
  /** +1 with each batch; the copy with the higher one is the newer one. */
  readonly generation: number
  readonly term: number
  readonly votedFor: string | null
  readonly lastIndex: number
  readonly lastTerm: number
  readonly lastChain: Buffer
}

export interface HardStateRecord extends LogHead {
  readonly commit: number
  readonly firstIndex: number
}

export interface GuardRecord extends LogHead {
  readonly clusterId: string
  readonly incarnation: string
}

/** A position of the log and the chain value there. */
export interface ChainPoint {
  readonly index: number
  readonly term: number
  readonly chain: Buffer
}

/** The point from which the log is kept; index 0 until the log is compacted. */
export interface Anchor extends ChainPoint {
  /** The snapshot that covered what was cut off; null at 0. A later one may have replaced it. */
  readonly snapshot: { readonly index: number; readonly digest: string } | null
}

const entryKinds = ['noop', 'command', 'configuration'] as const satisfies readonly EntryKind[]

/** The chain value before the first entry. */
export function chainStart(clusterId: string): Buffer {
  return Buffer.from(sha256(Buffer.from('countersign raft log'), Buffer.from(clusterId, 'hex')))
}

export function chainAfter(previous: Uint8Array, digest: Uint8Array): Buffer {
  return bufferOver(sha256(previous, digest))
}

/** The same bytes, not copied. */
function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

export function entryDigest(entry: Entry): Uint8Array {
  return sha256(entryHead(entry), entry.payload)
}

export function encodeEntry(
  entry: Entry,
  chainBefore: Uint8Array,
): { value: Buffer; chain: Buffer } {
  const head = entryHead(entry)
  const digest = entryDigest(entry)
  const chain = chainAfter(chainBefore, digest)
  const value = Buffer.concat([Buffer.of(storeFormat), head, entry.payload, digest, chain])
  return { value, chain }
}

export type DecodedEntry =
  | { readonly kind: 'ok'; readonly entry: Entry; readonly digest: Buffer; readonly chain: Buffer }
  | { readonly kind: 'bad'; readonly why: string }

/** Every entry of the log passes here at a start: the fields are read in place. */
export function decodeEntry(index: number, value: Uint8Array): DecodedEntry {
  const bytes = bufferOver(value)
  const format = bytes[0] ?? 0
  if (format !== storeFormat) return { kind: 'bad', why: `has format ${String(format)}` }
  const payloadAt = 1 + entryHeadBytes
  const payloadEnd = payloadAt + (bytes.length < payloadAt ? 0 : bytes.readUInt32BE(payloadAt - 4))
  if (bytes.length !== payloadEnd + 64) return { kind: 'bad', why: 'has the wrong length' }
  const storedIndex = Number(bytes.readBigUInt64BE(1))
  const term = Number(bytes.readBigUInt64BE(9))
  const kind = entryKinds[bytes[17] ?? 0]
  if (!Number.isSafeInteger(storedIndex) || !Number.isSafeInteger(term)) {
    return { kind: 'bad', why: 'has an impossible index or term' }
  }
  if (kind === undefined) return { kind: 'bad', why: 'has an unknown kind' }
  if (storedIndex !== index) return { kind: 'bad', why: `says it is entry ${String(storedIndex)}` }
  const payload = bytes.subarray(payloadAt, payloadEnd)
  const digest = bytes.subarray(payloadEnd, payloadEnd + 32)
  // Head and payload stand in the record as the digest takes them.
  if (!digest.equals(sha256(bytes.subarray(1, payloadEnd)))) {
    return { kind: 'bad', why: 'does not fit its digest' }
  }
  const entry: Entry = { index: index as LogIndex, term: term as Term, kind, payload }
  return { kind: 'ok', entry, digest, chain: bytes.subarray(payloadEnd + 32) }
}

const entryHeadBytes = 21

function entryHead(entry: Entry): Buffer {
  const head = Buffer.alloc(entryHeadBytes)
  head.writeBigUInt64BE(BigInt(entry.index), 0)
  head.writeBigUInt64BE(BigInt(entry.term), 8)
  head.writeUInt8(entryKinds.indexOf(entry.kind), 16)
  head.writeUInt32BE(entry.payload.length, 17)
  return head
}

export function encodeHardState(record: HardStateRecord): Buffer {
  const content = new FieldWriter()
    .u8(storeFormat)
    .u64(record.generation)
    .u64(record.term)
    .text(record.votedFor ?? '')
    .u64(record.commit)
    .u64(record.firstIndex)
    .u64(record.lastIndex)
    .u64(record.lastTerm)
    .bytes(record.lastChain)
    .take()
  return seal('hard state', content)
}

export function decodeHardState(bytes: Uint8Array): HardStateRecord | null {
  const reader = openRecord('hard state', bytes)
  if (reader === null) return null
  const record = {
    generation: reader.u64(),
    term: reader.u64(),
    votedFor: reader.text() || null,
    commit: reader.u64(),
    firstIndex: reader.u64(),
    lastIndex: reader.u64(),
    lastTerm: reader.u64(),
    lastChain: reader.bytes(32),
  }
  return reader.ended() ? record : null
}

export function encodeAnchor(anchor: Anchor): Buffer {
  const { index, term, chain, snapshot } = anchor
  const writer = new FieldWriter().u8(storeFormat).u64(index).u64(term).bytes(chain)
  if (snapshot !== null) writer.u64(snapshot.index).hex(snapshot.digest, 32)
  return seal('anchor', writer.take())
}

export function decodeAnchor(bytes: Uint8Array): Anchor | null {
  const reader = openRecord('anchor', bytes)
  if (reader === null) return null
  const point = { index: reader.u64(), term: reader.u64(), chain: reader.bytes(32) }
  // Of a log that was never cut the record ends here, as in directories of before compaction.
  if (reader.ended()) return { ...point, snapshot: null }
  const snapshot = { index: reader.u64(), digest: reader.hex(32) }
  return reader.ended() ? { ...point, snapshot } : null
}

export function encodeIdentity(identity: Identity): Buffer {
  const content = new FieldWriter()
    .u8(storeFormat)
    .hex(identity.clusterId, 32)
    .text(identity.nodeId)
    .hex(identity.incarnation, 16)
    .take()
  return seal('identity', content)
}

export function decodeIdentity(bytes: Uint8Array): Identity | null {
  const reader = openRecord('identity', bytes)
  if (reader === null) return null
  const identity = { clusterId: reader.hex(32), nodeId: reader.text(), incarnation: reader.hex(16) }
  return reader.ended() ? identity : null
}

export function encodeApplied(applied: AppliedPoint): Buffer {
  const content = new FieldWriter()
    .u8(storeFormat)
    .u64(applied.index)
    .u64(applied.term)
    .hex(applied.digest, 32)
    .take()
  return seal('applied', content)
}

export function decodeApplied(bytes: Uint8Array): AppliedPoint | null {
  const reader = openRecord('applied', bytes)
  if (reader === null) return null
  const applied = { index: reader.u64(), term: reader.u64(), digest: reader.hex(32) }
  return reader.ended() ? applied : null
}

/** Up to which index the state store was made durable. */
export function encodeSettled(index: number): Buffer {
  return seal('settled', new FieldWriter().u8(storeFormat).u64(index).take())
}

export function decodeSettled(bytes: Uint8Array): number | null {
  const reader = openRecord('settled', bytes)
  if (reader === null) return null
  const index = reader.u64()
  return reader.ended() ? index : null
}

/** Which records changed between two applied points. */
export interface WrittenKeys {
  readonly from: number
  readonly to: number
  readonly keys: readonly string[]
}

export function encodeWrittenKeys({ from, to, keys }: WrittenKeys): Buffer {
  const content = new FieldWriter()
    .u8(storeFormat)
    .u64(from)
    .u64(to)
    .bytes(Buffer.from(JSON.stringify(keys)))
    .take()
  return seal('written keys', content)
}

export function decodeWrittenKeys(bytes: Uint8Array): WrittenKeys | null {
  const reader = openRecord('written keys', bytes)
  if (reader === null) return null
  const [from, to] = [reader.u64(), reader.u64()]
  const keys = JSON.parse(reader.rest().toString('utf8')) as readonly string[]
  return reader.ended() ? { from, to, keys } : null
}

export const guardSlotBytes = 512
const guardContentBytes = guardSlotBytes - 32

export function encodeGuardSlot(record: GuardRecord): Buffer {
  const content = new FieldWriter()
    .u8(storeFormat)
    .u64(record.generation)
    .hex(record.clusterId, 32)
    .hex(record.incarnation, 16)
    .u64(record.term)
    .text(record.votedFor ?? '')
    .u64(record.lastIndex)
    .u64(record.lastTerm)
    .bytes(record.lastChain)
    .take()
  return seal('guard', Buffer.concat([content, Buffer.alloc(guardContentBytes - content.length)]))
}

export function decodeGuardSlot(bytes: Uint8Array): GuardRecord | null {
  const reader = openRecord('guard', bytes)
  if (reader === null) return null
  return {
    generation: reader.u64(),
    clusterId: reader.hex(32),
    incarnation: reader.hex(16),
    term: reader.u64(),
    votedFor: reader.text() || null,
    lastIndex: reader.u64(),
    lastTerm: reader.u64(),
    lastChain: reader.bytes(32),
  }
}

function openRecord(label: string, bytes: Uint8Array): FieldReader | null {
  const content = unseal(label, bytes)
  if (content === null) return null
  const reader = new FieldReader(content)
  return reader.u8() === storeFormat ? reader : null
}
