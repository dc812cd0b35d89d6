/**
 * A few cores joined by hand for scripted scenarios: messages wait in a queue until `settle`, disks
 * write at once unless held, and nothing happens by itself. Every step is followed by the
 * invariants. The random simulator is test/simulation.
 */
import {
  InvariantChecker,
  Raft,
  foundingSnapshot,
  logIndex,
  origin,
  term,
  type Entry,
  type Event,
  type HardState,
  type MembershipOutcome,
  type LogAnchor,
  type Message,
  type NodeId,
  type Output,
  type PersistEffect,
  type ProposalOutcome,
  type RaftOptions,
  type ReadOutcome,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import { decodeConfiguration } from '../../src/raft/membership/codec.js'

export const heartbeatTicks = 10
export const electionTicksMin = 100
export const electionTicksMax = 200

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** A log written as its terms: `logOf(1, 1, 3)` has entries 1/1, 2/1 and 3/3. */
export function logOf(...terms: number[]): Entry[] {
  return terms.map((value, position) => ({
    index: logIndex(position + 1),
    term: term(value),
    kind: 'command',
    payload: bytes(`${String(position + 1)}/${String(value)}`),
  }))
}

export function optionsOf(id: NodeId, voters: readonly NodeId[]): RaftOptions {
  return {
    id,
    snapshot: foundingSnapshot(voters),
    anchor: origin,
    hardState: { term: term(0), votedFor: null, commit: logIndex(0) },
    entries: [],
    applied: logIndex(0),
    heartbeatTicks,
    electionTicksMin,
    electionTicksMax,
    refusalTicksMax: 4,
    limits: {
      appendBytesMax: 1 << 20,
      inflightMessagesMax: 256,
      inflightBytesMax: 8 << 20,
      uncommittedBytesMax: 64 << 20,
      applyingBytesMax: 64 << 20,
      keptEntries: 1000,
      pinTicksMax: 6000,
      pinnedBytesMax: 64 << 20,
    },
    random: () => 0,
    trace: false,
  }
}

/** A snapshot: the whole state of these machines is what they have applied. */
interface SnapshotFile {
  readonly meta: SnapshotMeta
  readonly applied: readonly Entry[]
}

type StateWork =
  | { readonly kind: 'restore'; readonly snapshot: SnapshotMeta }
  | { readonly kind: 'apply'; readonly entries: readonly Entry[] }

interface Member {
  raft: Raft
  checker: InvariantChecker
  readonly options: RaftOptions
  hardState: HardState
  anchor: LogAnchor
  entries: Entry[]
  /** Complete ones, by index, as a snapshot store holds them; the newest is found at a restart. */
  readonly files: Map<number, SnapshotFile>
  /** Effects that the disk has not written yet. */
  writes: PersistEffect[]
  heldDisk: boolean
  /** What the state machine has not done yet. */
  stateWork: StateWork[]
  heldState: boolean
  /** Asked for by the core and not complete. */
  fetch: Output['fetchSnapshot']
  heldFetches: boolean
  applied: Entry[]
  proposals: ProposalOutcome[]
  reads: ReadOutcome[]
  memberships: MembershipOutcome[]
  alive: boolean
}

export class Group {
  readonly members = new Map<NodeId, Member>()
  /** Sent and not delivered, in order. */
  wire: Message[] = []
  /** Every message that ever left. */
  readonly sent: Message[] = []
  /** Says which messages are lost. */
  lost: (message: Message) => boolean = () => false
  private nextId = 1

  constructor(
    voters: readonly NodeId[],
    change: (id: NodeId) => Partial<RaftOptions> = () => ({}),
  ) {
    for (const id of voters) {
      this.add({ ...optionsOf(id, voters), random: () => 0.5, ...change(id) })
    }
  }

  /** A node begins to run. One that the founding voters do not name belongs to nothing yet. */
  add(options: RaftOptions): void {
    this.members.set(options.id, {
      raft: new Raft(options),
      checker: new InvariantChecker(),
      options,
      hardState: options.hardState,
      anchor: options.anchor,
      entries: [...options.entries],
      files: new Map([[options.snapshot.index, { meta: options.snapshot, applied: [] }]]),
      writes: [],
      heldDisk: false,
      stateWork: [],
      heldState: false,
      fetch: null,
      heldFetches: false,
      applied: [],
      proposals: [],
      reads: [],
      memberships: [],
      alive: true,
    })
  }

  member(id: NodeId): Member {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`no member ${id}`)
    return member
  }

  status(id: NodeId) {
    return this.member(id).raft.status()
  }

  /** Steps one event and carries out what follows on this node; messages wait on the wire. */
  step(id: NodeId, ...events: Event[]): void {
    const member = this.member(id)
    if (!member.alive) return
    for (const event of events) {
      member.raft.step(event)
      member.checker.check(member.raft.facts())
    }
    this.drain(member)
  }

  /** Delivers until nothing is on its way. */
  settle(messagesMax = 100_000): void {
    for (let delivered = 0; ; delivered += 1) {
      if (delivered > messagesMax) throw new Error('the group does not come to rest')
      const message = this.wire.shift()
      if (message === undefined) {
        if (!this.fetchOne()) return
      } else if (!this.lost(message)) {
        this.step(message.to, { kind: 'receive', message })
      }
    }
  }

  /** A snapshot of what is applied now is saved, and the core may cut its log. */
  saveSnapshot(id: NodeId): SnapshotMeta {
    const member = this.member(id)
    const last = member.applied.at(-1)
    if (last === undefined) throw new Error(`${id} has applied nothing`)
    const meta = { index: last.index, term: last.term, ...configurationOfState(member) }
    member.files.set(meta.index, { meta, applied: [...member.applied] })
    this.step(id, { kind: 'snapshotSaved', snapshot: meta })
    return meta
  }

  holdFetches(id: NodeId): void {
    this.member(id).heldFetches = true
  }

  /** A fetch that waits goes on with the next `settle`. */
  releaseFetches(id: NodeId): void {
    this.member(id).heldFetches = false
  }

  /** Neither applies nor restores until released. */
  holdState(id: NodeId): void {
    this.member(id).heldState = true
  }

  releaseState(id: NodeId): void {
    const member = this.member(id)
    member.heldState = false
    this.workOnState(member)
    this.drain(member)
  }

  /** All living nodes see time pass, one tick at a time, delivering in between. */
  run(ticks: number, ids: readonly NodeId[] = [...this.members.keys()]): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      for (const id of ids) this.step(id, { kind: 'tick', ticks: 1 })
      this.settle()
    }
  }

  /** Only this node's election timer runs out. */
  campaign(id: NodeId): void {
    this.step(id, { kind: 'tick', ticks: electionTicksMax })
    this.settle()
  }

  /** The others' memory of the old leader fades first, so that nobody withholds a vote. */
  elect(id: NodeId): void {
    this.forgetTime(id)
    this.campaign(id)
    if (this.status(id).role !== 'leader') throw new Error(`${id} was not elected`)
  }

  /** For all but this node the least election timeout passes: less than their own timers have. */
  forgetTime(except: NodeId): void {
    for (const other of this.members.keys()) {
      if (other !== except) this.step(other, { kind: 'tick', ticks: electionTicksMin })
    }
  }

  propose(id: NodeId, text: string): number {
    const proposal = this.nextId++
    this.step(id, { kind: 'propose', id: proposal, payload: bytes(text) })
    return proposal
  }

  /** Asks this node for a change of the members; what became of the request at once. */
  change(
    id: NodeId,
    voters: readonly NodeId[],
    learners: readonly NodeId[] = [],
    basedOn: number | null = null,
  ): MembershipOutcome {
    const change = this.nextId++
    this.step(id, {
      kind: 'changeMembership',
      id: change,
      basedOn: basedOn === null ? null : logIndex(basedOn),
      voters,
      learners,
    })
    const outcome = this.member(id).memberships.find((one) => one.id === change)
    if (outcome === undefined) throw new Error('a change of the members has no outcome')
    return outcome
  }

  read(id: NodeId): number {
    const read = this.nextId++
    this.step(id, { kind: 'read', id: read })
    return read
  }

  outcomeOf(id: NodeId, read: number): ReadOutcome['kind'] | 'waiting' {
    return this.member(id).reads.find((outcome) => outcome.id === read)?.kind ?? 'waiting'
  }

  isolate(...ids: NodeId[]): void {
    this.lost = (message) => ids.includes(message.from) !== ids.includes(message.to)
  }

  heal(): void {
    this.lost = () => false
  }

  holdDisk(id: NodeId): void {
    this.member(id).heldDisk = true
  }

  /** Writes what waits, oldest first. */
  releaseDisk(id: NodeId): void {
    const member = this.member(id)
    member.heldDisk = false
    this.write(member)
  }

  /** What the disk has not written is gone. */
  crash(id: NodeId): void {
    const member = this.member(id)
    member.alive = false
    member.writes = []
    member.stateWork = []
    member.fetch = null
    this.wire = this.wire.filter((message) => message.to !== id)
  }

  restart(id: NodeId): void {
    const member = this.member(id)
    const { hardState, anchor, entries } = member
    const file = member.files.get(Math.max(...member.files.keys()))
    if (file === undefined) throw new Error(`${id} has no snapshot`)
    const { meta: snapshot } = file
    const applied = snapshot.index
    member.raft = new Raft({ ...member.options, hardState, snapshot, anchor, entries, applied })
    member.checker = new InvariantChecker()
    member.applied = [...file.applied]
    member.heldDisk = false
    member.heldState = false
    member.heldFetches = false
    member.alive = true
    for (const other of this.members.keys()) {
      if (other !== id) this.step(other, { kind: 'peerConnected', peer: id })
    }
    this.drain(member)
  }

  terms(id: NodeId): number[] {
    return this.member(id).entries.map((entry) => entry.term)
  }

  /** Commands applied, as text. */
  appliedTexts(id: NodeId): string[] {
    return this.member(id)
      .applied.filter((entry) => entry.kind === 'command')
      .map((entry) => new TextDecoder().decode(entry.payload))
  }

  private drain(member: Member): void {
    for (;;) {
      const output = member.raft.takeOutput()
      if (output === null) return
      this.carryOut(member, output)
    }
  }

  private carryOut(member: Member, output: Output): void {
    this.post(output.send)
    member.proposals.push(...output.proposals)
    member.reads.push(...output.reads)
    member.memberships.push(...output.memberships)
    if (output.persist !== null) member.writes.push(output.persist)
    if (output.fetchSnapshot !== null) member.fetch = output.fetchSnapshot
    if (output.restore !== null) {
      member.stateWork.push({ kind: 'restore', snapshot: output.restore })
    }
    if (output.apply.length > 0) member.stateWork.push({ kind: 'apply', entries: output.apply })
    if (!member.heldState) this.workOnState(member)
    if (!member.heldDisk) this.write(member)
  }

  private workOnState(member: Member): void {
    for (const work of member.stateWork.splice(0)) {
      if (work.kind === 'restore') {
        const file = member.files.get(work.snapshot.index)
        if (file === undefined) throw new Error('a snapshot is restored that is not stored')
        member.applied = [...file.applied]
      } else {
        member.applied.push(...work.entries)
      }
      const last = member.applied.at(-1)
      if (last === undefined) continue
      member.raft.step({ kind: 'applied', index: last.index })
      member.checker.check(member.raft.facts())
    }
  }

  /** One fetch is carried out, or fails without a word. Returns whether there was one. */
  fetchOne(): boolean {
    for (const [id, member] of this.members) {
      if (member.fetch === null || member.heldFetches || !member.alive) continue
      const { from, snapshot } = member.fetch
      member.fetch = null
      const source = this.member(from)
      const file = source.files.get(snapshot.index)
      const head = { from, to: id, term: term(0), session: 0 }
      const isLost = this.lost({ ...head, kind: 'snapshotOffer', snapshot })
      if (source.alive && !isLost && file !== undefined) {
        member.files.set(snapshot.index, file)
        this.step(id, { kind: 'snapshotFetched', snapshot })
      }
      return true
    }
    return false
  }

  private write(member: Member): void {
    for (const write of member.writes.splice(0)) {
      if (write.install !== null) {
        member.anchor = { index: write.install.index, term: write.install.term }
        member.entries = []
      }
      if (write.truncateAfter !== null) {
        member.entries.length = write.truncateAfter - member.anchor.index
      }
      member.entries.push(...write.entries)
      if (write.purgeTo !== null) purge(member, write.purgeTo)
      member.hardState = write.hardState ?? member.hardState
      member.raft.step({ kind: 'persisted', token: write.token })
      member.checker.check(member.raft.facts())
      this.post(write.thenSend)
    }
    this.drain(member)
  }

  private post(messages: readonly Message[]): void {
    this.wire.push(...messages)
    this.sent.push(...messages)
  }
}

function purge(member: Member, to: number): void {
  const last = member.entries[to - member.anchor.index - 1]
  if (last === undefined || to > Math.max(...member.files.keys())) {
    throw new Error(`a purge to ${String(to)} that no snapshot covers`)
  }
  member.entries = member.entries.slice(to - member.anchor.index)
  member.anchor = { index: last.index, term: last.term }
}

/** The configuration that the applied entries have brought: the committed one at their end. */
function configurationOfState(member: Member) {
  const entry = member.applied.findLast(({ kind }) => kind === 'configuration')
  const configuration = entry === undefined ? null : decodeConfiguration(entry.payload)
  const founding = member.options.snapshot
  return entry === undefined || configuration === null
    ? {
        configuration: founding.configuration,
        configurationIndex: founding.configurationIndex,
      }
    : { configuration, configurationIndex: entry.index }
}
