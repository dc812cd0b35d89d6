/**
 * Writes a repaired Raft store beside the damaged one and puts it in its place:
 *
 *   raft.building   being written
 *   raft.repaired   whole and synced; from here on the repair is decided
 *   raft.damaged    the store as it was found, kept as evidence until the next repair
 *
 * Its generation is one above the guard's, which reads as: a batch whose guard record is still to
 * come. So the guard need not change, and an interruption anywhere leaves the old store or the new.
 */
import { join } from 'node:path'
import type { ClosedLog } from './close-log.js'
import type { DamageReport } from './damage.js'
import type { Disk } from './disk.js'
import { writeFailure } from './failure.js'
import type { Files } from './files.js'
import { dataFiles, entryKey, raftKeys } from './keys.js'
import { encodeAnchor, encodeEntry, encodeHardState, encodeIdentity } from './record.js'

const names = {
  building: `${dataFiles.raft}.building`,
  repaired: `${dataFiles.raft}.repaired`,
  damaged: `${dataFiles.raft}.damaged`,
} as const

/** Bytes of one write while the new store is filled. */
const batchBytes = 4 * 1024 * 1024

export async function rebuildStore(options: {
  readonly report: DamageReport
  readonly log: ClosedLog
  readonly disk: Disk
}): Promise<void> {
  const { report, log, disk } = options
  const { files } = disk
  const building = join(report.directory, names.building)
  try {
    await removeDamagedSnapshots(report, files)
    await files.remove(building)
    await fill(building, report, log, disk)
    await files.rename(building, join(report.directory, names.repaired))
    await files.syncDirectory(report.directory)
    await finishRebuild(report.directory, files)
  } catch (thrown) {
    throw writeFailure(building, thrown)
  }
}

/** Goes on with a repair that was decided and interrupted; drops one that was not. */
export async function finishRebuild(directory: string, files: Files): Promise<void> {
  const found = await files.list(directory)
  if (found.includes(names.building)) await files.remove(join(directory, names.building))
  if (!found.includes(names.repaired)) return
  const store = join(directory, dataFiles.raft)
  if (found.includes(dataFiles.raft)) {
    await files.remove(join(directory, names.damaged))
    await files.rename(store, join(directory, names.damaged))
  }
  await files.rename(join(directory, names.repaired), store)
  await files.syncDirectory(directory)
}

/** Where a fetched one took the name, it stays. */
async function removeDamagedSnapshots(report: DamageReport, files: Files): Promise<void> {
  const directory = join(report.directory, dataFiles.snapshots)
  for (const { file } of report.damages) {
    const name = file.startsWith(directory) ? /(\d+)\.snapshot$/.exec(file) : null
    if (name !== null && report.snapshots.info(Number(name[1])) === null) await files.remove(file)
  }
}

async function fill(path: string, report: DamageReport, log: ClosedLog, disk: Disk): Promise<void> {
  const { remains, guard, identity } = report
  const { anchor, entries, end } = log
  // A snapshot of a later term is news of that term, and no vote was given in it.
  const isNews = end.term > remains.term
  const db = await disk.openLevel(path, { createIfMissing: true })
  try {
    let chain: Uint8Array = anchor.chain
    let batch: { type: 'put'; key: Buffer; value: Buffer }[] = []
    let bytes = 0
    for (const entry of entries) {
      const encoded = encodeEntry(entry, chain)
      chain = encoded.chain
      batch.push({ type: 'put', key: entryKey(entry.index), value: encoded.value })
      bytes += encoded.value.length
      if (bytes < batchBytes) continue
      await db.batch(batch, { sync: true })
      batch = []
      bytes = 0
    }
    const hardState = encodeHardState({
      generation: guard.generation + 1,
      term: isNews ? end.term : remains.term,
      votedFor: isNews ? null : remains.votedFor,
      commit: Math.min(end.index, Math.max(remains.commit, anchor.index)),
      firstIndex: anchor.index + 1,
      lastIndex: end.index,
      lastTerm: end.term,
      lastChain: end.chain,
    })
    await db.batch(
      [
        ...batch,
        { type: 'put', key: raftKeys.identity, value: encodeIdentity(identity) },
        { type: 'put', key: raftKeys.anchor, value: encodeAnchor(anchor) },
        { type: 'put', key: raftKeys.hardState, value: hardState },
      ],
      { sync: true },
    )
  } finally {
    await db.close()
  }
  // LevelDB syncs its own files, not the name of its folder.
  await disk.files.syncDirectory(path)
}
