/** Reads the blocks of one snapshot in order and tells when they are a whole, sound file. */
import { decodeHead, readBlock, totalOf, type Block } from './snapshot-file.js'
import type { SnapshotHead, SnapshotInfo } from './snapshot-store.js'

export class SnapshotScan {
  #head: SnapshotHead | null = null
  #digests: Buffer[] = []
  #bytes = 0
  #digest: string | null = null

  /** Bytes of the blocks that were taken. */
  get bytes(): number {
    return this.#bytes
  }

  get head(): SnapshotHead | null {
    return this.#head
  }

  /** What the whole file is; null until its end block was taken. */
  get info(): SnapshotInfo | null {
    if (this.#head === null || this.#digest === null) return null
    return { ...this.#head, size: this.#bytes, digest: this.#digest }
  }

  /**
   * The next block, when `bytes` begins with it: taken, if it is sound and in its place. `missing`
   * counts the bytes still needed.
   */
  take(
    bytes: Buffer,
  ): { readonly block: Block } | { readonly missing: number } | { readonly why: string } {
    if (this.#digest !== null) return { why: 'goes on after its end' }
    const read = readBlock(bytes, this.#digests.length)
    if (read.kind === 'bad') return { why: read.why }
    if (read.kind === 'short') return { missing: read.missing }
    const { block } = read
    if (block.kind === 'head') {
      this.#head = decodeHead(block.content)
      if (this.#head === null) return { why: 'has a head of an unknown format' }
    }
    if (block.kind === 'end') {
      if (!block.content.equals(totalOf(this.#digests)))
        return { why: 'has lost or changed blocks' }
      this.#digest = block.digest.toString('hex')
    }
    // A copy: it would keep the whole block.
    this.#digests.push(Buffer.from(block.digest))
    this.#bytes += block.bytes.length
    return { block }
  }
}

/** Blocks of an open file, one read each; ends at the end block, at damage, or at a short file. */
export async function* blocksOf(
  file: { read(position: number, length: number): Promise<Buffer> },
  scan: SnapshotScan,
): AsyncIterable<Block | { readonly why: string }> {
  let length = readAheadBytes
  while (scan.info === null) {
    const bytes = await file.read(scan.bytes, length)
    const taken = scan.take(bytes)
    if ('missing' in taken) {
      if (bytes.length < length) {
        yield { why: 'ends too early' }
        return
      }
      length += taken.missing
      continue
    }
    yield 'block' in taken ? taken.block : taken
    if ('why' in taken) return
  }
}

/** A whole part with its frame. */
const readAheadBytes = 256 * 1024 + 45
