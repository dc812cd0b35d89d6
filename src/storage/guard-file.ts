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
import { guardLost, openFailure } from './failure.js'
import type { Files, OpenFile } from './files.js'
import { decodeGuardSlot, encodeGuardSlot, guardSlotBytes, type GuardRecord } from './record.js'

export class GuardFile {
  readonly #file: OpenFile

  private constructor(file: OpenFile) {
    this.#file = file
  }

  /** Opens an existing guard; the newer of its valid slots. Throws GUARD_LOST without one. */
  static async open(
    path: string,
    files: Files,
  ): Promise<{ guard: GuardFile; newest: GuardRecord }> {
    const file = await openExisting(path, files)
    try {
      return { guard: new GuardFile(file), newest: await readNewest(path, file) }
    } catch (thrown) {
      await file.close()
      throw openFailure(path, thrown)
    }
  }

  /** Makes the file with both slots allocated, so that a later write changes no metadata. */
  static async create(path: string, first: GuardRecord, files: Files): Promise<void> {
    const file = await files.open(path, 'create')
    try {
      await file.write(Buffer.alloc(2 * guardSlotBytes), 0)
      await file.write(encodeGuardSlot(first), slotOffset(first.generation))
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Durable when it resolves. */
  async write(record: GuardRecord): Promise<void> {
    this.#file.writeSmall(encodeGuardSlot(record), slotOffset(record.generation))
    await this.#file.sync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function slotOffset(generation: number): number {
  return (generation % 2) * guardSlotBytes
}

async function openExisting(path: string, files: Files): Promise<OpenFile> {
  try {
    return await files.open(path, 'update')
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') {
      throw guardLost(path, 'is missing')
    }
    throw openFailure(path, thrown)
  }
}

async function readNewest(path: string, file: OpenFile): Promise<GuardRecord> {
  const bytes = await file.read(0, 2 * guardSlotBytes)
  const size = await file.size()
  if (bytes.length !== 2 * guardSlotBytes || size !== bytes.length) {
    throw guardLost(path, `is ${String(size)} bytes long, not ${String(2 * guardSlotBytes)}`)
  }
  const slots = [0, 1]
    .map((slot) =>
      decodeGuardSlot(bytes.subarray(slot * guardSlotBytes, (slot + 1) * guardSlotBytes)),
    )
    .filter((slot) => slot !== null)
    .sort((a, b) => b.generation - a.generation)
  const newest = slots[0]
  if (newest === undefined) throw guardLost(path, 'has no valid slot')
  return newest
}
