/**
 * A small synced file beside LevelDB that remembers term, vote and log end. LevelDB forgets the
 * end of its write-ahead log without an error when one bit of it rots: log and vote then fall back
 * together to a consistent older store, which no check inside that store can see.
 *
 * Two slots are written in turn, so a torn write leaves the slot before it. The guard is written
 * after the batch that it describes and before any reply: a log longer than the guard says was
 * never acknowledged, a store older than the guard is damaged. Written before the batch, every
 * power cut would look like damage.
 */
import { writeSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { damaged, openFailure } from './failure.js'
import { decodeGuardSlot, encodeGuardSlot, guardSlotBytes, type GuardRecord } from './record.js'

export class GuardFile {
  readonly #handle: FileHandle

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Opens an existing guard; the newer of its valid slots. */
  static async open(path: string): Promise<{ guard: GuardFile; newest: GuardRecord }> {
    let handle: FileHandle
    try {
      handle = await open(path, 'r+')
    } catch (thrown) {
      throw openFailure(path, thrown)
    }
    try {
      return { guard: new GuardFile(handle), newest: await readNewest(path, handle) }
    } catch (thrown) {
      await handle.close()
      throw thrown
    }
  }

  /** Makes the file with both slots allocated, so that a later write changes no metadata. */
  static async create(path: string, first: GuardRecord): Promise<void> {
    const handle = await open(path, 'wx', 0o600)
    try {
      await handle.write(Buffer.alloc(2 * guardSlotBytes))
      await handle.write(encodeGuardSlot(first), 0, guardSlotBytes, slotOffset(first.generation))
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Durable when it resolves. The write itself only reaches the page cache: no thread needed. */
  async write(record: GuardRecord): Promise<void> {
    const offset = slotOffset(record.generation)
    writeSync(this.#handle.fd, encodeGuardSlot(record), 0, guardSlotBytes, offset)
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function slotOffset(generation: number): number {
  return (generation % 2) * guardSlotBytes
}

async function readNewest(path: string, handle: FileHandle): Promise<GuardRecord> {
  const bytes = Buffer.alloc(2 * guardSlotBytes)
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
  const { size } = await handle.stat()
  if (bytesRead !== bytes.length || size !== bytes.length) {
    throw damaged(path, 'the guard', `is ${String(size)} bytes long, not ${String(bytes.length)}`)
  }
  const slots = [0, 1]
    .map((slot) =>
      decodeGuardSlot(bytes.subarray(slot * guardSlotBytes, (slot + 1) * guardSlotBytes)),
    )
    .filter((slot) => slot !== null)
    .sort((a, b) => b.generation - a.generation)
  const newest = slots[0]
  if (newest === undefined) {
    throw damaged(path, 'the guard', 'has no valid slot: this node may have voted in a lost term')
  }
  return newest
}
