/** Reads all that a Raft store still gives, damaged or not. Judges nothing (judge-log.ts). */
import { CountersignError } from '../errors.js'
import type { Damage } from './damage.js'
import type { BinaryLevel } from './disk.js'
import { openFailure } from './failure.js'
import { describeRaftKey, entryIndexOf, entryKey, raftKeys } from './keys.js'

export interface StoredEntry {
  readonly index: number
  readonly value: Buffer
}

export interface SurveyedLog {
  readonly identity: Buffer | undefined
  readonly hardState: Buffer | undefined
  readonly anchor: Buffer | undefined
  /** By index. */
  readonly entries: readonly StoredEntry[]
  /** What could not be read, and keys that do not belong here. */
  readonly damages: readonly Damage[]
}

/** A store that does not even open. */
export function surveyOfNothing(damage: Damage): SurveyedLog {
  return {
    identity: undefined,
    hardState: undefined,
    anchor: undefined,
    entries: [],
    damages: [damage],
  }
}

/** `lastIndex`: how far to ask for entries one by one where reading in order stops. */
export async function surveyLog(
  db: BinaryLevel,
  file: string,
  lastIndex: number,
): Promise<SurveyedLog> {
  const single = new Map<string, Buffer>()
  const entries: StoredEntry[] = []
  const damages: Damage[] = []
  let last = 'the first key'
  try {
    for await (const [key, value] of db.iterator({ fillCache: false })) {
      last = describeRaftKey(key)
      const index = entryIndexOf(key)
      if (index !== null) entries.push({ index, value })
      else if (last.startsWith('unknown key')) {
        damages.push({ file, key: last, problem: 'does not belong here', range: null })
      } else single.set(last, value)
    }
  } catch (thrown) {
    damages.push(unreadable(file, last, thrown))
    await readOneByOne(db, lastIndex, entries, single)
  }
  return {
    identity: single.get('identity'),
    hardState: single.get('hardState'),
    anchor: single.get('anchor'),
    entries,
    damages,
  }
}

/** Whatever is not damage (no permission, too many files) goes on as it is. */
function unreadable(file: string, last: string, thrown: unknown): Damage {
  const failure = thrown instanceof CountersignError ? thrown : openFailure(file, thrown)
  if (failure.code !== 'STORE_DAMAGED') throw failure
  return { file, key: `what follows ${last}`, problem: 'cannot be read', range: null }
}

async function readOneByOne(
  db: BinaryLevel,
  lastIndex: number,
  entries: StoredEntry[],
  single: Map<string, Buffer>,
): Promise<void> {
  const get = (key: Buffer): Promise<Buffer | undefined> => db.get(key).catch(() => undefined)
  for (const [name, key] of Object.entries(raftKeys)) {
    const value = single.get(name) ?? (await get(key))
    if (value !== undefined) single.set(name, value)
  }
  for (let index = (entries.at(-1)?.index ?? 0) + 1; index <= lastIndex; index += 1) {
    const value = await get(entryKey(index))
    if (value !== undefined) entries.push({ index, value })
  }
}
