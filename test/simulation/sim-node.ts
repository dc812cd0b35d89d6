/**
 * One node of the simulation: an inbox that is drained as a batch, a clock of its own speed, a disk
 * and a state machine around the real core. The drain is what the real node does: step every
 * event, take the output once, send, write, apply.
 */
import {
  InvariantChecker,
  Raft,
  logIndex,
  configurationOf,
  type Configuration,
  type Entry,
  type Event,
  type Message,
  type NodeId,
  type Output,
  type PersistEffect,
  type RaftFacts,
  type RaftOptions,
} from '../../src/raft/index.js'
import type { EventDigest } from './digest.js'
import { Disk } from './disk.js'
import { LogView } from './log-view.js'
import type { Network } from './network.js'
import type { SimulationOptions } from './options.js'
import type { Oracles } from './oracles.js'
import type { SeededRandom } from './random.js'
import { Registers } from './register.js'
import type { Schedule } from './schedule.js'
import { Snapshots } from './snapshots.js'

export const tickMs = 10
export const heartbeatTicks = 10
export const electionTicksMin = 100
export const electionTicksMax = 200

export interface World {
  readonly options: SimulationOptions
  readonly schedule: Schedule
  readonly network: Network
  readonly digest: EventDigest
  readonly oracles: Oracles
  /** The voters of the founding configuration; every other node waits to be admitted. */
  readonly voters: readonly NodeId[]
  readonly node: (id: NodeId) => SimNode | undefined
  /** A state machine was replaced by a snapshot. */
  readonly restored: () => void
}

/** What clients want to hear of a node. */
export interface NodeListener {
  readonly output: (node: SimNode, output: Output) => void
  readonly applied: (node: SimNode, entry: Entry) => void
  readonly died: (node: SimNode) => void
}

interface Life {
  readonly raft: Raft
  readonly checker: InvariantChecker
  readonly registers: Registers
  readonly snapshots: Snapshots
  /** Everything in the core's memory, followed by what it tells the disk. */
  readonly log: LogView
  inbox: Event[]
  drainPlanned: boolean
  facts: RaftFacts
}

export class SimNode {
  readonly id: NodeId
  readonly disk: Disk
  steps = 0
  /** Nothing is drained before this time: the event loop is blocked. */
  stalledUntilMs = 0
  private readonly world: World
  private readonly random: SeededRandom
  private readonly listener: NodeListener
  private readonly clockRate: number
  private readonly limits: RaftOptions['limits']
  private life: Life | null = null
  /** Of the state store, which is not synced: what a restart may find. */
  private appliedBefore = 0

  constructor(id: NodeId, world: World, random: SeededRandom, listener: NodeListener) {
    this.id = id
    this.world = world
    this.random = random
    this.listener = listener
    this.disk = new Disk(world.options, world.schedule, random.fork(), world.voters)
    const { keptEntries } = world.options
    const drift = world.options.clockDrift
    this.clockRate = random.between(1 - drift, 1 + drift)
    this.limits = world.options.tightLimits
      ? {
          appendBytesMax: 120,
          inflightMessagesMax: 3,
          inflightBytesMax: 300,
          uncommittedBytesMax: 64,
          applyingBytesMax: 16,
          keptEntries,
          pinTicksMax: 200,
          pinnedBytesMax: 400,
        }
      : {
          appendBytesMax: 1 << 20,
          inflightMessagesMax: 256,
          inflightBytesMax: 8 << 20,
          uncommittedBytesMax: 64 << 20,
          applyingBytesMax: 64 << 20,
          keptEntries,
          pinTicksMax: 1_000,
          pinnedBytesMax: 64 << 20,
        }
  }

  get alive(): boolean {
    return this.life !== null
  }

  get facts(): RaftFacts | null {
    return this.life?.facts ?? null
  }

  /** The configuration that this node follows, dead or alive. */
  get configuration(): Configuration {
    return this.life?.raft.status().configuration ?? this.disk.configuration
  }

  /** What this node goes by, in memory and after a restart, and what it is asked to turn into. */
  get configurations(): readonly Configuration[] {
    const asked = (this.life?.inbox ?? []).flatMap((event) =>
      event.kind === 'changeMembership' ? [configurationOf(event.voters)] : [],
    )
    return [this.configuration, this.disk.configuration, ...asked]
  }

  get registers(): Registers | null {
    return this.life?.registers ?? null
  }

  start(): void {
    const { options, schedule } = this.world
    this.disk.finishInstall()
    const { hardState, anchor, entries, snapshot } = this.disk
    const saved = snapshot.meta.index
    const applied = Math.min(
      Math.max(saved, this.random.int(0, this.appliedBefore)),
      this.disk.lastIndex,
    )
    const registers = new Registers()
    registers.restore(snapshot.values, saved)
    const replayed = entries.filter(({ index }) => index > saved && index <= applied)
    for (const entry of replayed) registers.apply(entry)
    const random = this.random.fork()
    const raft = new Raft({
      id: this.id,
      snapshot: snapshot.meta,
      anchor,
      hardState,
      entries,
      applied: logIndex(applied),
      heartbeatTicks,
      electionTicksMin,
      electionTicksMax,
      refusalTicksMax: 4,
      limits: this.limits,
      random: () => random.next(),
      trace: false,
    })
    const life: Life = {
      raft,
      checker: new InvariantChecker(),
      registers,
      snapshots: new Snapshots(this, this.world, replayed),
      log: new LogView(anchor, entries),
      inbox: [],
      drainPlanned: false,
      facts: raft.facts(),
    }
    life.checker.check(life.facts)
    this.life = life
    this.stalledUntilMs = 0
    this.world.digest.add(schedule.nowMs, 'start', this.id, applied)
    this.planTick(life, options.clockDrift > 0 ? this.clockRate : 1)
    this.planDrain(life)
  }

  crash(): void {
    if (this.life === null) return
    this.world.digest.add(this.world.schedule.nowMs, 'crash', this.id)
    this.appliedBefore = this.life.registers.applied
    this.life.snapshots.end()
    this.life = null
    this.disk.crash()
    this.listener.died(this)
  }

  /** Puts an event into the inbox; it is seen with the next drain. */
  post(event: Event): void {
    const { life } = this
    if (life === null) return
    life.inbox.push(event)
    this.planDrain(life)
  }

  private planTick(life: Life, rate: number): void {
    this.world.schedule.after(tickMs / rate, () => {
      if (life !== this.life) return
      // A blocked loop hands in what it missed, capped at one heartbeat interval.
      const ticks = life.inbox.filter((event) => event.kind === 'tick').length
      if (ticks < heartbeatTicks) this.post({ kind: 'tick', ticks: 1 })
      this.planTick(life, rate)
    })
  }

  private planDrain(life: Life): void {
    if (life.drainPlanned) return
    life.drainPlanned = true
    const blockedMs = Math.max(0, this.stalledUntilMs - this.world.schedule.nowMs)
    this.world.schedule.after(blockedMs + this.random.between(0, 0.2), () => {
      if (life !== this.life) return
      life.drainPlanned = false
      this.drain(life)
    })
  }

  private drain(life: Life): void {
    const { digest, schedule, oracles } = this.world
    const before = life.facts
    const events = life.inbox
    life.inbox = []
    for (const event of events) {
      digest.add(schedule.nowMs, this.id, event.kind)
      life.raft.step(event)
      this.steps += 1
      life.checker.check(life.raft.facts())
    }
    const output = life.raft.takeOutput()
    life.facts = life.raft.facts()
    life.checker.check(life.facts)
    if (output === null) return
    digest.add(output.send.length, output.apply.length, output.persist?.token ?? 0)
    if (output.persist !== null) this.followLog(life, output.persist)
    oracles.observe(this.id, before, life.facts, life.log)
    this.send(output.send)
    if (output.persist !== null) this.persist(life, output.persist)
    this.listener.output(this, output)
    if (output.restore !== null) life.snapshots.restore(output.restore, life.registers)
    if (output.fetchSnapshot !== null) {
      life.snapshots.fetch(output.fetchSnapshot.from, output.fetchSnapshot.snapshot)
    }
    this.apply(life, output.apply)
  }

  private followLog(life: Life, effect: PersistEffect): void {
    life.log.follow(effect, (entry, termBefore) => {
      this.world.oracles.appended(this.id, entry, termBefore)
    })
  }

  private persist(life: Life, effect: PersistEffect): void {
    const early = this.world.options.mutant === 'replies leave before the disk'
    if (early) {
      this.send(effect.thenSend)
      this.post({ kind: 'persisted', token: effect.token })
    }
    this.disk.write(effect, () => {
      if (life !== this.life || early) return
      this.send(effect.thenSend)
      this.post({ kind: 'persisted', token: effect.token })
    })
  }

  private send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.world.oracles.sent(message)
      this.world.network.send(message)
    }
  }

  private apply(life: Life, entries: readonly Entry[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    for (const entry of entries) {
      this.world.oracles.applied(this.id, entry)
      life.registers.apply(entry)
      this.listener.applied(this, entry)
    }
    this.post({ kind: 'applied', index: last.index })
    life.snapshots.applied(entries, life.registers)
  }
}
