/** One node of the search: the real core, its disk, and what one step makes of them. */
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
import { cloneDeep } from './clone.js'
import { nodeId, ticks, type Beginning } from './model.js'

interface Disk {
  hardState: HardState
  entries: Entry[]
}

/** Not changed once it is made: a step works on a copy. */
export interface Replica {
  readonly id: NodeId
  readonly voters: readonly NodeId[]
  readonly disk: Disk
  raft: Raft
  checker: InvariantChecker
  /** The whole log as the core holds it. */
  log: readonly Entry[]
}

export type Stimulus =
  | { readonly kind: 'timeout' | 'heartbeat' | 'propose' | 'restart' }
  | { readonly kind: 'deliver'; readonly message: Message }

/** What others may judge a node by, at one point within a step. */
export interface Moment {
  readonly applied: readonly Entry[]
  /** The term that it leads. */
  readonly leads: number | null
  readonly log: readonly Entry[]
}

export interface Outcome {
  readonly replica: Replica
  readonly sent: readonly Message[]
  readonly moments: readonly Moment[]
}

export function beginReplica(at: number, nodes: number, beginning: Beginning): Replica {
  const start = beginning.nodes[at] ?? { log: [], term: 0, votedFor: null }
  const disk: Disk = {
    hardState: { term: term(start.term), votedFor: start.votedFor, commit: logIndex(0) },
    entries: start.log.map((value, position) => ({
      index: logIndex(position + 1),
      term: term(value),
      kind: 'command',
      payload: Uint8Array.of(position + 1, value),
    })),
  }
  const voters = Array.from({ length: nodes }, (_, place) => nodeId(place))
  const id = nodeId(at)
  return { id, voters, disk, ...started(id, voters, disk), log: [...disk.entries] }
}

/** The same replica and stimulus have the same outcome. Throws the core's InvariantViolation. */
export function act(before: Replica, stimulus: Stimulus, crash: boolean): Outcome {
  const step = new Step(cloneDeep(before))
  if (stimulus.kind === 'restart') step.restart()
  else {
    step.hear(eventOf(before, stimulus))
    if (crash) step.restart()
    else step.becomeDurable()
  }
  return step
}

function eventOf(
  replica: Replica,
  stimulus: Exclude<Stimulus, { readonly kind: 'restart' }>,
): Event {
  switch (stimulus.kind) {
    case 'timeout':
      return { kind: 'tick', ticks: ticks.electionMax }
    case 'heartbeat':
      return { kind: 'tick', ticks: ticks.heartbeat }
    case 'propose':
      // Index and term tell entries apart already.
      return { kind: 'propose', id: 1, payload: Uint8Array.of(200) }
    case 'deliver':
      return { kind: 'receive', message: inSession(replica, stimulus.message) }
    default:
      throw new Error('a restart is no event')
  }
}

class Step implements Outcome {
  readonly replica: Replica
  readonly sent: Message[] = []
  readonly moments: Moment[] = []
  private writing: PersistEffect[] = []

  constructor(replica: Replica) {
    this.replica = replica
  }

  hear(event: Event): void {
    const { raft, checker } = this.replica
    raft.step(event)
    checker.check(raft.facts())
    const output = raft.takeOutput()
    checker.check(raft.facts())
    if (output !== null) {
      this.send(output.send)
      const { persist } = output
      if (persist !== null) {
        const kept = this.replica.log.slice(0, persist.truncateAfter ?? undefined)
        this.replica.log = [...kept, ...persist.entries]
        this.writing.push(persist)
      }
    }
    const { role, term: current } = raft.facts()
    this.moments.push({
      applied: output?.apply ?? [],
      leads: role === 'leader' ? current : null,
      log: this.replica.log,
    })
    const last = output?.apply.at(-1)
    if (last !== undefined) raft.step({ kind: 'applied', index: last.index })
  }

  becomeDurable(): void {
    const { disk } = this.replica
    for (let effect = this.writing.shift(); effect !== undefined; effect = this.writing.shift()) {
      if (effect.hardState !== null) disk.hardState = effect.hardState
      if (effect.truncateAfter !== null) disk.entries.length = effect.truncateAfter
      disk.entries.push(...effect.entries)
      this.send(effect.thenSend)
      this.hear({ kind: 'persisted', token: effect.token })
    }
  }

  restart(): void {
    const { id, voters, disk } = this.replica
    this.writing = []
    Object.assign(this.replica, started(id, voters, disk), { log: [...disk.entries] })
  }

  private send(messages: readonly Message[]): void {
    for (const message of messages) this.sent.push(outOfSession(message))
  }
}

/**
 * A node leads a term once, and has one session with each other node in it, since no connection
 * breaks here. So its number follows from leader, term and peer; it is taken off on the way, to make
 * equal what differs in it alone, and put back for the leader who knows it.
 */
function outOfSession(message: Message): Message {
  return 'session' in message ? { ...message, session: 0 } : message
}

function inSession({ raft }: Replica, message: Message): Message {
  if (!('session' in message)) return message
  const { currentTerm, role } = coreOf(raft)
  const session = currentTerm === message.term ? role.peers?.get(message.from)?.session : undefined
  return session === undefined ? message : { ...message, session }
}

/** The core shows its sessions to nobody, since nobody else has a use for them. */
function coreOf(raft: Raft) {
  return (
    raft as unknown as {
      readonly core: {
        readonly currentTerm: number
        readonly role: { readonly peers?: ReadonlyMap<NodeId, { readonly session: number }> }
      }
    }
  ).core
}

function started(
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
