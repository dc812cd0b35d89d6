/**
 * A small world around the real core, for exhaustive search: every step is one numbered action, and
 * the same actions from the same beginning give the same world. Time is counted in the fewest ticks
 * that still tell the timeouts apart; all randomness of the core is fixed.
 *
 * The network keeps each message until it is delivered, in any order, or never; a crash loses what
 * the disk does not hold yet. An election timeout is one step: no tick of it does anything else.
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
  type RaftFacts,
} from '../../src/raft/index.js'
import { cloneDeep } from './clone.js'
import { fingerprint } from './fingerprint.js'

export interface Bounds {
  readonly nodes: number
  /** No node campaigns beyond this term. */
  readonly terms: number
  /** No proposal makes a log longer than this; no-ops count. */
  readonly entries: number
  readonly crashes: number
  /** Messages in flight; while it is full, the oldest is lost for each new one. */
  readonly messages: number
}

export interface Beginning {
  readonly name: string
  /** Terms of the log of each node, from index 1, its current term, and for whom it voted there. */
  readonly nodes: readonly {
    readonly log: readonly number[]
    readonly term: number
    readonly votedFor: NodeId | null
  }[]
}

/**
 * One step of the world. A node's writes become durable at the end of the step that asked for them,
 * unless it crashes there: `crash` is the node's end before its disk has heard of the step.
 */
export interface Action {
  readonly kind: 'timeout' | 'heartbeat' | 'propose' | 'deliver'
  /** Who acts; of a delivery the receiver. */
  readonly node: number
  /** Of a delivery: its place in the network. */
  readonly message: number
  readonly crash: boolean
}

interface Disk {
  hardState: HardState
  entries: Entry[]
}

interface Member {
  readonly id: NodeId
  readonly disk: Disk
  raft: Raft
  checker: InvariantChecker
  writing: PersistEffect[]
  /** The whole log as the core holds it. */
  log: Entry[]
}

/** Two ticks without a leader are an election timeout; a heartbeat is one. */
const ticks = { heartbeat: 1, electionMin: 2, electionMax: 3 }

export class SafetyViolation extends Error {}

export class World {
  private readonly bounds: Bounds
  private readonly members: readonly Member[]
  private network: Message[] = []
  private crashes = 0
  private proposals = 0
  private readonly leaders = new Map<number, NodeId>()
  private readonly committed: Entry[] = []

  constructor(bounds: Bounds, beginning: Beginning) {
    this.bounds = bounds
    const ids = Array.from({ length: bounds.nodes }, (_, at) => nodeId(at))
    this.members = ids.map((id, at) => {
      const start = beginning.nodes[at] ?? { log: [], term: 0, votedFor: null }
      const disk: Disk = {
        hardState: {
          term: term(start.term),
          votedFor: start.votedFor,
          commit: logIndex(0),
        },
        entries: start.log.map((value, position) => ({
          index: logIndex(position + 1),
          term: term(value),
          kind: 'command',
          payload: Uint8Array.of(position + 1, value),
        })),
      }
      return { id, disk, ...begin(id, ids, disk), writing: [], log: [...disk.entries] }
    })
  }

  /** What may happen next, always in the same order. */
  actions(): readonly Action[] {
    const actions: Action[] = []
    const add = (kind: Action['kind'], node: number, message = 0) => {
      actions.push({ kind, node, message, crash: false })
      if (this.crashes < this.bounds.crashes) actions.push({ kind, node, message, crash: true })
    }
    this.members.forEach(({ raft }, node) => {
      const { role, lastIndex, term: current } = raft.facts()
      if (role === 'leader') {
        add('heartbeat', node)
        if (lastIndex < this.bounds.entries) add('propose', node)
      } else if (current < this.bounds.terms) {
        // Who would campaign beyond the bound waits for ever, one of its behaviours anyway.
        add('timeout', node)
      }
    })
    const told = new Set<string>()
    this.network.forEach((message, place) => {
      const text = fingerprint(message, () => 0)
      if (told.has(text)) return
      told.add(text)
      add(
        'deliver',
        this.members.findIndex(({ id }) => id === message.to),
        place,
      )
    })
    return actions
  }

  /** Throws SafetyViolation, or the core's InvariantViolation. */
  act(action: Action): void {
    const member = this.member(action.node)
    this.step(member, this.eventOf(action))
    if (action.crash) {
      this.crash(member)
      return
    }
    while (member.writing.length > 0) this.durable(member)
  }

  /** A world of its own that goes on from here. */
  copy(): this {
    return cloneDeep(this)
  }

  /** Equal worlds have equal fingerprints, whatever way led to them. */
  fingerprint(): string {
    const sessions = new Map(this.members.map(({ id, raft }) => [id, lastSessionOf(raft)]))
    const sessionOf = (node: NodeId) => sessions.get(node) ?? 0
    const world = {
      nodes: this.members.map(({ raft, disk, writing }) => ({ raft, disk, writing })),
      network: this.network.map((message) => fingerprint(message, sessionOf)).sort(),
      crashes: this.crashes,
      leaders: this.leaders,
      committed: this.committed.map((entry) => entry.term),
    }
    return fingerprint(world, sessionOf)
  }

  facts(): readonly RaftFacts[] {
    return this.members.map(({ raft }) => raft.facts())
  }

  private member(node: number): Member {
    const member = this.members[node]
    if (member === undefined) throw new Error(`there is no node ${String(node)}`)
    return member
  }

  private eventOf({ kind, message: place }: Action): Event {
    switch (kind) {
      case 'timeout':
        return { kind: 'tick', ticks: ticks.electionMax }
      case 'heartbeat':
        return { kind: 'tick', ticks: ticks.heartbeat }
      case 'propose':
        this.proposals += 1
        return { kind: 'propose', id: this.proposals, payload: Uint8Array.of(200, this.proposals) }
      case 'deliver': {
        const [message] = this.network.splice(place, 1)
        if (message === undefined) throw new Error(`no message waits at ${String(place)}`)
        return { kind: 'receive', message }
      }
    }
  }

  private step(member: Member, event: Event): void {
    member.raft.step(event)
    member.checker.check(member.raft.facts())
    const output = member.raft.takeOutput()
    member.checker.check(member.raft.facts())
    if (output !== null) {
      this.send(output.send)
      const { persist } = output
      if (persist !== null) {
        if (persist.truncateAfter !== null) member.log.length = persist.truncateAfter
        member.log.push(...persist.entries)
        member.writing.push(persist)
      }
      this.checkApplied(member, output.apply)
      const last = output.apply.at(-1)
      if (last !== undefined) member.raft.step({ kind: 'applied', index: last.index })
    }
    this.checkSafety(member)
  }

  private durable(member: Member): void {
    const { disk, writing } = member
    const effect = writing.shift()
    if (effect === undefined) return
    if (effect.hardState !== null) disk.hardState = effect.hardState
    if (effect.truncateAfter !== null) disk.entries.length = effect.truncateAfter
    disk.entries.push(...effect.entries)
    this.send(effect.thenSend)
    this.step(member, { kind: 'persisted', token: effect.token })
  }

  private crash(member: Member): void {
    this.crashes += 1
    member.writing = []
    member.log = [...member.disk.entries]
    const ids = this.members.map(({ id }) => id)
    Object.assign(member, begin(member.id, ids, member.disk))
  }

  protected send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.network.push(message)
      if (this.network.length > this.bounds.messages) this.network.shift()
    }
  }

  /** State-machine safety (3.6.3): nobody applies another entry at an index. */
  private checkApplied(member: Member, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const known = this.committed[entry.index - 1]
      if (known === undefined) this.committed[entry.index - 1] = entry
      else if (!sameEntry(known, entry)) {
        throw new SafetyViolation(
          `${member.id} applies another entry at ${String(entry.index)}: term ${String(entry.term)}, ` +
            `not ${String(known.term)}`,
        )
      }
    }
  }

  private checkSafety(member: Member): void {
    const facts = member.raft.facts()
    if (facts.role !== 'leader') return
    const known = this.leaders.get(facts.term)
    if (known !== undefined && known !== member.id) {
      throw new SafetyViolation(
        `term ${String(facts.term)} has two leaders: ${known}, ${member.id}`,
      )
    }
    this.leaders.set(facts.term, member.id)
    // Leader completeness (3.6.3): a leader holds all that was committed in earlier terms.
    for (const entry of this.committed) {
      const own = member.log[entry.index - 1]
      if (entry.term < facts.term && (own === undefined || !sameEntry(own, entry))) {
        throw new SafetyViolation(
          `${member.id} leads term ${String(facts.term)} without the committed entry ${String(entry.index)}`,
        )
      }
    }
    this.checkLogMatching()
  }

  /** Log matching (3.5): logs that share index and term of an entry are equal up to it. */
  private checkLogMatching(): void {
    for (const a of this.members) {
      for (const b of this.members) {
        if (a.id >= b.id) continue
        const shared = Math.min(a.log.length, b.log.length)
        let meet = shared
        while (meet > 0 && a.log[meet - 1]?.term !== b.log[meet - 1]?.term) meet -= 1
        for (let at = 0; at < meet; at += 1) {
          const [left, right] = [a.log[at], b.log[at]]
          if (left !== undefined && right !== undefined && !sameEntry(left, right)) {
            throw new SafetyViolation(
              `the logs of ${a.id} and ${b.id} share entry ${String(meet)} and differ at ${String(at + 1)}`,
            )
          }
        }
      }
    }
  }
}

export function nodeId(at: number): NodeId {
  return String.fromCharCode('a'.charCodeAt(0) + at)
}

function sameEntry(a: Entry, b: Entry): boolean {
  return (
    a.term === b.term &&
    a.payload.length === b.payload.length &&
    a.payload.every((byte, at) => byte === b.payload[at])
  )
}

function begin(
  id: NodeId,
  voters: readonly NodeId[],
  disk: Disk,
): { readonly raft: Raft; readonly checker: InvariantChecker } {
  const raft = new Raft({
    id,
    snapshot: foundingSnapshot(voters),
    anchor: origin,
    hardState: disk.hardState,
    entries: [...disk.entries],
    applied: logIndex(0),
    heartbeatTicks: ticks.heartbeat,
    electionTicksMin: ticks.electionMin,
    electionTicksMax: ticks.electionMax,
    refusalTicksMax: 0,
    limits: {
      appendBytesMax: 1 << 20,
      inflightMessagesMax: 256,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax: 1 << 20,
      applyingBytesMax: 1 << 20,
      keptEntries: 1 << 20,
      pinTicksMax: 1 << 20,
      pinnedBytesMax: 1 << 20,
    },
    random: () => 0,
    trace: false,
  })
  const checker = new InvariantChecker()
  checker.check(raft.facts())
  return { raft, checker }
}

/** The core shows it to nobody, since nobody else has a use for it. */
function lastSessionOf(raft: Raft): number {
  return (raft as unknown as { readonly core: { readonly lastSession: number } }).core.lastSession
}
