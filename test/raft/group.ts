/**
 * A few cores joined by hand for scripted scenarios: messages wait in a queue until `settle`, disks
 * write at once unless held, and nothing happens by itself. Every step is followed by the
 * invariants. The random simulator is test/simulation.
 */
import {
  InvariantChecker,
  Raft,
  logIndex,
  term,
  type Entry,
  type Event,
  type HardState,
  type Message,
  type NodeId,
  type Output,
  type PersistEffect,
  type ProposalOutcome,
  type RaftOptions,
  type ReadOutcome,
} from '../../src/raft/index.js'

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
    voters,
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
    },
    random: () => 0,
    trace: false,
  }
}

interface Member {
  raft: Raft
  checker: InvariantChecker
  readonly options: RaftOptions
  hardState: HardState
  entries: Entry[]
  /** Effects that the disk has not written yet. */
  writes: PersistEffect[]
  heldDisk: boolean
  applied: Entry[]
  proposals: ProposalOutcome[]
  reads: ReadOutcome[]
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
      const options = { ...optionsOf(id, voters), random: () => 0.5, ...change(id) }
      this.members.set(id, {
        raft: new Raft(options),
        checker: new InvariantChecker(),
        options,
        hardState: options.hardState,
        entries: [...options.entries],
        writes: [],
        heldDisk: false,
        applied: [],
        proposals: [],
        reads: [],
        alive: true,
      })
    }
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
    for (let delivered = 0; this.wire.length > 0; delivered += 1) {
      if (delivered > messagesMax) throw new Error('the group does not come to rest')
      const message = this.wire.shift()
      if (message !== undefined && !this.lost(message)) {
        this.step(message.to, { kind: 'receive', message })
      }
    }
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
    this.wire = this.wire.filter((message) => message.to !== id)
  }

  restart(id: NodeId): void {
    const member = this.member(id)
    const { hardState, entries } = member
    member.raft = new Raft({ ...member.options, hardState, entries, applied: logIndex(0) })
    member.checker = new InvariantChecker()
    member.applied = []
    member.heldDisk = false
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
    if (output.persist !== null) member.writes.push(output.persist)
    const last = output.apply.at(-1)
    if (last !== undefined) {
      member.applied.push(...output.apply)
      member.raft.step({ kind: 'applied', index: last.index })
    }
    if (!member.heldDisk) this.write(member)
  }

  private write(member: Member): void {
    for (const write of member.writes.splice(0)) {
      if (write.truncateAfter !== null) member.entries.length = write.truncateAfter
      member.entries.push(...write.entries)
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
