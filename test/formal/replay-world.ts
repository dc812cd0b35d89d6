/**
 * The real core, one instance a node, stepped exactly as the specification steps: an event and one
 * drain; a write completes as a step of its own; the network keeps what was sent until it is taken.
 * Timeouts pass only where an action says so: the ticks below are chosen so that nothing else fires.
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
  type Message,
  type NodeId,
  type PersistEffect,
} from '../../src/raft/index.js'
import { entryOfCore, messageOfCore, nobody, type Observation } from './observation.js'

interface Member {
  readonly id: NodeId
  hardState: HardState
  readonly disk: Entry[]
  /** The log as the writes so far tell it. */
  log: Entry[]
  writing: PersistEffect[]
  raft: Raft
  checker: InvariantChecker
}

const voters: readonly NodeId[] = ['a', 'b', 'c']

/**
 * The election timeout is 12 ticks: the least one and the same small part of the range each time.
 * The greatest one bounds what the specification leaves out, a quorum or a disk that is silent.
 */
const ticks = { heartbeat: 1, electionMin: 2, electionMax: 1_000_002, timeout: 20 }
const random = () => 0.00001

export class ReplayWorld {
  private readonly members: ReadonlyMap<NodeId, Member>
  private readonly network = new Map<string, Message>()
  private proposals = 0

  constructor() {
    const blank: HardState = { term: term(0), votedFor: null, commit: logIndex(0) }
    this.members = new Map(
      voters.map((id) => [
        id,
        { id, hardState: blank, disk: [], log: [], writing: [], ...start(id, blank, []) },
      ]),
    )
  }

  timeout(id: NodeId): void {
    this.step(this.member(id), { kind: 'tick', ticks: ticks.timeout })
  }

  /** The least election timeout passes, and no more. */
  elapse(id: NodeId): void {
    this.step(this.member(id), { kind: 'tick', ticks: ticks.electionMin })
  }

  heartbeat(id: NodeId): void {
    this.step(this.member(id), { kind: 'tick', ticks: ticks.heartbeat })
  }

  submit(id: NodeId, command: string): void {
    this.proposals += 1
    this.step(this.member(id), {
      ...{ kind: 'propose', id: this.proposals, payload: Buffer.from(command) },
    })
  }

  /** `keep`: the message may arrive once more. Throws when the core has sent no such message. */
  deliver(message: string, keep: boolean): void {
    const sent = this.network.get(message)
    if (sent === undefined) throw new Error(`the core has not sent: ${message}`)
    if (!keep) this.network.delete(message)
    this.step(this.member(sent.to), { kind: 'receive', message: sent })
  }

  persist(id: NodeId): void {
    const member = this.member(id)
    const effect = member.writing.shift()
    if (effect === undefined) throw new Error(`the disk of ${id} owes nothing`)
    if (effect.hardState !== null) member.hardState = effect.hardState
    if (effect.truncateAfter !== null) member.disk.length = effect.truncateAfter
    member.disk.push(...effect.entries)
    this.send(effect.thenSend)
    this.step(member, { kind: 'persisted', token: effect.token })
  }

  crash(id: NodeId): void {
    const member = this.member(id)
    member.writing = []
    member.log = [...member.disk]
    Object.assign(member, start(id, member.hardState, member.disk))
  }

  observe(): Observation {
    const nodes = [...this.members.values()].map(({ id, raft, hardState, disk, log, writing }) => {
      const facts = raft.facts()
      return [
        id,
        {
          role: facts.role,
          term: facts.term,
          votedFor: facts.votedFor ?? nobody,
          leader: facts.leader ?? nobody,
          log: log.map(entryOfCore),
          commitIndex: facts.commitIndex,
          durableIndex: facts.durableIndex,
          writes: writing.length,
          disk: {
            term: hardState.term,
            votedFor: hardState.votedFor ?? nobody,
            log: disk.map(entryOfCore),
          },
        },
      ] as const
    })
    return { nodes: Object.fromEntries(nodes), network: [...this.network.keys()].sort() }
  }

  private member(id: NodeId): Member {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`there is no node ${id}`)
    return member
  }

  private step(member: Member, event: Event): void {
    const { raft, checker } = member
    raft.step(event)
    const output = raft.takeOutput()
    checker.check(raft.facts())
    if (output === null) return
    this.send(output.send)
    const { persist, apply } = output
    if (persist !== null) {
      if (persist.truncateAfter !== null) member.log.length = persist.truncateAfter
      member.log.push(...persist.entries)
      member.writing.push(persist)
    }
    const last = apply.at(-1)
    if (last !== undefined) raft.step({ kind: 'applied', index: last.index })
  }

  private send(messages: readonly Message[]): void {
    for (const message of messages) this.network.set(messageOfCore(message), message)
  }
}

function start(
  id: NodeId,
  hardState: HardState,
  entries: readonly Entry[],
): Pick<Member, 'raft' | 'checker'> {
  const raft = new Raft({
    ...{ id, snapshot: foundingSnapshot(voters), anchor: origin, hardState, random },
    ...{ entries: [...entries], applied: logIndex(0), trace: false },
    heartbeatTicks: ticks.heartbeat,
    electionTicksMin: ticks.electionMin,
    electionTicksMax: ticks.electionMax,
    refusalTicksMax: 0,
    limits: {
      // One entry always fits, and no second one: as in the specification.
      appendBytesMax: 1,
      inflightMessagesMax: 1 << 20,
      inflightBytesMax: 1 << 30,
      uncommittedBytesMax: 1 << 20,
      applyingBytesMax: 1 << 20,
      keptEntries: 1 << 20,
      pinTicksMax: 1 << 20,
      pinnedBytesMax: 1 << 20,
    },
  })
  const checker = new InvariantChecker()
  checker.check(raft.facts())
  return { raft, checker }
}
