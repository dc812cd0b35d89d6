/**
 * One run: a phase of faults in which only safety is asked for, then a healed majority that must
 * commit and converge. Throws what an oracle found, with the seed and every option in front.
 */
import { membersOf, type Message, type NodeId } from '../../src/raft/index.js'
import { Clients } from './clients.js'
import { chooseFrozen, lastCommitted } from './core-of-the-healed.js'
import { EventDigest } from './digest.js'
import type { Disk } from './disk.js'
import { Faults } from './faults.js'
import { History } from './history.js'
import { Network } from './network.js'
import { optionsFromSeed, type SimulationOptions } from './options.js'
import { Oracles } from './oracles.js'
import { SeededRandom } from './random.js'
import { registerReader } from './register.js'
import { Schedule } from './schedule.js'
import { SimNode, electionTicksMax, tickMs, type World } from './sim-node.js'

export interface Report {
  readonly seed: number
  readonly digest: string
  readonly events: number
  readonly steps: number
  readonly faults: number
  readonly faultsByClass: Readonly<Record<string, number>>
  readonly committed: number
  readonly writesAcknowledged: number
  readonly readsAnswered: number
  readonly termMax: number
  readonly configurations: number
  readonly restores: number
  readonly virtualMs: number
}

const electionTimeoutMs = electionTicksMax * tickMs

export function simulate(seed: number, change: Partial<SimulationOptions> = {}): Report {
  const options = optionsFromSeed(seed, change)
  try {
    return new Simulation(options).run()
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Error(
      `seed ${String(seed)}: ${message}\n  replay: SIMULATION_SEED=${String(seed)}\n` +
        `  options: ${JSON.stringify(options)}`,
      { cause: thrown },
    )
  }
}

class Simulation {
  private readonly options: SimulationOptions
  private readonly schedule = new Schedule()
  private readonly digest = new EventDigest()
  private readonly history = new History()
  private readonly random: SeededRandom
  private readonly network: Network
  private readonly nodes = new Map<NodeId, SimNode>()
  private readonly clients: Clients
  private readonly faults: Faults
  private readonly oracles: Oracles
  private restores = 0

  constructor(options: SimulationOptions) {
    this.options = options
    this.random = new SeededRandom(options.seed ^ 0x5eed)
    this.network = new Network(options, this.schedule, this.random.fork(), this.digest)
    const voters = Array.from({ length: options.nodes }, (_, place) => `n${String(place + 1)}`)
    const disks = new Map<NodeId, Disk>()
    this.oracles = new Oracles(disks, registerReader(this.history))
    this.clients = new Clients(options, this.schedule, this.random.fork(), this.history, this.nodes)
    const world: World = {
      options,
      schedule: this.schedule,
      network: this.network,
      digest: this.digest,
      oracles: this.oracles,
      voters,
      node: (id) => this.nodes.get(id),
      restored: () => {
        this.restores += 1
      },
    }
    const spares = Array.from(
      { length: options.membershipEveryMs > 0 ? options.spares : 0 },
      (_, place) => `n${String(voters.length + place + 1)}`,
    )
    for (const id of [...voters, ...spares]) {
      const node = new SimNode(id, world, this.random.fork(), {
        output: (from, output) => {
          this.clients.output(from, output)
        },
        applied: (from, entry) => {
          this.clients.applied(from, entry)
        },
        died: (from) => {
          this.clients.died(from)
        },
      })
      this.nodes.set(id, node)
      disks.set(id, node.disk)
    }
    this.network.deliver = (message) => {
      this.deliver(message)
    }
    this.faults = new Faults(options, this.schedule, this.random.fork(), this.network, [
      ...this.nodes.values(),
    ])
  }

  run(): Report {
    for (const node of this.nodes.values()) node.start()
    this.faults.start()
    this.clients.start()
    this.schedule.runUntil(this.options.faultyMs)
    this.clients.stopped = true
    this.live()
    return this.report()
  }

  /** A random majority is healed, the rest stays dead: it must serve, and then be of one mind. */
  private live(): void {
    const { schedule, random } = this
    const all = [...this.nodes.values()]
    const frozen = chooseFrozen(all, this.oracles, random)
    const core = all.filter(({ id }) => !frozen.has(id))
    this.faults.heal(frozen)

    let commits = 0
    const write = (): void => {
      const leader = core.find((node) => node.facts?.role === 'leader') ?? random.pick(core)
      this.clients.write(leader.id, (outcome) => {
        if (outcome === 'done') commits += 1
        else schedule.after(50, write)
      })
    }
    write()
    const healedAtMs = schedule.nowMs
    schedule.runUntil(healedAtMs + 10 * electionTimeoutMs, () => commits > 0)
    if (commits === 0)
      throw new Error(`liveness: no commit in 10 election timeouts ${this.states()}`)

    // Who was removed need not hear of anything any more.
    const members = (): SimNode[] => {
      const leader = core.find((node) => node.facts?.role === 'leader')
      const ids = membersOf(leader?.configuration ?? lastCommitted(this.oracles))
      return core.filter(({ id }) => ids.includes(id))
    }
    const agrees = (): boolean =>
      new Set(members().map((node) => node.registers?.text())).size === 1
    const caughtUp = (): boolean =>
      members().every((node) => (node.registers?.applied ?? 0) >= this.oracles.committed.length)
    schedule.runUntil(healedAtMs + 30 * electionTimeoutMs, () => caughtUp() && agrees())
    if (!caughtUp() || !agrees()) {
      throw new Error(`liveness: no convergence in 30 election timeouts ${this.states()}`)
    }
  }

  private deliver(message: Message): void {
    const { mutant } = this.options
    let delivered = message
    if (mutant === 'network grants refused votes' && message.kind === 'voteReply') {
      delivered = { ...message, granted: true }
    }
    if (mutant === 'network alters entries' && message.kind === 'append') {
      const entries = message.entries.map((entry) =>
        entry.kind === 'command' && this.random.chance(0.01)
          ? { ...entry, payload: entry.payload.toReversed() }
          : entry,
      )
      delivered = { ...message, entries }
    }
    this.nodes.get(message.to)?.post({ kind: 'receive', message: delivered })
  }

  private states(): string {
    return [...this.nodes.values()]
      .map((node) => {
        const { facts } = node
        if (facts === null) return `${node.id}: dead`
        const { role, term, leader, lastIndex, commitIndex, appliedIndex } = facts
        return `${node.id}: ${JSON.stringify({ role, term, leader, lastIndex, commitIndex, appliedIndex, peers: facts.peers })}`
      })
      .join('; ')
  }

  private report(): Report {
    const nodes = [...this.nodes.values()]
    const faultsByClass = {
      ...Object.fromEntries(this.faults.counts),
      message: this.network.faults,
    }
    return {
      seed: this.options.seed,
      digest: this.digest.text(),
      events: this.digest.count,
      steps: nodes.reduce((sum, node) => sum + node.steps, 0),
      faults: Object.values(faultsByClass).reduce((sum, count) => sum + count, 0),
      faultsByClass,
      committed: this.oracles.committed.length,
      writesAcknowledged: this.history.writesAcknowledged,
      readsAnswered: this.history.readsAnswered,
      configurations: this.oracles.committed.filter(({ entry }) => entry.kind === 'configuration')
        .length,
      restores: this.restores,
      termMax: Math.max(...nodes.map((node) => node.facts?.term ?? 0)),
      virtualMs: this.schedule.nowMs,
    }
  }
}
