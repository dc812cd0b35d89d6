/**
 * The replicated state in LevelDB: one record a key, and the applied point in the same batch. The
 * writes are not synced, so after a power cut this store may be older than it was, or have a hole.
 * That is no fault: everything in it can be made again from the log, so a store that cannot be
 * opened or read is thrown away, never repaired.
 *
 * Each write also leaves the keys that it changed, so that a start that has the state of a snapshot
 * reads what came after it and not everything (docs/decisions/023-start-from-the-snapshot.md).
 */
import { invariant } from '../invariant.js'
import { systemDisk, type BinaryLevel, type Disk } from './disk.js'
import { damaged, openFailure, writeFailure } from './failure.js'
import {
  recordKey,
  recordKeyRange,
  recordKeyText,
  stateKeys,
  writtenAfter,
  writtenKey,
  writtenUpTo,
} from './keys.js'
import {
  decodeApplied,
  decodeSettled,
  decodeWrittenKeys,
  encodeApplied,
  encodeSettled,
  encodeWrittenKeys,
} from './record.js'
import { damagedTables } from './table-check.js'
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'
import { keysWrittenSince } from './written-since.js'

export async function openLevelStateStore(file: string, disk = systemDisk): Promise<StateStore> {
  try {
    const [table] = await damagedTables(file, disk.files)
    if (table !== undefined) throw damaged(table.file, 'the table', table.problem)
    const db = await disk.openLevel(file, { createIfMissing: true })
    return new LevelStateStore(file, db, disk)
  } catch (thrown) {
    const failure = openFailure(file, thrown)
    if (failure.code !== 'STORE_DAMAGED') throw failure
    return new LevelStateStore(file, await recreate(file, disk), disk, failure.message)
  }
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
  readonly thrownAway?: string
  readonly #file: string
  readonly #disk: Disk
  #db: BinaryLevel
  #failure: Error | null = null
  /** Undefined until it was read, null for none. */
  #appliedIndex: number | null | undefined

  constructor(file: string, db: BinaryLevel, disk: Disk, thrownAway?: string) {
    if (thrownAway !== undefined) this.thrownAway = thrownAway
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

  async readSince(index: number): Promise<readonly StateWrite[] | null> {
    const applied = await this.readApplied()
    if (applied === null) return null
    try {
      const settled = (await this.#db.get(stateKeys.settled)) as Buffer | undefined
      if (settled === undefined || (decodeSettled(settled) ?? -1) < index) return null
      const written = []
      for await (const [, value] of this.#db.iterator(writtenAfter(index))) {
        written.push(decodeWrittenKeys(value))
      }
      const keys = keysWrittenSince(index, written, applied.index)
      if (keys === null) return null
      const all = [...keys]
      // The declared type leaves out what a missing key gives.
      const values: readonly (Buffer | undefined)[] = await this.#db.getMany(all.map(recordKey))
      return all.map((key, at) => ({ key, value: values[at] ?? null }))
    } catch (thrown) {
      throw openFailure(this.#file, thrown)
    }
  }

  /**
   * A synced write would not do: LevelDB does not sync a log file that it has just left. What it
   * compacts is in a table, and tables are synced.
   */
  async settle(index: number): Promise<void> {
    try {
      await this.#db.compactRange(stateKeys.settled, stateKeys.settled)
      await this.#forget(index, [
        { type: 'put', key: stateKeys.settled, value: encodeSettled(index) },
      ])
    } catch (thrown) {
      throw writeFailure(this.#file, thrown)
    }
  }

  async forgetChanges(): Promise<void> {
    try {
      await this.#forget(Number.MAX_SAFE_INTEGER, [{ type: 'del', key: stateKeys.settled }])
    } catch (thrown) {
      throw writeFailure(this.#file, thrown)
    }
  }

  async #forget(upTo: number, operations: readonly Operation[]): Promise<void> {
    const removals: Operation[] = []
    for await (const [key] of this.#db.iterator(writtenUpTo(upTo))) {
      removals.push({ type: 'del', key })
    }
    await this.#db.batch([...removals, ...operations])
  }

  async write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    this.#appliedIndex ??= (await this.readApplied())?.index ?? null
    const from = this.#appliedIndex
    this.#appliedIndex = applied.index
    // A store that is being filled: what stands in it is everything, and no change of anything.
    const isChange = from !== null && applied.index > from
    const keys = writes.map(({ key }) => key)
    const written = isChange ? encodeWrittenKeys({ from, to: applied.index, keys }) : null
    try {
      await this.#db.batch([
        ...(written === null
          ? []
          : [{ type: 'put', key: writtenKey(applied.index), value: written } as const]),
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
    this.#appliedIndex = null
  }

  async close(): Promise<void> {
    await this.#db.close()
  }
}

type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }
