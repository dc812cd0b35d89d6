/**
 * Checks the tables of a LevelDB store before LevelDB reads them. It verifies no checksum of a table
 * by itself, and some damage ends the whole process in an assertion: found first, it is damage like
 * any other. Layout: "leveldb File format" among LevelDB's own documents. Every block has a type byte
 * and the masked CRC-32C of both behind it; the footer leads to the index and the metaindex, these to
 * all other blocks.
 */
import { join } from 'node:path'
import { crc32c, maskedCrc } from './crc32c.js'
import type { Files } from './files.js'
import { liveTables } from './live-tables.js'
import { snappyDecode } from './snappy.js'
import { VarintReader } from './varint-reader.js'

const footerBytes = 48
const magic = 0xdb4775248b80fb57n
const trailerBytes = 5
const compressedBySnappy = 1

/** The damaged tables of the store in this folder, of those that belong to it. */
export async function damagedTables(
  directory: string,
  files: Files,
): Promise<readonly { readonly file: string; readonly problem: string }[]> {
  const damaged: { file: string; problem: string }[] = []
  const live = await liveTables(directory, files)
  for (const name of await files.list(directory)) {
    const number = /^(\d+)\.(?:ldb|sst)$/.exec(name)?.[1]
    if (number === undefined || live?.has(Number(number)) === false) continue
    const file = join(directory, name)
    const opened = await files.open(file, 'read')
    try {
      const problem = problemOf(await opened.read(0, await opened.size()))
      if (problem !== null) damaged.push({ file, problem })
    } finally {
      await opened.close()
    }
  }
  return damaged
}

function problemOf(table: Buffer): string | null {
  if (table.length < footerBytes) return 'is shorter than its footer'
  const footer = table.subarray(table.length - footerBytes)
  if (footer.readBigUInt64LE(footerBytes - 8) !== magic) return 'has no valid footer'
  const reader = new VarintReader(footer)
  for (const name of ['metaindex', 'index']) {
    const block = soundBlock(table, reader.handle())
    const handles = block === null ? null : handlesIn(block)
    if (handles === null) return `has a damaged ${name}`
    const bad = handles.find((handle) => soundBlock(table, handle) === null)
    if (bad !== undefined) return `has a damaged block at byte ${String(bad.offset)}`
  }
  return null
}

interface Handle {
  readonly offset: number
  readonly size: number
}

/** The raw block with its type byte; null when it does not fit its checksum. */
function soundBlock(table: Buffer, { offset, size }: Handle): Buffer | null {
  const end = offset + size + trailerBytes
  if (end > table.length) return null
  const block = table.subarray(offset, offset + size + 1)
  return maskedCrc(crc32c(block)) === table.readUInt32LE(end - 4) ? block : null
}

/** The values of an index block: where other blocks are. Null when it cannot be read. */
function handlesIn(block: Buffer): readonly Handle[] | null {
  const raw = block.subarray(0, -1)
  const content = block.at(-1) === compressedBySnappy ? snappyDecode(raw) : raw
  if (content === null || content.length < 4) return null
  const restarts = content.readUInt32LE(content.length - 4)
  const end = content.length - 4 - 4 * restarts
  if (end < 0) return null
  const reader = new VarintReader(content.subarray(0, end))
  const handles: Handle[] = []
  while (reader.position < end) {
    reader.next()
    const keyBytes = reader.next()
    const valueBytes = reader.next()
    reader.position += keyBytes
    const after = reader.position + valueBytes
    handles.push(reader.handle())
    if (reader.position !== after) return null
  }
  return handles
}
