/**
 * The replicated state in LevelDB: one record a key, and the applied point in the same batch. The
 * writes are not synced, so after a power cut this store may be older than it was, or have a hole.
 * That is no fault: everything in it can be made again from the log, so a store that cannot be
 * opened or read is thrown away, never repaired.
 */
import { invariant } from '../invariant.js'
import { systemDisk, type BinaryLevel, type Disk } from './disk.js'
import { damaged, openFailure, writeFailure } from './failure.js'
import { recordKey, recordKeyRange, recordKeyText, stateKeys } from './keys.js'
import { decodeApplied, encodeApplied } from './record.js'
import { damagedTables } from './table-check.js'
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'

export async function openLevelStateStore(file: string, disk = systemDisk): Promise<StateStore> {
  try {
    const [table] = await damagedTables(file, disk.files)
    if (table !== undefined) throw damaged(table.file, 'the table', table.problem)
    const db = await disk.openLevel(file, { createIfMissing: true })
    return new LevelStateStore(file, db, disk)
  } catch (thrown) {
    const failure = openFailure(file, thrown)
    if (failure.code !== 'STORE_DAMAGED') throw failure
  }
  return new LevelStateStore(file, await recreate(file, disk), disk)
}

async function recreate(file: string, disk: Disk): Promise<BinaryLevel> {
  try {
    await disk.files.remove(file)
    return await disk.openLevel(file, { createIfMissing: true })
  } catch (thrown) {
    throw openFailure(file, thrown)
  }
}

class LevelStateStore implements StateStore {
  readonly #file: string
  readonly #disk: Disk
  #db: BinaryLevel
  #failure: Error | null = null

  constructor(file: string, db: BinaryLevel, disk: Disk) {
    this.#file = file
    this.#db = db
    this.#disk = disk
  }

  /** A damaged applied point counts as none: the caller rebuilds. */
  async readApplied(): Promise<AppliedPoint | null> {
    try {
      // The declared type leaves out what a missing key gives.
      const bytes = (await this.#db.get(stateKeys.applied)) as Buffer | undefined
      return bytes === undefined ? null : decodeApplied(bytes)
    } catch (thrown) {
      throw openFailure(this.#file, thrown)
    }
  }

  async *readAll(): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    try {
      for await (const [key, value] of this.#db.iterator({ ...recordKeyRange, fillCache: false })) {
        yield [recordKeyText(key), value]
      }
    } catch (thrown) {
      throw openFailure(this.#file, thrown)
    }
  }

  async write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    try {
      await this.#db.batch([
        ...writes.map(({ key, value }) =>
          value === null
            ? ({ type: 'del', key: recordKey(key) } as const)
            : ({ type: 'put', key: recordKey(key), value: Buffer.from(value) } as const),
        ),
        { type: 'put', key: stateKeys.applied, value: encodeApplied(applied) },
      ])
    } catch (thrown) {
      this.#failure = writeFailure(this.#file, thrown)
      throw this.#failure
    }
  }

  async clear(): Promise<void> {
    invariant(this.#failure === null, 'A store that failed is not written again.')
    await this.#db.close()
    this.#db = await recreate(this.#file, this.#disk)
  }

  async close(): Promise<void> {
    await this.#db.close()
  }
}
