/**
 * Snapshots as files of one folder. A file is written under a name of its own, synced, read back
 * and verified, renamed to `<index>.snapshot`, and the folder synced: what has that name was whole
 * once. What has another name was interrupted, and is removed on opening.
 */
import { dirname, join } from 'node:path'
import { CountersignError } from '../errors.js'
import { invariant } from '../invariant.js'
import { damaged, openFailure, writeFailure } from './failure.js'
import type { Files } from './files.js'
import { FileSnapshotReceiver } from './snapshot-receiver.js'
import { encodeBlock, encodeHead, totalOf } from './snapshot-file.js'
import { partsOf, recordsOf, type SnapshotRecord } from './snapshot-records.js'
import { blocksOf, SnapshotScan } from './snapshot-scan.js'
import type {
  SnapshotHead,
  SnapshotInfo,
  SnapshotReceiver,
  SnapshotStore,
  StateCheck,
} from './snapshot-store.js'

const snapshotName = /^(\d{16})\.snapshot$/
/** A peer that fetches reads every few seconds at the least; a slower one starts again. */
const heldAfterReadMs = 60_000

export interface SnapshotDamage {
  readonly file: string
  readonly problem: string
}

export interface SnapshotFolder {
  readonly files: Files
  readonly directory: string
  readonly clusterId: string
  /** Monotonic. */
  readonly nowMs?: () => number
}

/** Verifies every snapshot in the folder from the first byte to the last. */
export async function openSnapshotStore(
  folder: SnapshotFolder,
): Promise<{ snapshots: FileSnapshotStore; damages: readonly SnapshotDamage[] }> {
  const { files, directory } = folder
  const damages: SnapshotDamage[] = []
  const found: SnapshotInfo[] = []
  try {
    const names = await files.list(directory)
    // A directory of before snapshots lacks the folder; its name must outlive what is cut for it.
    if (names.length === 0) {
      await files.makeDirectory(directory)
      await files.syncDirectory(dirname(directory))
    }
    for (const name of names) {
      const file = join(directory, name)
      if (!snapshotName.test(name)) {
        await files.remove(file)
        continue
      }
      const verified = await verifySnapshot(folder, file)
      if (typeof verified === 'string') damages.push({ file, problem: verified })
      else if (name !== nameOf(verified.index)) damages.push({ file, problem: 'has another index' })
      else found.push(verified)
    }
  } catch (thrown) {
    throw openFailure(directory, thrown)
  }
  return { snapshots: new FileSnapshotStore(folder, found), damages }
}

/** What the file is, or what is wrong with it. */
async function verifySnapshot(
  { files, clusterId }: SnapshotFolder,
  path: string,
): Promise<SnapshotInfo | string> {
  const file = await files.open(path, 'read')
  try {
    const scan = new SnapshotScan()
    for await (const block of blocksOf(file, scan)) if ('why' in block) return block.why
    const { info } = scan
    if (info === null) return 'ends too early'
    if ((await file.size()) !== info.size) return 'goes on after its end'
    return info.clusterId === clusterId ? info : 'belongs to another cluster'
  } catch (thrown) {
    const failure = openFailure(path, thrown)
    if (failure.code !== 'STORE_DAMAGED') throw failure
    return 'cannot be read'
  } finally {
    await file.close()
  }
}

function nameOf(index: number): string {
  return `${String(index).padStart(16, '0')}.snapshot`
}

export class FileSnapshotStore implements SnapshotStore {
  readonly #folder: SnapshotFolder
  readonly #nowMs: () => number
  readonly #infos = new Map<number, SnapshotInfo>()
  readonly #readAt = new Map<number, number>()
  #receiver: FileSnapshotReceiver | null = null
  #isSaving = false

  constructor(folder: SnapshotFolder, found: readonly SnapshotInfo[]) {
    this.#folder = folder
    this.#nowMs = folder.nowMs ?? (() => performance.now())
    for (const info of found) this.#infos.set(info.index, info)
  }

  latest(atMost = Infinity): SnapshotInfo | null {
    const newest = Math.max(0, ...[...this.#infos.keys()].filter((index) => index <= atMost))
    return this.#infos.get(newest) ?? null
  }

  info(index: number): SnapshotInfo | null {
    return this.#infos.get(index) ?? null
  }

  async save(head: SnapshotHead, records: AsyncIterable<SnapshotRecord>): Promise<SnapshotInfo> {
    invariant(!this.#isSaving, 'Snapshots are saved one by one.')
    this.#isSaving = true
    const draft = join(this.#folder.directory, `${nameOf(head.index)}.saving`)
    const source = new Source(records)
    try {
      await this.#write(draft, head, source)
      const saved = await this.#putInPlace(draft)
      invariant(saved !== null, 'What this node saves was checked while it was written.')
      return saved
    } catch (thrown) {
      await this.#folder.files.remove(draft).catch(() => undefined)
      // An interruption is none of the disk's failures, which end the node.
      throw source.hasFailed ? thrown : writeFailure(draft, thrown)
    } finally {
      this.#isSaving = false
    }
  }

  async #write(
    draft: string,
    head: SnapshotHead,
    records: AsyncIterable<SnapshotRecord>,
  ): Promise<void> {
    const { files, directory } = this.#folder
    await files.makeDirectory(directory)
    await files.remove(draft)
    const file = await files.open(draft, 'create')
    try {
      const digests: Buffer[] = []
      let position = 0
      const append = async (kind: 'head' | 'part' | 'end', content: Uint8Array): Promise<void> => {
        const block = encodeBlock(kind, digests.length, content)
        await file.write(block.bytes, position)
        position += block.bytes.length
        digests.push(block.digest)
      }
      await append('head', encodeHead(head))
      for await (const part of partsOf(records)) await append('part', part)
      await append('end', totalOf(digests))
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Read back, renamed, and only then known. Null when it does not pass the check. */
  async #putInPlace(draft: string, isState?: StateCheck): Promise<SnapshotInfo | null> {
    const { files, directory } = this.#folder
    const info = await verifySnapshot(this.#folder, draft)
    if (typeof info === 'string') throw damaged(draft, 'the snapshot just written', info)
    if (isState !== undefined && !(await isState(info, this.#recordsIn(draft)))) return null
    await files.rename(draft, join(directory, nameOf(info.index)))
    await files.syncDirectory(directory)
    this.#infos.set(info.index, info)
    return info
  }

  async read(index: number, offset: number, length: number): Promise<Uint8Array | null> {
    if (!this.#infos.has(index)) return null
    this.#readAt.set(index, this.#nowMs())
    const path = this.#pathOf(index)
    try {
      const file = await this.#folder.files.open(path, 'read')
      try {
        return await file.read(offset, length)
      } finally {
        await file.close()
      }
    } catch (thrown) {
      throw openFailure(path, thrown)
    }
  }

  async *records(index: number): AsyncIterable<readonly SnapshotRecord[]> {
    invariant(this.#infos.has(index), 'Only a snapshot that is kept is read.', { index })
    yield* this.#recordsIn(this.#pathOf(index))
  }

  async *#recordsIn(path: string): AsyncIterable<readonly SnapshotRecord[]> {
    const file = await this.#folder.files.open(path, 'read').catch((thrown: unknown) => {
      throw openFailure(path, thrown)
    })
    try {
      for await (const records of recordsOf(partContents(path, file))) {
        if (records === null) throw damaged(path, 'the last record', 'ends too early')
        yield records
      }
    } finally {
      await file.close()
    }
  }

  async receive(info: SnapshotInfo): Promise<SnapshotReceiver> {
    const going = this.#receiver
    if (going?.isFor(info) === true) {
      going.goOn()
      return going
    }
    await going?.abort()
    const { files, directory, clusterId } = this.#folder
    if (info.clusterId !== clusterId) {
      throw new CountersignError('FETCHED_DAMAGED', 'The snapshot belongs to another cluster.')
    }
    await files.makeDirectory(directory)
    this.#receiver = await FileSnapshotReceiver.begin({
      files,
      draft: join(directory, `${nameOf(info.index)}.receiving`),
      info,
      putInPlace: (received, isState) => this.#putInPlace(received, isState),
      ended: () => {
        this.#receiver = null
      },
    })
    return this.#receiver
  }

  async removeBelow(index: number): Promise<void> {
    const oldest = this.#nowMs() - heldAfterReadMs
    for (const each of [...this.#infos.keys()]) {
      if (each < index && (this.#readAt.get(each) ?? -Infinity) < oldest) await this.discard(each)
    }
  }

  /** Removes this one, whoever reads it. */
  async discard(index: number): Promise<void> {
    const path = this.#pathOf(index)
    this.#infos.delete(index)
    this.#readAt.delete(index)
    try {
      await this.#folder.files.remove(path)
      await this.#folder.files.syncDirectory(this.#folder.directory)
    } catch (thrown) {
      throw writeFailure(path, thrown)
    }
  }

  async close(): Promise<void> {
    await this.#receiver?.abort()
  }

  #pathOf(index: number): string {
    return join(this.#folder.directory, nameOf(index))
  }
}

async function* partContents(
  path: string,
  file: { read(position: number, length: number): Promise<Buffer> },
): AsyncIterable<Buffer> {
  for await (const block of blocksOf(file, new SnapshotScan())) {
    if ('why' in block) throw damaged(path, 'the snapshot', block.why)
    if (block.kind === 'part') yield block.content
  }
}

/** The records that are saved; whatever is thrown, it is known afterwards whether they threw it. */
class Source implements AsyncIterable<SnapshotRecord> {
  hasFailed = false
  readonly #records: AsyncIterable<SnapshotRecord>

  constructor(records: AsyncIterable<SnapshotRecord>) {
    this.#records = records
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SnapshotRecord> {
    try {
      yield* this.#records
    } catch (thrown) {
      this.hasFailed = true
      throw thrown
    }
  }
}
