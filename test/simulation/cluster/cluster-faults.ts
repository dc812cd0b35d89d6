/** What goes wrong with whole clusters, and when. Each class has its own clock and its own count. */
import type { NodeId } from '../../../src/raft/index.js'
import { majorityOf } from '../../../src/raft/quorum.js'
import type { SeededRandom } from '../random.js'
import type { Schedule } from '../schedule.js'
import type { DamageAtlas } from './damage-atlas.js'
import type { Links } from './links.js'
import type { ClusterOptions } from './options.js'
import type { Server } from './server.js'

export type FaultClass =
  | 'crash'
  | 'power cut'
  | 'leader struck'
  | 'partition'
  | 'flapping'
  | 'stall'
  | 'slow disk'
  | 'sync error'
  | 'disk full'
  | 'clock jump'
  | 'rot'
  | 'replaced disk'
  | 'upgrade'

const dayMs = 24 * 60 * 60 * 1000

export class ClusterFaults {
  readonly counts = new Map<FaultClass, number>()
  private isOver = false
  private readonly options: ClusterOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly links: Links
  private readonly servers: readonly Server[]
  private readonly damages: DamageAtlas
  /** Only these ever have a clock that is wrong by days: a minority, whose stamps count for nothing. */
  private readonly wrongClocks: readonly Server[]

  constructor(
    options: ClusterOptions,
    schedule: Schedule,
    random: SeededRandom,
    links: Links,
    servers: readonly Server[],
    damages: DamageAtlas,
  ) {
    this.options = options
    this.damages = damages
    this.schedule = schedule
    this.random = random
    this.links = links
    this.servers = servers
    this.wrongClocks = random.sample(servers, servers.length - majorityOf(servers.length))
  }

  start(): void {
    const { options, random } = this
    this.every('crash', options.crashEveryMs, () => {
      this.crash(this.pick(), random.between(1, 4_000))
    })
    this.every('power cut', options.powerCutEveryMs, () => {
      const all = random.chance(0.5)
      const count = all ? this.servers.length : random.int(1, this.servers.length)
      for (const server of random.sample(this.servers, count)) {
        server.cutPower()
        server.startLater(random.between(1, 2_000))
      }
    })
    this.every('leader struck', options.strikeLeaderEveryMs, () => {
      this.strikeLeader()
    })
    this.every('partition', options.partitionEveryMs, () => {
      this.partition()
    })
    this.every('flapping', options.flapEveryMs, () => {
      this.flap(random.int(2, 8))
    })
    this.every('stall', options.stallEveryMs, () => {
      this.pick().stall(random.between(50, 4_000))
    })
    this.every('slow disk', options.slowDiskEveryMs, () => {
      const { disk } = this.pick()
      disk.isSlow = true
      this.later(random.between(100, 5_000), () => (disk.isSlow = false))
    })
    this.every('sync error', options.syncErrorEveryMs, () => {
      this.pick().disk.failsNextSync = true
    })
    this.every('disk full', options.diskFullEveryMs, () => {
      const { disk } = this.pick()
      disk.isFull = true
      this.later(random.between(500, 6_000), () => (disk.isFull = false))
    })
    this.every('clock jump', options.clockJumpEveryMs, () => {
      if (this.wrongClocks.length === 0) return
      const ms = random.pick([-dayMs, -5_000, 0, 5_000, dayMs])
      random.pick(this.wrongClocks).jumpClock(ms)
    })
    this.every('rot', options.rotEveryMs, () => {
      const server = this.damages.pick()
      server?.rot()
      server?.startLater(random.between(1, 2_000))
    })
    this.every('replaced disk', options.replaceDiskEveryMs, () => {
      this.damages.replaceDisk()
    })
    this.every('upgrade', options.upgradeEveryMs, () => {
      this.servers.find(({ isOld }) => isOld)?.upgrade()
    })
  }

  /** Ends every fault. The frozen stay dead; the others are whole and connected. */
  heal(frozen: ReadonlySet<NodeId>): void {
    this.isOver = true
    this.links.isFaulty = false
    this.links.heal()
    for (const server of this.servers) {
      const { disk } = server
      disk.isSlow = false
      disk.isFull = false
      disk.failsNextSync = false
      server.stall(0)
      server.jumpClock(0)
      if (frozen.has(server.id)) {
        server.isFrozen = true
        server.crash()
      }
    }
    for (const server of this.servers) server.start()
  }

  private pick(): Server {
    return this.random.pick(this.servers)
  }

  private every(name: FaultClass, meanMs: number, strike: () => void): void {
    if (meanMs === 0) return
    this.later(-Math.log(1 - this.random.next()) * meanMs, () => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      strike()
      this.every(name, meanMs, strike)
    })
  }

  private later(ms: number, act: () => void): void {
    this.schedule.after(ms, () => {
      if (!this.isOver) act()
    })
  }

  private crash(server: Server, downMs: number): void {
    server.crash()
    server.startLater(downMs)
  }

  private strikeLeader(): void {
    const leader = this.servers.find((server) => server.isLeader)
    if (leader === undefined) return
    if (this.random.chance(0.4)) {
      this.crash(leader, this.random.between(1, 1_500))
    } else if (this.random.chance(0.5)) {
      leader.stall(this.random.between(500, 5_000))
    } else {
      // It may still reach some: what it writes in this term lies on a few logs only.
      const others = this.servers.filter((server) => server !== leader)
      for (const other of this.random.sample(others, this.random.int(1, others.length))) {
        this.cut(leader, other)
      }
      this.healLater()
    }
  }

  private partition(): void {
    const { random, servers } = this
    const side = new Set(random.sample(servers, random.int(1, Math.max(1, servers.length - 1))))
    const oneWay = this.options.asymmetric && random.chance(0.5)
    for (const left of side) {
      for (const right of servers) {
        if (side.has(right)) continue
        if (oneWay) this.links.cutLink(left.id, right.id)
        else this.cut(left, right)
      }
    }
    this.healLater()
  }

  private flap(times: number): void {
    const [a, b] = this.random.sample(this.servers, 2)
    if (a === undefined || b === undefined || times === 0) return
    this.cut(a, b)
    this.later(this.random.between(50, 600), () => {
      this.links.heal()
      this.later(this.random.between(50, 600), () => {
        this.flap(times - 1)
      })
    })
  }

  private cut(a: Server, b: Server): void {
    this.links.cutLink(a.id, b.id)
    this.links.cutLink(b.id, a.id)
  }

  private healLater(): void {
    this.later(this.random.between(100, 8_000), () => {
      this.links.heal()
    })
  }
}
