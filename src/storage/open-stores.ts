/** Opening a node's data directory: everything is checked, and damage comes back as data. */
import { join } from 'node:path'
import { CountersignError } from '../errors.js'
import type { LogIndex, Term } from '../raft/index.js'
import type { Damage, DamageReport } from './damage.js'
import { systemDisk, type BinaryLevel, type Disk } from './disk.js'
import { damaged, openFailure } from './failure.js'
import type { Files } from './files.js'
import { openSnapshotStore, type FileSnapshotStore } from './file-snapshot-store.js'
import { GuardFile } from './guard-file.js'
import { judgeLog, type LogJudgement } from './judge-log.js'
import { dataFiles } from './keys.js'
import { LevelLogStore } from './level-log-store.js'
import { openLevelStateStore } from './level-state-store.js'
import type { LogStore, RecoveredLog, VerifiableLog } from './log-store.js'
import { finishRebuild } from './rebuild-store.js'
import { decodeIdentity, type Identity } from './record.js'
import { giveUpReserve, reserveBytesDefault, restoreReserve } from './reserve-file.js'
import type { SnapshotStore } from './snapshot-store.js'
import type { StateStore } from './state-store.js'
import { surveyLog, surveyOfNothing, type SurveyedLog } from './survey-log.js'
import { damagedTables } from './table-check.js'

export interface OpenedStores {
  readonly logStore: LogStore & VerifiableLog
  readonly recovered: RecoveredLog
  readonly stateStore: StateStore
  readonly snapshots: SnapshotStore
}

export type ExaminedStores =
  | { readonly kind: 'sound'; readonly stores: OpenedStores }
  /** Nothing is left open but `report.snapshots`. */
  | { readonly kind: 'damaged'; readonly report: DamageReport }

export interface OpenOptions {
  readonly directory: string
  /** Who this node must be: from genesis and its own configuration. */
  readonly identity: Identity
  readonly reserveBytes?: number
  readonly disk?: Disk
}

/**
 * Opens the stores, or says what of them can be repaired (repair.ts). Throws for what cannot:
 * NO_IDENTITY, IDENTITY_MISMATCH, STORE_DAMAGED (the identity file), GUARD_LOST, STORE_LOCKED,
 * STORE_FAILED, DISK_FULL.
 */
export async function examineStores(options: OpenOptions): Promise<ExaminedStores> {
  const { directory, identity, disk = systemDisk } = options
  const reserve = join(directory, dataFiles.reserve)
  await checkIdentity(directory, identity, disk.files)
  let examined: ExaminedStores
  try {
    examined = await examineAll(directory, identity, disk)
  } catch (thrown) {
    if (!(thrown instanceof CountersignError && thrown.code === 'DISK_FULL')) throw thrown
    await giveUpReserve(reserve)
    examined = await examineAll(directory, identity, disk)
  }
  try {
    await restoreReserve(reserve, options.reserveBytes ?? reserveBytesDefault)
    return examined
  } catch (thrown) {
    await closeExamined(examined)
    throw thrown
  }
}

/** The same for whoever repairs nothing: damage is thrown as STORE_DAMAGED. */
export async function openStores(options: OpenOptions): Promise<OpenedStores> {
  const examined = await examineStores(options)
  if (examined.kind === 'sound') return examined.stores
  await closeExamined(examined)
  const { damages } = examined.report
  const [first] = damages
  throw damaged(first?.file ?? options.directory, first?.key ?? '', first?.problem ?? '', {
    range: first?.range ?? null,
    damages: damages.length,
  })
}

async function closeExamined(examined: ExaminedStores): Promise<void> {
  if (examined.kind === 'damaged') {
    await examined.report.snapshots.close()
    return
  }
  const { logStore, stateStore, snapshots } = examined.stores
  await logStore.close()
  await stateStore.close()
  await snapshots.close()
}

async function checkIdentity(directory: string, expected: Identity, files: Files): Promise<void> {
  const names = await files.list(directory).catch((thrown: unknown) => {
    throw openFailure(directory, thrown)
  })
  if (names.length === 0) {
    throw new CountersignError(
      'NO_IDENTITY',
      `${directory} is empty or missing, so this node does not know who it is and what it has ` +
        'voted. Mount its own directory. If its disk is lost, replace it from any other machine: ' +
        '`countersign node replace`. Only a new cluster begins with `countersign init`.',
      { details: { directory } },
    )
  }
  const path = join(directory, dataFiles.identity)
  if (!names.includes(dataFiles.identity)) throw damaged(path, 'the identity', 'is missing')
  const found = decodeIdentity(await readIdentity(path, files))
  if (found === null) throw damaged(path, 'the identity', 'does not fit its checksum')
  for (const field of ['clusterId', 'nodeId', 'incarnation'] as const) {
    if (found[field] === expected[field]) continue
    throw new CountersignError(
      'IDENTITY_MISMATCH',
      `${directory} has ${field} ${found[field]}, this node expects ${expected[field]}. ` +
        'Point the node at its own directory.',
      { details: { directory, field, found: found[field], expected: expected[field] } },
    )
  }
}

async function readIdentity(path: string, files: Files): Promise<Buffer> {
  try {
    const file = await files.open(path, 'read')
    try {
      return await file.read(0, await file.size())
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw openFailure(path, thrown)
  }
}

async function examineAll(
  directory: string,
  identity: Identity,
  disk: Disk,
): Promise<ExaminedStores> {
  await finishRebuild(directory, disk.files).catch((thrown: unknown) => {
    throw openFailure(directory, thrown)
  })
  const guardFile = join(directory, dataFiles.guard)
  const { guard, newest } = await GuardFile.open(guardFile, disk.files)
  let db: BinaryLevel | null = null
  try {
    const folder = join(directory, dataFiles.snapshots)
    const opened = await openSnapshotStore({
      files: disk.files,
      directory: folder,
      clusterId: identity.clusterId,
    })
    const file = join(directory, dataFiles.raft)
    const store = await openRaft(file, disk)
    db = 'db' in store ? store.db : null
    const surveyed = 'db' in store ? await surveyLog(store.db, file, newest.lastIndex) : store
    const judged = judgeLog({ surveyed, file, guardFile, identity, guard: newest })
    const damages = [...judged.damages, ...opened.damages.map(damageOfSnapshot)]
    if (judged.log !== null) await discardStrangers(opened.snapshots, judged)
    damages.push(...uncovered(judged, opened.snapshots, folder))
    if (db === null || judged.log === null || damages.length > 0) {
      await db?.close()
      await guard.close()
      const { remains, sound } = judged
      const { snapshots } = opened
      const report = { directory, identity, damages, guard: newest, remains, sound, snapshots }
      return { kind: 'damaged', report }
    }
    const { hardState, anchor, entries } = judged.log
    const { snapshots } = opened
    // A batch without its guard record: nobody heard of it yet, but from here on this node answers
    // for it without another write. So the guard remembers it first.
    if (hardState.generation > newest.generation) await guard.write({ ...newest, ...hardState })
    const stateStore = await openLevelStateStore(join(directory, dataFiles.state), disk)
    const logStore = new LevelLogStore({
      db,
      file,
      guard,
      identity,
      snapshots,
      head: hardState,
      anchor,
    })
    const recovered: RecoveredLog = {
      hardState: {
        term: hardState.term as Term,
        votedFor: hardState.votedFor,
        commit: hardState.commit as LogIndex,
      },
      anchor: { index: anchor.index as LogIndex, term: anchor.term as Term },
      entries,
    }
    return { kind: 'sound', stores: { logStore, recovered, stateStore, snapshots } }
  } catch (thrown) {
    await db?.close()
    await guard.close()
    throw openFailure(directory, thrown)
  }
}

/** Damage that keeps LevelDB from opening is damage to all that it held. */
async function openRaft(file: string, disk: Disk): Promise<{ db: BinaryLevel } | SurveyedLog> {
  try {
    const [table] = await damagedTables(file, disk.files)
    if (table !== undefined) return surveyOfNothing({ ...table, key: 'the table', range: null })
    return { db: await disk.openLevel(file, { createIfMissing: false }) }
  } catch (thrown) {
    const failure = openFailure(file, thrown)
    if (failure.code !== 'STORE_DAMAGED') throw failure
    const problem = String(failure.details['problem'])
    return surveyOfNothing({ file, key: 'the store', problem, range: null })
  }
}

function damageOfSnapshot({ file, problem }: { file: string; problem: string }): Damage {
  return { file, key: 'the snapshot', problem, range: null }
}

/** A snapshot that was fetched and not yet installed stands for another log: it is fetched again. */
async function discardStrangers(
  snapshots: FileSnapshotStore,
  { remains }: LogJudgement,
): Promise<void> {
  const firstKept = (remains.anchor?.index ?? 0) + 1
  for (;;) {
    const newest = snapshots.latest()
    if (newest === null || newest.index < firstKept) return
    const chain = remains.entries.get(newest.index)?.chain.toString('hex')
    if (chain === newest.chain) return
    await snapshots.discard(newest.index)
  }
}

/** The log is cut off at its anchor: what was before it must stand in a snapshot. */
function uncovered(
  { remains: { anchor } }: LogJudgement,
  snapshots: SnapshotStore,
  directory: string,
): readonly Damage[] {
  if (anchor === null || anchor.index <= (snapshots.latest()?.index ?? 0)) return []
  const key = `a snapshot at ${String(anchor.index)} or above`
  return [{ file: directory, key, problem: 'is missing', range: null }]
}
