/** Founding a node's data directory. A node never does it for itself: it would forget its votes. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CountersignError } from '../errors.js'
import { systemDisk } from './disk.js'
import { openFailure } from './failure.js'
import { systemFiles } from './files.js'
import { GuardFile } from './guard-file.js'
import { dataFiles, raftKeys } from './keys.js'
import {
  chainStart,
  encodeAnchor,
  encodeHardState,
  encodeIdentity,
  type HardStateRecord,
  type Identity,
} from './record.js'
import { reserveBytesDefault, writeReserve } from './reserve-file.js'

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
  if ((await systemFiles.list(directory)).length > 0) {
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
  await systemFiles.syncDirectory(parent)
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
  const store = join(directory, dataFiles.raft)
  const db = await systemDisk.openLevel(store, { createIfMissing: true })
  const anchor = encodeAnchor({ index: 0, term: 0, chain: head.lastChain, snapshot: null })
  await db.batch(
    [
      { type: 'put', key: raftKeys.identity, value: encodeIdentity(identity) },
      { type: 'put', key: raftKeys.anchor, value: anchor },
      { type: 'put', key: raftKeys.hardState, value: encodeHardState(head) },
    ],
    { sync: true },
  )
  await db.close()
  await GuardFile.create(join(directory, dataFiles.guard), { ...head, ...identity }, systemFiles)
  await systemFiles.makeDirectory(join(directory, dataFiles.snapshots))
  await writeReserve(join(directory, dataFiles.reserve), reserveBytes)
  const file = await systemFiles.open(join(directory, dataFiles.identity), 'create')
  try {
    await file.write(encodeIdentity(identity), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await systemFiles.syncDirectory(directory)
}
