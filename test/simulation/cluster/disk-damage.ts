/**
 * What has rotted on one node's disk, and its repair: the real judgement (storage/judge-log.ts) and
 * the real closing of the log (storage/close-log.ts), around the simulated disk.
 */
import type { LogIndex, Term } from '../../../src/raft/index.js'
import type {
  DamageReport,
  Identity,
  RepairOutcome,
  RepairSources,
  SnapshotStore,
} from '../../../src/storage/index.js'
import { closeLog, type ClosedLog } from '../../../src/storage/close-log.js'
import type { SeededRandom } from '../random.js'
import type { SimDisk } from './sim-disk.js'
import { examined, rots, rotten, storedLogOf, type Rot, type StoredLog } from './stored-log.js'

const snapshotFile = /(\d{16})\.snapshot$/

export class DiskDamage {
  private readonly disk: SimDisk
  private readonly identity: Identity
  private readonly random: SeededRandom
  /** What a start finds in place of the log; null while everything is sound. */
  private stored: StoredLog | null = null

  constructor(disk: SimDisk, identity: Identity, random: SeededRandom) {
    this.disk = disk
    this.identity = identity
    this.random = random
  }

  get isThere(): boolean {
    return this.stored !== null
  }

  /** Only while no process runs on the disk. Null when there was nothing to rot. */
  strike(): Rot | 'a snapshot rots' | null {
    const { disk, random, identity } = this
    if (this.stored !== null) return null
    const sound = storedLogOf(disk.log, identity, disk.snapshots.latest())
    if (random.chance(0.25) && this.spoilSnapshot()) {
      this.stored = sound
      return 'a snapshot rots'
    }
    const rot = random.pick(rots)
    this.stored = rotten(sound, rot, random)
    return this.stored === null ? null : rot
  }

  /** As a start does, with the snapshots that were found sound; null when nothing is wrong. */
  examine(snapshots: SnapshotStore): DamageReport | null {
    if (this.stored === null) return null
    const report = examined(this.stored, snapshots, this.spoiltSnapshots(snapshots))
    if (report === null) this.stored = null
    return report
  }

  /** As repairStores, all or nothing. */
  async repair(report: DamageReport, sources: RepairSources): Promise<RepairOutcome> {
    const { remains, snapshots, identity } = report
    const closed = await closeLog({ remains, clusterId: identity.clusterId, snapshots, sources })
    if (closed.kind === 'waiting') return closed
    this.rebuild(report, closed.log)
    const { fetched, dropped, snapshot } = closed
    return { kind: 'repaired', fetched, dropped, snapshot }
  }

  /** What careless stores do: the log ends where the damage begins. For a mutant. */
  cutOff(report: DamageReport): void {
    const { anchor, entries } = report.remains
    if (anchor === null) return
    const kept = []
    let end = anchor
    for (let at = anchor.index + 1; ; at += 1) {
      const sound = entries.get(at)
      if (sound === undefined) break
      kept.push(sound.entry)
      end = { ...end, index: at, term: sound.entry.term, chain: sound.chain }
    }
    this.rebuild(report, { anchor, entries: kept, end })
  }

  private rebuild(report: DamageReport, log: ClosedLog): void {
    const { remains, snapshots } = report
    const { anchor, end } = log
    const isNews = end.term > remains.term
    for (const file of this.spoiltSnapshots(snapshots)) {
      this.disk.snapshots.files.contents.delete(file)
    }
    this.disk.replaceLog(log, {
      term: (isNews ? end.term : remains.term) as Term,
      votedFor: isNews ? null : remains.votedFor,
      commit: Math.min(end.index, Math.max(remains.commit, anchor.index)) as LogIndex,
    })
    this.stored = null
  }

  private spoiltSnapshots(snapshots: SnapshotStore): readonly string[] {
    return [...this.disk.snapshots.files.contents.keys()].filter((file) => {
      const name = snapshotFile.exec(file)
      return name !== null && snapshots.info(Number(name[1])) === null
    })
  }

  private spoilSnapshot(): boolean {
    const { contents } = this.disk.snapshots.files
    const files = [...contents.keys()].filter((file) => snapshotFile.test(file))
    if (files.length === 0) return false
    const file = this.random.pick(files)
    const bytes = Buffer.from(contents.get(file) ?? Buffer.alloc(1))
    const at = this.random.int(0, bytes.length - 1)
    if (this.random.chance(0.3)) contents.delete(file)
    else if (this.random.chance(0.4)) contents.set(file, bytes.subarray(0, at))
    else {
      bytes[at] = (bytes[at] ?? 0) ^ 4
      contents.set(file, bytes)
    }
    return true
  }
}
