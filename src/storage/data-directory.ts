/** Founding and opening a node's data directory. Only `countersign init` founds one. */
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Level } from 'level'
import { CountersignError } from '../errors.js'
import { damaged, openFailure } from './failure.js'
import { GuardFile } from './guard-file.js'
import { dataFiles, raftKeys } from './keys.js'
import { openLevelLogStore } from './level-log-store.js'
import { openLevelStateStore } from './level-state-store.js'
import type { LogStore, RecoveredLog } from './log-store.js'
import {
  chainStart,
  decodeIdentity,
  encodeAnchor,
  encodeHardState,
  encodeIdentity,
  type HardStateRecord,
  type Identity,
} from './record.js'
import type { BinaryLevel } from './recover-log.js'
import { giveUpReserve, reserveBytesDefault, restoreReserve, writeReserve } from './reserve-file.js'
import type { StateStore } from './state-store.js'

/**
 * Makes the data directory of one node: identity, empty stores, guard, reserve. Refuses a
 * directory that holds anything. Everything is written beside, synced, and renamed into place, so
 * an interruption leaves nothing half made.
 */
export async function initialiseDataDirectory(
  options: Identity & { readonly directory: string; readonly reserveBytes?: number },
): Promise<void> {
  const { directory, clusterId, nodeId, incarnation } = options
  const identity: Identity = { clusterId, nodeId, incarnation }
  if ((await namesIn(directory)).length > 0) {
    throw new CountersignError(
      'ALREADY_INITIALISED',
      `${directory} is not empty. A data directory is made once; choose another one.`,
      { details: { directory } },
    )
  }
  const parent = dirname(directory)
  await mkdir(parent, { recursive: true })
  const draft = await mkdtemp(join(parent, `.${basename(directory)}-`))
  try {
    await fill(draft, identity, options.reserveBytes ?? reserveBytesDefault)
    await rename(draft, directory)
  } catch (thrown) {
    await rm(draft, { recursive: true, force: true })
    throw openFailure(directory, thrown)
  }
  await syncDirectory(parent)
}

async function fill(directory: string, identity: Identity, reserveBytes: number): Promise<void> {
  const head: HardStateRecord = {
    generation: 1,
    term: 0,
    votedFor: null,
    commit: 0,
    firstIndex: 1,
    lastIndex: 0,
    lastTerm: 0,
    lastChain: chainStart(identity.clusterId),
  }
  const db: BinaryLevel = new Level(join(directory, dataFiles.raft), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  const anchor = encodeAnchor({ index: 0, term: 0, chain: head.lastChain })
  await db.batch(
    [
      { type: 'put', key: raftKeys.identity, value: encodeIdentity(identity) },
      { type: 'put', key: raftKeys.anchor, value: anchor },
      { type: 'put', key: raftKeys.hardState, value: encodeHardState(head) },
    ],
    { sync: true },
  )
  await db.close()
  await GuardFile.create(join(directory, dataFiles.guard), { ...head, ...identity })
  await writeReserve(join(directory, dataFiles.reserve), reserveBytes)
  const file = await open(join(directory, dataFiles.identity), 'wx', 0o600)
  try {
    await file.write(encodeIdentity(identity))
    await file.sync()
  } finally {
    await file.close()
  }
  await syncDirectory(directory)
}

export interface OpenedStores {
  readonly logStore: LogStore
  readonly recovered: RecoveredLog
  readonly stateStore: StateStore
}

/** Opens and checks the stores of one node; refuses whatever is missing, foreign or damaged. */
export async function openStores(options: {
  readonly directory: string
  /** Who this node must be: from genesis and its own configuration. */
  readonly identity: Identity
  readonly reserveBytes?: number
}): Promise<OpenedStores> {
  const { directory, identity } = options
  const reserve = join(directory, dataFiles.reserve)
  const reserveBytes = options.reserveBytes ?? reserveBytesDefault
  await checkIdentity(directory, identity)
  let stores: OpenedStores
  try {
    stores = await openBoth(directory, identity)
  } catch (thrown) {
    if (!(thrown instanceof CountersignError && thrown.code === 'DISK_FULL')) throw thrown
    await giveUpReserve(reserve)
    stores = await openBoth(directory, identity)
  }
  try {
    await restoreReserve(reserve, reserveBytes)
    return stores
  } catch (thrown) {
    await stores.logStore.close()
    await stores.stateStore.close()
    throw thrown
  }
}

async function checkIdentity(directory: string, expected: Identity): Promise<void> {
  const names = await namesIn(directory)
  if (names.length === 0) {
    throw new CountersignError(
      'NO_IDENTITY',
      `${directory} is empty or missing, so this node does not know who it is and what it has ` +
        'voted. Mount its own directory, or run `countersign init` for a new cluster.',
      { details: { directory } },
    )
  }
  const path = join(directory, dataFiles.identity)
  if (!names.includes(dataFiles.identity)) throw damaged(path, 'the identity', 'is missing')
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (thrown) {
    throw openFailure(path, thrown)
  }
  const found = decodeIdentity(bytes)
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

async function openBoth(directory: string, identity: Identity): Promise<OpenedStores> {
  const guardFile = join(directory, dataFiles.guard)
  const { guard, newest } = await GuardFile.open(guardFile)
  const file = join(directory, dataFiles.raft)
  let opened: { logStore: LogStore; recovered: RecoveredLog }
  try {
    opened = await openLevelLogStore({ file, guardFile, identity, guard, newestGuard: newest })
  } catch (thrown) {
    await guard.close()
    throw thrown
  }
  try {
    const stateStore = await openLevelStateStore(join(directory, dataFiles.state))
    return { ...opened, stateStore }
  } catch (thrown) {
    await opened.logStore.close()
    throw thrown
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return []
    throw openFailure(directory, thrown)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
