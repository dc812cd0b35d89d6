/**
 * Snapshots of a simulated node: taken of its registers now and then, and fetched from a peer when
 * the core says so. A fetch may come to nothing; then nobody says anything, as the core expects.
 */
import {
  decodeConfiguration,
  type ConfigurationInForce,
  type Entry,
  type Event,
  type NodeId,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import type { Disk } from './disk.js'
import type { EventDigest } from './digest.js'
import type { Network } from './network.js'
import type { SimulationOptions } from './options.js'
import { OracleViolation, type Oracles } from './oracles.js'
import { Registers } from './register.js'
import type { Schedule } from './schedule.js'

/** The node that they belong to. */
export interface SnapshotOwner {
  readonly id: NodeId
  readonly disk: Disk
  post(event: Event): void
}

export interface SnapshotWorld {
  readonly options: SimulationOptions
  readonly schedule: Schedule
  readonly network: Network
  readonly digest: EventDigest
  readonly oracles: Oracles
  readonly node: (id: NodeId) => { readonly alive: boolean; readonly disk: Disk } | undefined
  /** A state machine was replaced by a snapshot. */
  readonly restored: () => void
}

export class Snapshots {
  private readonly node: SnapshotOwner
  private readonly disk: Disk
  private readonly world: SnapshotWorld
  private readonly everyEntries: number
  /** As of what is applied: what a snapshot taken now would carry. */
  private committed: ConfigurationInForce
  private isSaving = false
  /** Of the life that this object belongs to. */
  private isOver = false

  constructor(node: SnapshotOwner, world: SnapshotWorld, entriesApplied: readonly Entry[]) {
    this.node = node
    this.disk = node.disk
    this.world = world
    this.everyEntries = world.options.snapshotEveryEntries
    const { configuration, configurationIndex } = node.disk.snapshot.meta
    this.committed = { configuration, index: configurationIndex }
    for (const entry of entriesApplied) this.follow(entry)
  }

  end(): void {
    this.isOver = true
  }

  /** After each portion that was applied. */
  applied(entries: readonly Entry[], registers: Registers): void {
    for (const entry of entries) this.follow(entry)
    const last = entries.at(-1)
    if (last === undefined || this.isSaving || this.everyEntries === 0) return
    if (last.index - this.disk.snapshot.meta.index < this.everyEntries) return
    const { configuration, index: configurationIndex } = this.committed
    const meta = { index: last.index, term: last.term, configuration, configurationIndex }
    this.isSaving = true
    this.disk.save({ meta, values: registers.copy() }, () => {
      if (this.isOver) return
      this.isSaving = false
      this.node.post({ kind: 'snapshotSaved', snapshot: meta })
    })
  }

  /** The state machine becomes what the snapshot holds. */
  restore(meta: SnapshotMeta, registers: Registers): void {
    const { snapshot } = this.disk
    if (snapshot.meta.index !== meta.index) {
      throw new OracleViolation('a snapshot that is restored stands on the disk', {
        wanted: meta.index,
        found: snapshot.meta.index,
      })
    }
    registers.restore(snapshot.values, meta.index)
    const expected = new Registers()
    const prefix = this.world.oracles.committed.slice(0, meta.index)
    for (const { entry } of prefix) expected.apply(entry)
    if (prefix.length < meta.index || registers.text() !== expected.text()) {
      throw new OracleViolation('a snapshot is the state of a committed prefix', {
        node: this.node.id,
        index: meta.index,
      })
    }
    this.committed = { configuration: meta.configuration, index: meta.configurationIndex }
    this.world.restored()
    this.node.post({ kind: 'applied', index: meta.index })
  }

  /** The peer may have a newer one by now: that is fetched then. */
  fetch(from: NodeId, wanted: SnapshotMeta): void {
    const { network, schedule } = this.world
    schedule.after(network.fetchMs(), () => {
      const peer = this.world.node(from)
      const isLost = network.loses() || network.isCut(from, this.node.id)
      if (this.isOver || isLost || peer?.alive !== true) return
      const { snapshot } = peer.disk
      if (snapshot.meta.index < wanted.index) return
      this.world.digest.add(schedule.nowMs, 'fetched', this.node.id, snapshot.meta.index)
      this.disk.save(snapshot, () => {
        if (this.isOver) return
        this.node.post({ kind: 'snapshotFetched', snapshot: this.disk.snapshot.meta })
      })
    })
  }

  private follow(entry: Entry): void {
    if (entry.kind !== 'configuration') return
    const configuration = decodeConfiguration(entry.payload)
    if (configuration !== null) this.committed = { configuration, index: entry.index }
  }
}
