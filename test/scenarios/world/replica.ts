/** One node: the real core, and by hand what a process does around it. */
import {
  InvariantChecker,
  Raft,
  logIndex,
  type Entry,
  type Event,
  type LogIndex,
  type MembershipOutcome,
  type Message,
  type NodeId,
  type Output,
  type ProposalOutcome,
  type RaftFacts,
  type RaftOptions,
  type ReadOutcome,
  type SnapshotMeta,
} from '../../../src/raft/index.js'
import { InvariantViolation } from '../../../src/invariant.js'
import type { Disk } from './disk.js'
import type { Oracles } from './oracles.js'
import { applyTo, machineFrom, machineOf, type StateMachine } from './state-machine.js'
import { StoredLog } from './stored-log.js'

/** What a node tells the world around it. */
export interface Surroundings {
  readonly oracles: Oracles
  readonly post: (messages: readonly Message[]) => void
  /** The content of a peer's snapshot, when that peer is alive and has it. */
  readonly snapshotOf: (peer: NodeId, index: LogIndex) => readonly string[] | null
}

/** Options that a scenario sets, all but what the disk holds. */
export type ReplicaOptions = Omit<
  RaftOptions,
  'id' | 'snapshot' | 'anchor' | 'hardState' | 'entries' | 'applied' | 'trace'
>

interface Life {
  readonly raft: Raft
  readonly checker: InvariantChecker
  readonly log: StoredLog
  facts: RaftFacts
}

export class Replica {
  readonly id: NodeId
  readonly disk: Disk
  readonly proposals = new Map<number, ProposalOutcome>()
  readonly reads = new Map<number, ReadOutcome>()
  readonly changes = new Map<number, MembershipOutcome>()
  /** Commit index of the whole cluster when a read came in. */
  private readonly readSince = new Map<number, LogIndex>()
  /** The sentence of the broken invariant that stopped this node. */
  failure: string | null = null
  paused = false
  applyHeld = false
  fetchHeld = false
  fetching: Output['fetchSnapshot'] = null
  private waitingApply: { readonly restore: SnapshotMeta | null; readonly entries: Entry[] }[] = []
  private readonly options: ReplicaOptions
  private readonly around: Surroundings
  private machine: StateMachine
  private life: Life | null = null

  constructor(id: NodeId, options: ReplicaOptions, disk: Disk, around: Surroundings) {
    this.id = id
    this.options = options
    this.disk = disk
    this.around = around
    this.machine = machineOf(disk)
  }

  get alive(): boolean {
    return this.life !== null
  }

  /** Throws when the node is not alive. */
  get core(): Raft {
    return this.living().raft
  }

  get log(): StoredLog {
    return this.living().log
  }

  get commands(): readonly string[] {
    return this.machine.commands
  }

  /** A state machine starts from the snapshot: what it applied since was not synced. */
  start(): void {
    this.machine = machineOf(this.disk)
    const { hardState, log, snapshot } = this.disk
    this.guarded(() => {
      const raft = new Raft({
        ...this.options,
        id: this.id,
        snapshot: snapshot.meta,
        anchor: log.anchor,
        hardState,
        entries: log.entries,
        applied: this.machine.applied,
        trace: false,
      })
      const facts = raft.facts()
      const checker = new InvariantChecker()
      checker.check(facts)
      this.life = { raft, checker, log: new StoredLog(log.anchor, log.entries), facts }
    })
    if (this.life !== null) this.drain()
  }

  crash(synced: number): void {
    this.living()
    this.disk.crash(synced)
    this.stop()
  }

  /** The disk refuses the write: nothing of it is acknowledged, and the process ends. */
  failWrite(): void {
    this.disk.crash(0)
    this.stop()
  }

  private stop(): void {
    this.life = null
    this.fetching = null
    this.fetchHeld = false
    this.applyHeld = false
    this.paused = false
    this.waitingApply = []
  }

  step(event: Event): void {
    if (this.life === null) return
    if (event.kind === 'read') this.readSince.set(event.id, this.around.oracles.commitMax)
    this.stepCore(event)
    this.drain()
  }

  /** Syncs up to `count` writes, and reports their completion in this order (1: the oldest). */
  write(count: number, reported: readonly number[]): void {
    const effects = Array.from({ length: count }, () => this.disk.writeNext())
    for (const position of reported) {
      const effect = effects[position - 1] ?? null
      if (effect === null) throw new Error(`no write ${String(position)} was under way`)
      this.stepCore({ kind: 'persisted', token: effect.token })
      if (this.life === null) return
      this.around.post(effect.thenSend)
    }
    this.drain()
  }

  releaseDisk(): void {
    this.disk.held = false
    this.writeAll()
    this.drain()
  }

  releaseApply(): void {
    this.applyHeld = false
    for (const item of this.waitingApply.splice(0)) this.apply(item.restore, item.entries)
    this.drain()
  }

  /** The fetch under way comes to its end; nothing happens when the peer has it no more. */
  completeFetch(): void {
    const { fetching } = this
    if (fetching === null) throw new Error(`node ${this.id} fetches no snapshot`)
    this.fetching = null
    const commands = this.around.snapshotOf(fetching.from, fetching.snapshot.index)
    if (commands === null) return
    this.disk.staged = { meta: fetching.snapshot, commands }
    this.step({ kind: 'snapshotFetched', snapshot: fetching.snapshot })
  }

  failFetch(): void {
    if (this.fetching === null) throw new Error(`node ${this.id} fetches no snapshot`)
    this.fetching = null
  }

  /** Saves what the state machine holds. */
  saveSnapshot(index: LogIndex): void {
    const { machine } = this
    if (machine.applied !== index) {
      throw new Error(`node ${this.id} has applied ${String(machine.applied)}`)
    }
    const snapshotTerm = this.log.termAt(index)
    if (snapshotTerm === null) throw new Error(`entry ${String(index)} is in no log any more`)
    const { configuration, configurationIndex } = machine
    const meta = { index, term: snapshotTerm, configuration, configurationIndex }
    this.disk.save({ meta, commands: [...machine.commands] })
    this.step({ kind: 'snapshotSaved', snapshot: meta })
  }

  private living(): Life {
    if (this.life === null) throw new Error(`node ${this.id} is not alive`)
    return this.life
  }

  /** A broken invariant of the core is a fail-stop of this node; the scenario must expect it. */
  private guarded(work: () => void): void {
    try {
      work()
    } catch (thrown) {
      if (!(thrown instanceof InvariantViolation)) throw thrown
      this.failure = thrown.message
      this.disk.crash(0)
      this.stop()
    }
  }

  private stepCore(event: Event): void {
    this.guarded(() => {
      const { raft, checker } = this.living()
      raft.step(event)
      checker.check(raft.facts())
    })
  }

  private drain(): void {
    while (this.life !== null) {
      const output = this.takeOutput(this.life)
      if (output === null) return
      this.carryOut(this.life, output)
    }
  }

  private takeOutput(life: Life): Output | null {
    let output: Output | null = null
    this.guarded(() => {
      output = life.raft.takeOutput()
    })
    return output
  }

  private carryOut(life: Life, output: Output): void {
    if (output.persist !== null) this.remember(life, output)
    this.observe(life)
    this.around.post(output.send)
    for (const outcome of output.proposals) this.proposals.set(outcome.id, outcome)
    for (const outcome of output.memberships) this.changes.set(outcome.id, outcome)
    for (const outcome of output.reads) this.answer(outcome)
    if (output.fetchSnapshot !== null) this.fetching = output.fetchSnapshot
    if (output.restore !== null || output.apply.length > 0) {
      if (this.applyHeld) {
        this.waitingApply.push({ restore: output.restore, entries: [...output.apply] })
      } else this.apply(output.restore, output.apply)
    }
    if (!this.disk.held) this.writeAll()
    if (this.fetching !== null && !this.fetchHeld) this.completeFetch()
  }

  private remember(life: Life, { persist }: Output): void {
    if (persist === null) return
    life.log.follow(persist)
    for (const entry of persist.entries) {
      this.around.oracles.appended(this.id, entry, life.log.termAt(entry.index - 1) ?? 0)
    }
    this.disk.queue.push(persist)
  }

  private observe(life: Life): void {
    const before = life.facts
    life.facts = life.raft.facts()
    this.around.oracles.observe({
      id: this.id,
      before,
      after: life.facts,
      log: life.log,
      configuration: life.raft.status().configuration,
    })
  }

  private answer(outcome: ReadOutcome): void {
    this.reads.set(outcome.id, outcome)
    if (outcome.kind !== 'ready') return
    const since = this.readSince.get(outcome.id) ?? logIndex(0)
    this.around.oracles.answered(this.id, String(outcome.id), outcome.index, since)
  }

  private writeAll(): void {
    while (this.life !== null && this.disk.queue.length > 0) this.write(1, [1])
  }

  private apply(restore: SnapshotMeta | null, entries: readonly Entry[]): void {
    const { machine } = this
    if (restore !== null) {
      const stored = [this.disk.staged, this.disk.snapshot].find(
        (snapshot) => snapshot?.meta.index === restore.index,
      )
      if (!stored) throw new Error(`snapshot ${String(restore.index)} is not on this node`)
      this.machine = machineFrom(stored.meta, stored.commands)
      this.stepCore({ kind: 'applied', index: restore.index })
    }
    for (const entry of entries) {
      this.around.oracles.applied(this.id, entry)
      applyTo(restore === null ? machine : this.machine, entry)
    }
    const last = entries.at(-1)
    if (last !== undefined) this.stepCore({ kind: 'applied', index: last.index })
  }
}
