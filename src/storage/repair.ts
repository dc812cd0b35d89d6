/**
 * Repair of a damaged data directory, without a leader and without trust. How a node uses it:
 *
 *   const examined = await examineStores({ directory, identity })
 *   if (examined.kind === 'damaged') {
 *     // Says examined.report.damages in its status, serves what is sound, neither votes nor leads.
 *     while ((await repairStores(examined.report, sources)).kind === 'waiting') wait()
 *     // The directory is sound now: open it as at any start.
 *   }
 *
 * An entry from a peer is taken only if the chain of digests closes with it, up to the next sound
 * entry or the end that the guard remembers. So nodes with different damage repair each other, and
 * a peer whose log is another one repairs nothing. What peers have compacted comes as a snapshot.
 * A lost tail may be dropped when all other voters, and so a majority, say that they never held it:
 * then it was never committed, and no leader can commit it with what this node acknowledged.
 *
 * Nothing is changed before everything is there: `waiting` leaves the directory as it was. Then a
 * new store is written beside the old one and renamed into its place (rebuild-store.ts).
 */
import type { DamageReport, IndexRange } from './damage.js'
import { systemDisk, type Disk } from './disk.js'
import { closeLog } from './close-log.js'
import { rebuildStore } from './rebuild-store.js'
import type { RepairSources } from './repair-sources.js'
import type { SnapshotInfo } from './snapshot-store.js'

export type RepairOutcome =
  | {
      readonly kind: 'repaired'
      /** Entries fetched, and a lost tail that no other voter ever held. */
      readonly fetched: number
      readonly dropped: IndexRange | null
      readonly snapshot: SnapshotInfo | null
    }
  /** Nobody could help yet: the first entries still missing. */
  | { readonly kind: 'waiting'; readonly missing: IndexRange }

/** Throws what the sources throw, and STORE_FAILED or DISK_FULL when the new store fails. */
export async function repairStores(
  report: DamageReport,
  sources: RepairSources,
  disk: Disk = systemDisk,
): Promise<RepairOutcome> {
  const { remains, snapshots, identity } = report
  const closed = await closeLog({ remains, clusterId: identity.clusterId, snapshots, sources })
  if (closed.kind === 'waiting') return closed
  await rebuildStore({ report, log: closed.log, disk })
  const { fetched, dropped, snapshot } = closed
  return { kind: 'repaired', fetched, dropped, snapshot }
}
