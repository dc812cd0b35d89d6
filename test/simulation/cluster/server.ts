/** One machine of the simulation: its disk, and one life after the other of a real ClusterNode. */
import { featureLevelMax } from '../../../src/approval/index.js'
import { CountersignError } from '../../../src/errors.js'
import type { ClusterNode } from '../../../src/node/cluster-node.js'
import type { PeerHello, PeerMember } from '../../../src/node/ports.js'
import { foundingOf } from '../../../src/node/recover-node.js'
import { decodeConfiguration, type Configuration, type NodeId } from '../../../src/raft/index.js'
import type { Verify } from '../../../src/signing/index.js'
import type { SeededRandom } from '../random.js'
import type { ClusterWorld } from './cluster-world.js'
import { DiskDamage } from './disk-damage.js'
import { startLife, type Running } from './life.js'
import { epochMs, incarnationOf } from './people.js'
import { SimProcess } from './process.js'
import { DiskFailure, SimDisk } from './sim-disk.js'

export interface Machinery {
  readonly id: NodeId
  /** Its members, as its own configuration names them. */
  readonly known: readonly PeerMember[]
  /** 2: a new disk under a used id, which nobody may let in. */
  readonly diskNumber: 1 | 2
  /** The highest feature level that its program knows. */
  readonly build: number
}

interface Life {
  readonly process: SimProcess
  /** Null while it starts. */
  running: Running | null
}

/** What a supervisor waits before it starts a node again that ended by itself. */
const supervisorMs = 1_500

export class Server {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly damage: DiskDamage
  /** Under a used id on a new disk: never a part of the cluster. */
  readonly isImpostor: boolean
  /** Nobody starts it again: it is outside of the core of the liveness phase. */
  isFrozen = false
  starts = 0
  private readonly world: ClusterWorld
  private readonly random: SeededRandom
  private readonly rate: number
  private readonly verify: Verify
  private readonly known: readonly PeerMember[]
  private readonly incarnation: string
  private build: number
  private wallSkewMs: number
  private life: Life | null = null

  constructor(machinery: Machinery, world: ClusterWorld, random: SeededRandom) {
    const { id, diskNumber } = machinery
    this.id = id
    this.known = machinery.known
    this.build = machinery.build
    this.isImpostor = diskNumber === 2
    this.incarnation = incarnationOf(id, diskNumber)
    this.world = world
    this.random = random
    const { options } = world
    this.disk = new SimDisk(
      options,
      random.fork(),
      world.founded.clusterId,
      options.mutant === 'log writes are confirmed before they are durable'
        ? 'confirms early'
        : 'honest',
    )
    const { clusterId } = world.founded
    const identity = { clusterId, nodeId: id, incarnation: this.incarnation }
    this.damage = new DiskDamage(this.disk, identity, random.fork())
    this.verify =
      options.mutant === 'one node judges signatures differently' && id === 'n1'
        ? (publicKey, message, signature) =>
            (signature.at(0) ?? 0) % 16 !== 0 && world.verify(publicKey, message, signature)
        : world.verify
    this.rate = random.between(1 - options.clockDrift, 1 + options.clockDrift)
    this.wallSkewMs = random.between(-options.clockSkewMs, options.clockSkewMs)
  }

  get isAlive(): boolean {
    return this.life !== null
  }

  /** The node, when it has started. */
  get node(): ClusterNode | null {
    return this.life?.running?.node ?? null
  }

  get process(): SimProcess | null {
    return this.life?.process ?? null
  }

  get isLeader(): boolean {
    return this.life?.running?.raft.status().role === 'leader'
  }

  get leader(): NodeId | null {
    return this.life?.running?.raft.status().leader ?? null
  }

  /** What this node goes by in memory and what it would go by after a restart. */
  get configurations(): readonly Configuration[] {
    const { recovered } = this.disk.log.open()
    const entry = recovered.entries.findLast(({ kind }) => kind === 'configuration')
    const onDisk =
      (entry === undefined ? null : decodeConfiguration(entry.payload)) ??
      this.disk.snapshots.latest()?.configuration ??
      foundingOf(this.world.founded.genesis).configuration
    const inMemory = this.life?.running?.raft.status().configuration
    return inMemory === undefined ? [onDisk] : [onDisk, inMemory]
  }

  start(): void {
    if (this.life !== null || this.isFrozen) return
    if (this.disk.isFull) {
      this.startLater(supervisorMs)
      return
    }
    const process = new SimProcess(this.world.schedule, {
      rate: this.rate,
      epochMs,
      wallSkewMs: this.wallSkewMs,
    })
    const life: Life = { process, running: null }
    this.life = life
    this.starts += 1
    this.world.digest.add(this.world.schedule.nowMs, 'start', this.id)
    const failed = (thrown: unknown): void => {
      this.ended(life, thrown)
    }
    const { world, disk, damage, known, verify, random } = this
    const name = this.isImpostor ? `${this.id} on a new disk` : this.id
    const hello = this.hello()
    startLife({ world, name, hello, known, process, disk, damage, verify, random, failed }).then(
      (running) => {
        life.running = running
      },
      failed,
    )
  }

  startLater(ms: number): void {
    this.world.schedule.after(ms, () => {
      this.start()
    })
  }

  /** As SIGKILL. */
  crash(): void {
    if (this.end('crash')) this.disk.crash()
  }

  /** Nobody is there while the disk rots. */
  rot(): void {
    this.crash()
    const how = this.damage.strike()
    if (how !== null) this.world.count(how)
  }

  /** Another program is started on the same disk. */
  upgrade(): void {
    this.build = featureLevelMax
    this.crash()
    this.startLater(this.random.between(1, 1_000))
  }

  get isOld(): boolean {
    return this.build < featureLevelMax
  }

  cutPower(): void {
    this.end('power')
    this.disk.cutPower()
  }

  stall(ms: number): void {
    const { process } = this
    if (process !== null) process.stalledUntilMs = this.world.schedule.nowMs + ms
  }

  /** The wall clock is set, by somebody or by NTP; the machine keeps it over restarts. */
  jumpClock(ms: number): void {
    this.wallSkewMs = ms
    if (this.life !== null) this.life.process.wallSkewMs = ms
  }

  private end(how: string): boolean {
    if (this.life === null) return false
    this.world.digest.add(this.world.schedule.nowMs, how, this.id)
    const { process } = this.life
    this.life = null
    process.die()
    return true
  }

  /** The node says that it cannot go on: expected when its disk failed it, a violation otherwise. */
  private ended(life: Life, thrown: unknown): void {
    if (this.life !== life) return
    const code = thrown instanceof CountersignError ? thrown.code : null
    if (thrown instanceof DiskFailure) {
      this.crash()
      this.startLater(supervisorMs)
    } else if (code === 'VERSION_UNKNOWN' && this.isOld) {
      this.world.count('old build halted')
      this.upgrade()
    } else {
      this.world.violated(thrown)
    }
  }

  private hello(): PeerHello {
    return {
      clusterId: this.world.founded.clusterId,
      nodeId: this.id,
      incarnation: this.incarnation,
      protocolMin: 1,
      protocolMax: 1,
      featureLevelMax: this.build,
      clientAddress: `${this.id}:7200`,
      peerAddress: `${this.id}:7100`,
    }
  }
}
