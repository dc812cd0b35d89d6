/**
 * Layout of a snapshot file. Integers are big-endian; a block is
 *
 *   kind u8, number u64, length u32, content, SHA-256("snapshot block", all of that)
 *
 * | block | number    | content                                                             |
 * |-------|-----------|---------------------------------------------------------------------|
 * | head  | 0         | format u8, clusterId 32, index u64, term u64, chain 32,             |
 * |       |           | stateDigest 32, configurationIndex u64, voters, outgoing, learners  |
 * |       |           | (u32 count, then text each), target (u8: known, then as these)      |
 * | part  | 1, 2, ... | 256 KiB of the record stream; the last part is shorter              |
 * | end   | last + 1  | SHA-256("snapshot", digests of all blocks before)                   |
 *
 * The record stream is: key length u32, key as UTF-16 big-endian, value length u32, value; keys in
 * code-unit order. Equal states make equal files, so a transfer may go on from another peer. The
 * digest of the end block fixes every byte before it: it is the digest of the file.
 */
import type { Configuration, LogIndex, Term } from '../raft/index.js'
import { sha256 } from '../signing/index.js'
import { FieldReader, FieldWriter } from './fields.js'
import type { SnapshotHead } from './snapshot-store.js'

export const partBytesMax = 256 * 1024
/** A configuration names at most some dozens of nodes. */
const headBytesMax = 64 * 1024
const frameBytes = 13
const digestBytes = 32
const snapshotFormat = 1

export const blockKinds = ['head', 'part', 'end'] as const
export type BlockKind = (typeof blockKinds)[number]

export interface Block {
  readonly kind: BlockKind
  readonly number: number
  readonly content: Buffer
  readonly digest: Buffer
  /** Of the whole block. */
  readonly bytes: Buffer
}

export function encodeBlock(kind: BlockKind, number: number, content: Uint8Array): Block {
  const frame = new FieldWriter()
    .u8(blockKinds.indexOf(kind))
    .u64(number)
    .u32(content.length)
    .bytes(content)
    .take()
  const digest = digestOf(frame)
  const bytes = Buffer.concat([frame, digest])
  return { kind, number, content: frame.subarray(frameBytes), digest, bytes }
}

export type ReadBlock =
  | { readonly kind: 'block'; readonly block: Block }
  /** So many more bytes are needed to see the whole block. */
  | { readonly kind: 'short'; readonly missing: number }
  | { readonly kind: 'bad'; readonly why: string }

/** The block at the beginning of `bytes`; `number` is what it has to be. */
export function readBlock(bytes: Buffer, number: number): ReadBlock {
  if (bytes.length < frameBytes) return { kind: 'short', missing: frameBytes - bytes.length }
  const reader = new FieldReader(bytes.subarray(0, frameBytes))
  const kind = blockKinds[reader.u8()]
  const found = reader.u64()
  const length = reader.u32()
  const max = kind === 'part' ? partBytesMax : kind === 'head' ? headBytesMax : digestBytes
  if (
    kind === undefined ||
    found !== number ||
    length > max ||
    (kind === 'head') !== (number === 0)
  )
    return { kind: 'bad', why: `block ${String(number)} has no valid beginning` }
  const size = frameBytes + length + digestBytes
  if (bytes.length < size) return { kind: 'short', missing: size - bytes.length }
  const whole = bytes.subarray(0, size)
  const frame = whole.subarray(0, size - digestBytes)
  const digest = whole.subarray(size - digestBytes)
  if (!digest.equals(digestOf(frame))) {
    return { kind: 'bad', why: `block ${String(number)} does not fit its digest` }
  }
  return {
    kind: 'block',
    block: { kind, number, content: frame.subarray(frameBytes), digest, bytes: whole },
  }
}

function digestOf(frame: Uint8Array): Buffer {
  return Buffer.from(sha256(Buffer.from('snapshot block'), frame))
}

/** Content of the end block: what all blocks before it come to. */
export function totalOf(digests: readonly Uint8Array[]): Buffer {
  return Buffer.from(sha256(Buffer.from('snapshot'), ...digests))
}

export function encodeHead(head: SnapshotHead): Buffer {
  const { configuration } = head
  const writer = new FieldWriter()
    .u8(snapshotFormat)
    .hex(head.clusterId, 32)
    .u64(head.index)
    .u64(head.term)
    .hex(head.chain, 32)
    .hex(head.stateDigest, 32)
    .u64(head.configurationIndex)
  for (const ids of [configuration.voters, configuration.outgoing, configuration.learners]) {
    writeIds(writer, ids)
  }
  writer.u8(configuration.target === null ? 0 : 1)
  if (configuration.target !== null) writeIds(writer, configuration.target)
  return writer.take()
}

export function decodeHead(content: Uint8Array): SnapshotHead | null {
  const reader = new FieldReader(content)
  if (reader.u8() !== snapshotFormat) return null
  const clusterId = reader.hex(32)
  const index = reader.u64() as LogIndex
  const term = reader.u64() as Term
  const chain = reader.hex(32)
  const stateDigest = reader.hex(32)
  const configurationIndex = reader.u64() as LogIndex
  const configuration: Configuration = {
    voters: readIds(reader),
    outgoing: readIds(reader),
    learners: readIds(reader),
    target: reader.u8() === 0 ? null : readIds(reader),
  }
  if (!reader.ended()) return null
  return { clusterId, index, term, chain, stateDigest, configurationIndex, configuration }
}

function writeIds(writer: FieldWriter, ids: readonly string[]): void {
  writer.u32(ids.length)
  for (const id of ids) writer.text(id)
}

function readIds(reader: FieldReader): readonly string[] {
  const count = reader.u32()
  const ids: string[] = []
  // An id is at least its length byte, so a wrong count ends with the content.
  for (let at = 0; at < Math.min(count, headBytesMax); at += 1) ids.push(reader.text())
  return ids
}
