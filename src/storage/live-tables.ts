/**
 * Which tables a LevelDB store consists of, from its MANIFEST. A process that ends during a
 * compaction leaves an unfinished table behind, which belongs to nothing: LevelDB removes it when it
 * opens the store, and it must not be taken for damage.
 *
 * Layout: "leveldb Log format" among LevelDB's own documents, and db/version_edit.cc.
 */
import { join } from 'node:path'
import { crc32c, maskedCrc } from './crc32c.js'
import type { Files } from './files.js'
import { VarintReader } from './varint-reader.js'

const blockBytes = 32 * 1024
const headerBytes = 7
const recordTypes = { full: 1, first: 2, middle: 3, last: 4 } as const
const tags = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  prevLogNumber: 9,
} as const

/** Their numbers; null when that cannot be told, and LevelDB will not open such a store either. */
export async function liveTables(
  directory: string,
  files: Files,
): Promise<ReadonlySet<number> | null> {
  const names = await files.list(directory)
  if (!names.includes('CURRENT')) return null
  const current = (await readWhole(join(directory, 'CURRENT'), files)).toString('latin1')
  const manifest = current.trimEnd()
  if (!names.includes(manifest)) return null
  const live = new Set<number>()
  for (const edit of recordsIn(await readWhole(join(directory, manifest), files))) {
    if (edit === null || !follow(edit, live)) return null
  }
  return live
}

async function readWhole(path: string, files: Files): Promise<Buffer> {
  const file = await files.open(path, 'read')
  try {
    return await file.read(0, await file.size())
  } finally {
    await file.close()
  }
}

/** Whole records. A torn end was never acknowledged; null is one that does not fit its checksum. */
function* recordsIn(log: Buffer): Generator<Buffer | null> {
  let parts: Buffer[] = []
  let at = 0
  while (at + headerBytes <= log.length) {
    const left = blockBytes - (at % blockBytes)
    if (left < headerBytes) {
      at += left
      continue
    }
    const length = log.readUInt16LE(at + 4)
    const type = log[at + 6] ?? 0
    const end = at + headerBytes + length
    if (end > log.length) return
    if (
      headerBytes + length > left ||
      maskedCrc(crc32c(log.subarray(at + 6, end))) !== log.readUInt32LE(at)
    ) {
      yield null
      return
    }
    if (type === recordTypes.full || type === recordTypes.first) parts = []
    parts.push(log.subarray(at + headerBytes, end))
    if (type === recordTypes.full || type === recordTypes.last) yield Buffer.concat(parts)
    at = end
  }
}

/** False for what no known LevelDB writes. */
function follow(edit: Buffer, live: Set<number>): boolean {
  const reader = new VarintReader(edit)
  const skipBytes = (): void => {
    const length = reader.next()
    reader.position += length
  }
  while (reader.position < edit.length) {
    switch (reader.next()) {
      case tags.comparator:
        skipBytes()
        break
      case tags.logNumber:
      case tags.nextFileNumber:
      case tags.lastSequence:
      case tags.prevLogNumber:
        reader.next()
        break
      case tags.compactPointer:
        reader.next()
        skipBytes()
        break
      case tags.deletedFile:
        reader.next()
        live.delete(reader.next())
        break
      case tags.newFile:
        reader.next()
        live.add(reader.next())
        reader.next()
        skipBytes()
        skipBytes()
        break
      default:
        return false
    }
  }
  return reader.position === edit.length
}
