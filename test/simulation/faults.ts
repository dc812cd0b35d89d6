/** What goes wrong, and when. Each class of faults has its own clock; the options switch it on. */
import type { NodeId } from '../../src/raft/index.js'
import type { Network } from './network.js'
import type { SimulationOptions } from './options.js'
import type { SeededRandom } from './random.js'
import type { Schedule } from './schedule.js'
import type { SimNode } from './sim-node.js'

export class Faults {
  /** Of each class. */
  readonly counts = new Map<string, number>()
  private over = false
  private asked = 0
  private readonly options: SimulationOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly network: Network
  private readonly nodes: readonly SimNode[]

  constructor(
    options: SimulationOptions,
    schedule: Schedule,
    random: SeededRandom,
    network: Network,
    nodes: readonly SimNode[],
  ) {
    this.options = options
    this.schedule = schedule
    this.random = random
    this.network = network
    this.nodes = nodes
  }

  start(): void {
    const { options } = this
    this.every('partition', options.partitionEveryMs, () => {
      this.partition()
    })
    this.every('crash', options.crashEveryMs, () => {
      this.crash([this.random.pick(this.nodes)], this.random.between(1, 4_000))
    })
    this.every('power cut', options.powerCutEveryMs, () => {
      const count = this.random.chance(0.5)
        ? this.nodes.length
        : this.random.int(1, this.nodes.length)
      this.crash(this.random.sample(this.nodes, count), this.random.between(1, 1_000))
    })
    this.every('false alarm', options.falseAlarmEveryMs, () => {
      const node = this.random.pick(this.nodes)
      const peer = node.facts?.leader ?? this.random.pick(this.nodes).id
      node.post({ kind: 'peerRefused', peer })
    })
    this.every('reconnect', options.reconnectEveryMs, () => {
      this.random.pick(this.nodes).post({
        kind: 'peerConnected',
        peer: this.random.pick(this.nodes).id,
      })
    })
    this.every('stall', options.stallEveryMs, () => {
      const stallMs = this.random.between(50, 4_000)
      this.random.pick(this.nodes).stalledUntilMs = this.schedule.nowMs + stallMs
    })
    this.every('slow disk', options.slowDiskEveryMs, () => {
      const { disk } = this.random.pick(this.nodes)
      disk.slow = true
      this.schedule.after(this.random.between(100, 6_000), () => {
        disk.slow = false
      })
    })
    this.every('transfer', options.transferEveryMs, () => {
      const to = this.random.chance(0.5) ? this.random.pick(this.nodes).id : null
      const leader = this.nodes.find((node) => node.facts?.role === 'leader')
      leader?.post({ kind: 'transferLeadership', to })
    })
    this.every('leader struck', options.strikeLeaderEveryMs, () => {
      this.strikeLeader()
    })
    this.every('membership', options.membershipEveryMs, () => {
      this.changeMembership()
    })
    this.every('distrust', options.distrustEveryMs, () => {
      this.random.pick(this.nodes).post({ kind: 'distrustLeader' })
    })
  }

  /** Ends every fault. The nodes in `frozen` stay dead; the others are whole and connected. */
  heal(frozen: ReadonlySet<NodeId>): void {
    this.over = true
    this.network.faulty = false
    this.network.heal()
    for (const node of this.nodes) {
      node.stalledUntilMs = 0
      node.disk.slow = false
      if (frozen.has(node.id)) node.crash()
    }
    for (const node of this.nodes) {
      if (frozen.has(node.id)) continue
      if (!node.alive) node.start()
    }
    for (const node of this.nodes) {
      for (const peer of this.nodes) {
        if (peer !== node && peer.alive) node.post({ kind: 'peerConnected', peer: peer.id })
      }
    }
  }

  private every(name: string, meanMs: number, strike: () => void): void {
    if (meanMs === 0) return
    const plan = (): void => {
      this.schedule.after(-Math.log(1 - this.random.next()) * meanMs, () => {
        if (this.over) return
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
        strike()
        plan()
      })
    }
    plan()
  }

  private crash(victims: readonly SimNode[], downMs: number): void {
    for (const victim of victims) victim.crash()
    if (this.options.refusedRedials) {
      for (const victim of victims) this.refuse(victim)
    }
    for (const victim of victims) {
      this.schedule.after(downMs * this.random.between(0.5, 1.5), () => {
        if (!this.over && !victim.alive) this.restart(victim)
      })
    }
  }

  /** Any voters and learners: one swapped for another, growth, or something else altogether. */
  private changeMembership(): void {
    const { random, nodes } = this
    const leader = this.nodes.find((node) => node.facts?.role === 'leader')
    if (leader === undefined) return
    const ids = nodes.map(({ id }) => id)
    const voters = random.sample(ids, random.int(1, Math.min(7, ids.length)))
    const rest = ids.filter((id) => !voters.includes(id))
    const learners = random.chance(0.3) ? random.sample(rest, random.int(0, rest.length)) : []
    this.asked += 1
    leader.post({ kind: 'changeMembership', id: this.asked, basedOn: null, voters, learners })
  }

  private strikeLeader(): void {
    const leader = this.nodes.find((node) => node.facts?.role === 'leader')
    if (leader === undefined) return
    if (this.random.chance(0.6)) {
      this.crash([leader], this.random.between(1, 1_500))
      return
    }
    // It may still reach some: what it writes in this term lies on a few logs only.
    const others = this.nodes.filter((node) => node !== leader)
    for (const other of this.random.sample(others, this.random.int(1, others.length))) {
      this.network.cutLink(leader.id, other.id)
      this.network.cutLink(other.id, leader.id)
    }
    this.schedule.after(this.random.between(50, 3_000), () => {
      this.reconnect()
    })
  }

  /** The port of a dead process refuses whoever reaches its machine. */
  private refuse(dead: SimNode): void {
    for (const node of this.nodes) {
      if (node === dead || this.network.isCut(node.id, dead.id)) continue
      this.schedule.after(this.random.between(2, 12), () => {
        if (!dead.alive) node.post({ kind: 'peerRefused', peer: dead.id })
      })
    }
  }

  private restart(node: SimNode): void {
    node.start()
    for (const peer of this.nodes) {
      if (peer === node) continue
      this.connect(peer, node)
      this.connect(node, peer)
    }
  }

  private connect(from: SimNode, to: SimNode): void {
    if (this.network.isCut(from.id, to.id)) return
    this.schedule.after(this.random.between(1, 20), () => {
      if (to.alive) from.post({ kind: 'peerConnected', peer: to.id })
    })
  }

  private partition(): void {
    const { random, network, nodes } = this
    const side = new Set(random.sample(nodes, random.int(1, Math.max(1, nodes.length - 1))))
    const oneWay = this.options.asymmetric && random.chance(0.5)
    for (const left of nodes) {
      for (const right of nodes) {
        if (!side.has(left) || side.has(right)) continue
        network.cutLink(left.id, right.id)
        if (!oneWay) network.cutLink(right.id, left.id)
      }
    }
    this.schedule.after(random.between(100, 8_000), () => {
      this.reconnect()
    })
  }

  private reconnect(): void {
    if (this.over) return
    for (const link of this.network.heal()) {
      const [from, to] = link.split('>')
      const node = this.nodes.find(({ id }) => id === from)
      if (to !== undefined) node?.post({ kind: 'peerConnected', peer: to })
    }
  }
}
