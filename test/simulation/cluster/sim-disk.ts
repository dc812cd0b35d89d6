/**
 * One node's disk in virtual time, around the memory stores. A log batch becomes durable at some
 * moment and is confirmed at a later one (the guard record lies between); a crash may fall before,
 * between and after. State batches are not synced: they survive the death of a process, since the
 * page cache does, and any subset of them may be gone after a power cut, not only the last ones.
 */
import { CountersignError } from '../../../src/errors.js'
import {
  origin,
  type Entry,
  type HardState,
  type LogIndex,
  type Term,
} from '../../../src/raft/index.js'
import {
  MemoryLogDisk,
  MemorySnapshotDisk,
  MemoryStateDisk,
  type AppliedPoint,
  type LogBatch,
  type LogStore,
  type RecoveredLog,
  type SnapshotStore,
  type StateStore,
  type StateWrite,
} from '../../../src/storage/index.js'
import type { ClosedLog } from '../../../src/storage/close-log.js'
import { LogView } from '../log-view.js'
import type { SeededRandom } from '../random.js'
import type { SimProcess } from './process.js'

export interface DiskOptions {
  readonly diskMeanMs: number
  /** A write under way at a crash may be on the disk all the same. */
  readonly unsyncedSurvivesChance: number
}

/** A disk that lies: it says that a batch is durable one batch too early. */
export type Honesty = 'honest' | 'confirms early'

/** Unsynced batches that the system keeps back before it writes the oldest out by itself. */
const unsyncedBatchesMax = 40

interface StateBatch {
  readonly writes: readonly StateWrite[]
  readonly applied: AppliedPoint
}

/** What this disk does to a node; any other failure of a store is a fault of ours. */
export class DiskFailure extends CountersignError {}

export class SimDisk {
  /** Space is gone: the next write fails, and so does opening, until there is some again. */
  isFull = false
  /** The next sync fails, once; nobody knows what it left behind. */
  failsNextSync = false
  isSlow = false
  log: MemoryLogDisk
  readonly snapshots: MemorySnapshotDisk
  readonly state = new MemoryStateDisk()
  private readonly options: DiskOptions
  private readonly honesty: Honesty
  private readonly clusterId: string
  private readonly random: SeededRandom
  private syncedRecords = new Map<string, Uint8Array>()
  private syncedApplied: AppliedPoint | null = null
  private unsynced: StateBatch[] = []
  private underWay: LogBatch | null = null
  /** The durable log, for observers. */
  private durable = new LogView(origin, [])

  constructor(
    options: DiskOptions,
    random: SeededRandom,
    clusterId: string,
    honesty: Honesty = 'honest',
  ) {
    this.honesty = honesty
    this.clusterId = clusterId
    this.options = options
    this.random = random
    this.snapshots = new MemorySnapshotDisk(clusterId)
    this.log = new MemoryLogDisk(clusterId, this.snapshots)
  }

  /** Is this entry on the disk for certain, itself or behind a snapshot? */
  holds(entry: Entry): boolean {
    if (entry.index <= this.durable.anchorIndex) return true
    return this.durable.at(entry.index)?.term === entry.term
  }

  openLog(process: SimProcess): { readonly logStore: LogStore; readonly recovered: RecoveredLog } {
    const { logStore, recovered } = this.log.open()
    return {
      recovered,
      logStore: {
        write: (batch) => this.writeLog(process, logStore, batch),
        chainAt: (index) => logStore.chainAt(index),
        close: () => logStore.close(),
      },
    }
  }

  openState(process: SimProcess): StateStore {
    const inner = this.state.open()
    return {
      readApplied: () => inner.readApplied(),
      readAll: () => inner.readAll(),
      readSince: (index) => inner.readSince(index),
      settle: async (index) => {
        await this.pause(process, this.options.diskMeanMs)
        this.refuseWhenFull()
        while (this.unsynced.length > 0) this.syncOldest()
        await inner.settle(index)
      },
      forgetChanges: () => inner.forgetChanges(),
      write: async (writes, applied) => {
        await this.pause(process, this.options.diskMeanMs / 20)
        this.refuseWhenFull()
        await inner.write(writes, applied)
        this.unsynced.push({ writes, applied })
        while (this.unsynced.length > unsyncedBatchesMax) this.syncOldest()
      },
      clear: async () => {
        await inner.clear()
        this.unsynced = []
        this.syncedRecords.clear()
        this.syncedApplied = null
      },
      close: () => inner.close(),
    }
  }

  /** A save takes its time, so a crash may leave half a file behind. */
  async openSnapshots(process: SimProcess): Promise<SnapshotStore> {
    const inner = await this.snapshots.open()
    const pause = (): Promise<void> => this.pause(process, this.options.diskMeanMs)
    return {
      latest: () => inner.latest(),
      info: (index) => inner.info(index),
      read: (index, offset, length) => inner.read(index, offset, length),
      records: (index) => inner.records(index),
      save: async (head, records) => {
        this.refuseWhenFull()
        return inner.save(head, slowly(records, pause))
      },
      receive: async (info) => {
        const receiver = await inner.receive(info)
        return {
          get storedBytes() {
            return receiver.storedBytes
          },
          write: async (part) => {
            await pause()
            this.refuseWhenFull()
            await receiver.write(part)
          },
          finish: async () => {
            await pause()
            return receiver.finish()
          },
          abort: () => receiver.abort(),
        }
      },
      removeBelow: (index) => inner.removeBelow(index),
      close: () => inner.close(),
    }
  }

  /** After a repair; no process writes meanwhile. */
  replaceLog({ anchor, entries }: ClosedLog, hardState: HardState): void {
    const newest = this.snapshots.latest()
    const at = { index: anchor.index as LogIndex, term: anchor.term as Term }
    const cut =
      anchor.index === 0 || newest === null
        ? null
        : { ...newest, ...at, chain: anchor.chain.toString('hex') }
    this.log = new MemoryLogDisk(this.clusterId, {
      latest: (atMost) => this.snapshots.latest(atMost),
      info: (index) => (index === cut?.index ? cut : this.snapshots.info(index)),
    })
    this.log.apply({ install: cut, purgeTo: null, hardState, truncateAfter: null, entries })
    this.durable = new LogView(at, entries)
  }

  /** The process is gone; the machine and its page cache are not. */
  crash(): void {
    const { underWay } = this
    this.underWay = null
    if (underWay === null || !this.random.chance(this.options.unsyncedSurvivesChance)) return
    this.log.apply(underWay)
    this.durable.follow(underWay, () => undefined)
  }

  /** The machine is gone with all that was not synced. */
  cutPower(): void {
    this.crash()
    const lostChance = this.random.pick([0, 0.3, 1])
    const inOrder = this.random.chance(0.5)
    const survivors = inOrder
      ? this.unsynced.slice(0, this.random.int(0, this.unsynced.length))
      : this.unsynced.filter(() => !this.random.chance(lostChance))
    for (const batch of survivors) this.sync(batch)
    this.unsynced = []
    const { records } = this.state
    records.clear()
    for (const [key, value] of this.syncedRecords) records.set(key, value)
    this.state.applied = this.syncedApplied
  }

  private async writeLog(process: SimProcess, inner: LogStore, batch: LogBatch): Promise<void> {
    if (this.honesty === 'confirms early') {
      const before = this.underWay
      this.underWay = batch
      if (before !== null) await this.apply(inner, before)
      return
    }
    this.underWay = batch
    await this.pause(process, this.options.diskMeanMs)
    this.refuseWhenFull()
    if (this.failsNextSync) {
      this.failsNextSync = false
      // What a failed sync left behind is unknown.
      throw new DiskFailure('STORE_FAILED', 'simulated: fsync gave EIO')
    }
    await this.apply(inner, batch)
    this.underWay = null
    // The guard record: durable already, confirmed later.
    await this.pause(process, this.options.diskMeanMs / 3)
  }

  private async apply(inner: LogStore, batch: LogBatch): Promise<void> {
    await inner.write(batch)
    this.durable.follow(batch, () => undefined)
  }

  private refuseWhenFull(): void {
    if (this.isFull) throw new DiskFailure('DISK_FULL', 'simulated: no space left on device')
  }

  private pause(process: SimProcess, meanMs: number): Promise<void> {
    const ms = -Math.log(1 - this.random.next()) * (this.isSlow ? 800 : meanMs)
    return new Promise((resolve) => {
      process.later(ms, resolve)
    })
  }

  private syncOldest(): void {
    const oldest = this.unsynced.shift()
    if (oldest !== undefined) this.sync(oldest)
  }

  private sync(batch: StateBatch): void {
    for (const { key, value } of batch.writes) {
      if (value === null) this.syncedRecords.delete(key)
      else this.syncedRecords.set(key, value)
    }
    this.syncedApplied = batch.applied
  }
}

/** Records of a save between which the disk takes its time. */
const recordsAtOnce = 32

async function* slowly<T>(items: AsyncIterable<T>, pause: () => Promise<void>): AsyncIterable<T> {
  let count = 0
  for await (const item of items) {
    if (count % recordsAtOnce === 0) await pause()
    count += 1
    yield item
  }
}
