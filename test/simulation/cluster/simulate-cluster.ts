/**
 * One run of a whole cluster: real cores, machines and node loops in virtual time. First a phase of
 * faults in which only safety is asked for, then a healed majority that must commit and converge.
 * Rejects with what an oracle found, with the seed and every option in front.
 */
import { pino } from 'pino'
import { featureLevelMax } from '../../../src/approval/index.js'
import { checkHistory, type Operation } from '../../../cluster/linearizability/index.js'
import { membersOf } from '../../../src/raft/index.js'
import { chooseFrozen } from '../core-of-the-healed.js'
import { EventDigest } from '../digest.js'
import { Oracles, OracleViolation } from '../oracles.js'
import { SeededRandom } from '../random.js'
import { Schedule } from '../schedule.js'
import { ClusterFaults } from './cluster-faults.js'
import { ClusterHistory } from './cluster-history.js'
import type { ClusterWorld } from './cluster-world.js'
import { DamageAtlas } from './damage-atlas.js'
import { Ledger } from './ledger.js'
import { Links } from './links.js'
import { clusterOptionsFromSeed, type ClusterOptions } from './options.js'
import { Operator } from './operator.js'
import { found, incarnationOf, makePeople } from './people.js'
import { PersonAtWork, type Workplace } from './people-at-work.js'
import { RarePaths } from './rare-paths.js'
import { Release } from './release.js'
import { Requests } from './requests.js'
import { Server } from './server.js'
import { runTurns } from './turns.js'
import { Watcher } from './watchers.js'

export interface ClusterReport {
  readonly seed: number
  readonly digest: string
  readonly events: number
  readonly virtualMs: number
  readonly faults: Readonly<Record<string, number>>
  readonly terms: number
  readonly committed: number
  readonly activated: number
  readonly writesAcknowledged: number
  readonly readsAnswered: number
  readonly batchesWatched: number
  readonly starts: number
  /** Governed changes of the nodes that went live. */
  readonly memberships: number
  /** Repairs, halts of old builds and streams refused, by name. */
  readonly machines: Readonly<Record<string, number>>
  readonly levelsRaised: number
  /** How often each named rare path was taken. */
  readonly sites: Readonly<Record<string, number>>
  /** What requests were refused with, by code. */
  readonly codes: Readonly<Record<string, number>>
}

export async function simulateCluster(
  seed: number,
  change: Partial<ClusterOptions> = {},
  tellHistory: (history: readonly Operation[]) => void = () => undefined,
): Promise<ClusterReport> {
  const options = clusterOptionsFromSeed(seed, change)
  const simulation = new ClusterSimulation(options)
  try {
    return await simulation.run()
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Error(`seed ${String(seed)}: ${message}\n  options: ${JSON.stringify(options)}`, {
      cause: thrown,
    })
  } finally {
    tellHistory(simulation.operations())
  }
}

class ClusterSimulation {
  private readonly options: ClusterOptions
  private readonly schedule = new Schedule()
  private readonly digest = new EventDigest()
  private readonly history = new ClusterHistory()
  /** What happened to machines, by name. */
  private readonly counts = new Map<string, number>()
  private readonly random: SeededRandom
  private readonly links: Links
  private readonly rare: RarePaths
  private readonly oracles: Oracles
  private readonly ledger: Ledger
  /** Grows as nodes are admitted; everybody sees the same list. */
  private readonly servers: Server[]
  private readonly operator: Operator | null
  private readonly release: Release | null
  private readonly atlas: DamageAtlas
  private readonly faults: ClusterFaults
  private readonly requests: Requests
  private readonly persons: readonly PersonAtWork[]
  private readonly watchers: readonly Watcher[]
  private violation: { readonly thrown: unknown } | null = null
  private events = 0

  constructor(options: ClusterOptions) {
    this.options = options
    const random = new SeededRandom(options.seed ^ 0xc105)
    this.random = random
    const linkOptions = {
      ...options,
      checksIdentity: options.mutant !== 'anybody may say who it is',
    }
    this.links = new Links(linkOptions, this.schedule, random.fork(), this.digest, {
      sent: (message) => {
        this.oracles.sent(message)
      },
      stands: (...ends) => {
        if (ends.some((end) => end.incarnation !== incarnationOf(end.nodeId, 1))) {
          throw new OracleViolation('a replaced disk is let in nowhere', { ends })
        }
      },
    })
    this.rare = new RarePaths(random.fork(), options.rarePaths)
    const people = makePeople(options.realSignatures)
    this.ledger = new Ledger(people.verify)
    const disks = new Map<string, Server['disk']>()
    this.oracles = new Oracles(disks, this.ledger)
    const level = options.upgradeEveryMs > 0 ? 1 : featureLevelMax
    const founded = found(options.nodes, level)
    const world: ClusterWorld = {
      options,
      schedule: this.schedule,
      links: this.links,
      digest: this.digest,
      oracles: this.oracles,
      ledger: this.ledger,
      founded,
      verify: options.mutant === 'a verifier that accepts everything' ? () => true : people.verify,
      log: pino({ level: 'silent' }),
      rare: this.rare,
      count: (what) => this.counts.set(what, (this.counts.get(what) ?? 0) + 1),
      violated: (thrown) => {
        this.violation ??= { thrown }
      },
    }
    const { genesis } = founded
    this.servers = genesis.nodes.map(
      ({ id }) =>
        new Server({ id, known: genesis.nodes, diskNumber: 1, build: level }, world, random.fork()),
    )
    for (const server of this.servers) disks.set(server.id, server.disk)
    this.atlas = new DamageAtlas(this.servers, this.oracles, random.fork(), ({ id }) => {
      const machinery = { id, known: genesis.nodes, diskNumber: 2, build: featureLevelMax } as const
      const impostor = new Server(machinery, world, random.fork())
      this.servers.push(impostor)
      impostor.startLater(random.between(1, 1_000))
    })
    this.faults = new ClusterFaults(
      options,
      this.schedule,
      random.fork(),
      this.links,
      this.servers,
      this.atlas,
    )
    this.requests = new Requests(this.schedule, random.fork(), this.servers, this.ledger)
    const place: Workplace = {
      options,
      schedule: this.schedule,
      requests: this.requests,
      history: this.history,
      people,
      clusterId: founded.clusterId,
    }
    this.persons = Array.from(
      { length: options.clients },
      (_, at) => new PersonAtWork(String(at + 1), place, random.fork()),
    )
    this.operator =
      options.membershipEveryMs === 0
        ? null
        : new Operator(new PersonAtWork('0', place, random.fork()), this.requests, random.fork(), {
            everyMs: options.membershipEveryMs,
            founders: options.nodes,
            admit: (id, known) => {
              const machinery = { id, known, diskNumber: 1, build: featureLevelMax } as const
              const server = new Server(machinery, world, random.fork())
              disks.set(id, server.disk)
              this.servers.push(server)
              server.start()
            },
          })
    this.release =
      level === featureLevelMax
        ? null
        : new Release(new PersonAtWork('0', place, random.fork()), this.requests, random.fork())
    const { ledger, schedule, servers } = this
    this.watchers = Array.from(
      { length: options.watchers },
      (_, at) =>
        new Watcher(
          `w${String(at + 1)}`,
          { schedule, servers, ledger, mutant: options.mutant, violated: world.violated },
          random.fork(),
        ),
    )
  }

  async run(): Promise<ClusterReport> {
    for (const server of this.servers) server.start()
    this.faults.start()
    for (const person of this.persons) this.attend(person.work())
    if (this.operator !== null) this.attend(this.operator.work())
    if (this.release !== null) this.attend(this.release.work())
    for (const watcher of this.watchers) watcher.follow()
    await this.runUntil(this.options.faultyMs)
    for (const person of this.persons) person.isOver = true
    this.operator?.end()
    if (this.release !== null) this.release.isOver = true
    await this.live()
    this.checkCalm()
    this.checkLinearizable()
    return this.report()
  }

  /** A random majority is healed, the rest stays dead: it must serve, and then be of one mind. */
  private async live(): Promise<void> {
    const { schedule, random, servers, options } = this
    const electionMs = options.electionTicksMax * options.tickMs
    const lost = this.atlas.lost()
    const wanted = this.operator?.wanted ?? []
    const frozen = chooseFrozen(servers, this.oracles, random, { lost, wanted })
    this.faults.heal(frozen)
    this.rare.isOver = true
    const core = servers.filter(({ id }) => !frozen.has(id) && !lost.has(id))

    const healedAtMs = schedule.nowMs
    const before = this.oracles.committed.length
    const visitor = this.persons[0]
    let isLive = false
    const serve = async (): Promise<void> => {
      while (!isLive && schedule.nowMs < healedAtMs + 30 * electionMs) {
        isLive = (await visitor?.change('/prod/healed')) === true
        // Who finds nobody there is told at once: without a pause time would stand still.
        if (!isLive) await this.requests.sleep(random.between(10, 300))
      }
    }
    this.attend(serve())
    await this.runUntil(healedAtMs + 10 * electionMs, () => this.oracles.committed.length > before)
    if (this.oracles.committed.length === before) {
      throw new OracleViolation('liveness: a healed majority commits in 10 election timeouts', {
        states: this.states(),
      })
    }
    const converged = (): boolean => isLive && this.isOfOneMind(core)
    await this.runUntil(healedAtMs + 30 * electionMs, converged)
    if (!converged()) {
      throw new OracleViolation('liveness: a healed majority converges in 30 election timeouts', {
        isLive,
        watchers: this.watchers.map((watcher) => watcher.isUpToDate),
        states: this.states(),
      })
    }
  }

  private isOfOneMind(core: readonly Server[]): boolean {
    // It may be one that was being repaired when the others were healed.
    const leader = this.servers.find((server) => server.isLeader)
    if (leader === undefined) return false
    // Who was removed need not hear of anything any more.
    const members = leader.configurations.flatMap(membersOf)
    const indexes = core
      .filter(({ id }) => members.includes(id))
      .map(({ node }) => node?.status().machine.appliedIndex ?? -1)
    return (
      indexes.every((index) => index === this.oracles.committed.length) &&
      this.watchers.every((watcher) => watcher.isUpToDate)
    )
  }

  private checkCalm(): void {
    const { options, faults, links, oracles } = this
    if (faults.counts.size > 0 || links.faults > 0 || options.nodes !== this.aliveCount()) return
    if (options.delayMeanMs > 10 || options.clockDrift > 0) return
    if (oracles.leadersSeen > 1) {
      throw new OracleViolation('without faults nobody is elected twice', {
        leaders: oracles.leadersSeen,
      })
    }
  }

  /** What clients did and saw so far. */
  operations(): readonly Operation[] {
    const values = new Set<number>()
    for (const { written } of this.ledger.activations) {
      for (const { content } of written) {
        if (content.kind === 'value' && typeof content.value === 'number') values.add(content.value)
      }
    }
    return this.history.operations(values)
  }

  private checkLinearizable(): void {
    const verdict = checkHistory(this.operations())
    if (verdict.verdict !== 'linearizable') {
      throw new OracleViolation('the history of every path is linearizable', { verdict })
    }
  }

  private aliveCount(): number {
    return this.servers.filter(({ isAlive }) => isAlive).length
  }

  private async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    this.events += await runTurns(this.schedule, endMs, () => this.violation !== null || isOver())
    if (this.violation !== null) throw this.violation.thrown
  }

  private attend(work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.violation ??= { thrown }
    })
  }

  private states(): unknown {
    return this.servers.map(({ id, node }) => {
      if (node === null) return { id, state: 'dead' }
      const { raft, machine } = node.status()
      const { role, term, leader, lastIndex, commitIndex, configuration, peers } = raft
      return {
        id,
        role,
        term,
        leader,
        lastIndex,
        commitIndex,
        configuration,
        applied: machine.appliedIndex,
        peers,
      }
    })
  }

  private report(): ClusterReport {
    const { oracles, ledger, history, faults, links, requests } = this
    return {
      seed: this.options.seed,
      digest: this.digest.text(),
      events: this.events,
      virtualMs: this.schedule.nowMs,
      faults: { ...Object.fromEntries(faults.counts), message: links.faults },
      machines: { ...Object.fromEntries(this.counts), ...refusedFor(links.refusals) },
      levelsRaised: this.release?.isLive === true ? 1 : 0,
      terms: oracles.leadersSeen,
      committed: oracles.committed.length,
      activated: ledger.activations.length,
      writesAcknowledged: history.writesAcknowledged,
      readsAnswered: history.readsAnswered,
      batchesWatched: this.watchers.reduce((sum, watcher) => sum + watcher.batches, 0),
      starts: this.servers.reduce((sum, server) => sum + server.starts, 0),
      memberships: this.operator?.changes ?? 0,
      sites: this.rare.taken,
      codes: Object.fromEntries([...requests.codes].sort()),
    }
  }
}

function refusedFor(refusals: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...refusals].map(([field, count]) => [`stream refused for its ${field}`, count]),
  )
}
