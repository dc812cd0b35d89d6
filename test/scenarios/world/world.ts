/**
 * The cluster of one scenario: real cores, and a network, disks and state machines that do what the
 * scenario says and nothing by themselves. Oracles look at every step.
 */
import {
  foundingSnapshot,
  logIndex,
  term,
  type Entry,
  type Event,
  type HardState,
  type Message,
  type NodeId,
  type RaftLimits,
} from '../../../src/raft/index.js'
import type { Position } from '../language/words.js'
import { Disk } from './disk.js'
import { Oracles } from './oracles.js'
import { Replica, type ReplicaOptions } from './replica.js'
import { StoredLog } from './stored-log.js'
import { Wire, passes, type MessageFilter } from './wire.js'

export const heartbeatTicks = 10
export const electionTicksMin = 100
export const electionTicksMax = 200

const messagesMax = 200_000

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function entryOf({ index, term: entryTerm }: Position): Entry {
  const payload = bytes(`${String(index)}/${String(entryTerm)}`)
  return { index, term: entryTerm, kind: 'command', payload }
}

export class World {
  readonly wire = new Wire()
  readonly oracles: Oracles
  /** Handles of the scenario (`p1`, `r2`, `c3`) to the node asked and the number of the request. */
  readonly requests = new Map<string, { readonly node: NodeId; readonly id: number }>()
  readonly limits: { -readonly [name in keyof RaftLimits]: RaftLimits[name] } = {
    appendBytesMax: 1 << 20,
    inflightMessagesMax: 256,
    inflightBytesMax: 8 << 20,
    uncommittedBytesMax: 64 << 20,
    applyingBytesMax: 64 << 20,
    keptEntries: 0,
    pinTicksMax: 10_000,
    pinnedBytesMax: 64 << 20,
  }
  readonly played = new Set<NodeId>()
  private readonly founders: NodeId[] = []
  private readonly learners: NodeId[] = []
  private readonly joining: NodeId[] = []
  private readonly laid = new Map<NodeId, { hardState: HardState; entries: Entry[] }>()
  private readonly replicas = new Map<NodeId, Replica>()
  private readonly seed: number | null
  private lastRequest = 0

  /** With a seed each node draws its timeouts from its own generator, else all take the middle. */
  constructor(seed: number | null) {
    this.seed = seed
    const disks = (): ReadonlyMap<NodeId, StoredLog> =>
      new Map([...this.replicas].map(([id, replica]) => [id, replica.disk.log]))
    this.oracles = new Oracles(disks, this.played)
  }

  // ---- before the start ---------------------------------------------------------------------

  found(role: 'voters' | 'learners' | 'joining' | 'played', nodes: readonly NodeId[]): void {
    this.mustNotRun()
    if (role === 'learners') this.learners.push(...nodes)
    else if (role === 'joining') this.joining.push(...nodes)
    else this.founders.push(...nodes)
    if (role === 'played') for (const id of nodes) this.played.add(id)
  }

  lay(id: NodeId, hardState: HardState, entries: readonly Entry[]): void {
    this.mustNotRun()
    this.laid.set(id, { hardState, entries: [...entries] })
  }

  /** The first command that needs a running cluster starts it. */
  start(): void {
    if (this.replicas.size > 0) return
    if (this.founders.length === 0) throw new Error('no nodes: begin with "nodes 1..3"')
    const founding = foundingSnapshot(this.founders, this.learners)
    for (const id of [...this.founders, ...this.learners, ...this.joining]) {
      if (this.played.has(id)) continue
      const disk = new Disk(founding)
      const laid = this.laid.get(id)
      if (laid !== undefined) this.fill(id, disk, laid)
      this.replicas.set(id, new Replica(id, this.optionsOf(id), disk, this.surroundings()))
    }
    for (const replica of this.replicas.values()) replica.start()
  }

  // ---- nodes --------------------------------------------------------------------------------

  replica(id: NodeId): Replica {
    this.start()
    const replica = this.replicas.get(id)
    if (replica === undefined) throw new Error(`there is no node ${id}`)
    return replica
  }

  get running(): readonly Replica[] {
    this.start()
    return [...this.replicas.values()].filter(({ alive }) => alive)
  }

  /** Has the cluster started? */
  get runs(): boolean {
    return this.replicas.size > 0
  }

  get all(): readonly Replica[] {
    return [...this.replicas.values()]
  }

  step(id: NodeId, event: Event): void {
    const replica = this.replica(id)
    if (!replica.alive) throw new Error(`node ${id} is not alive`)
    replica.step(event)
  }

  /** Names a new request of a scenario. */
  request(name: string, node: NodeId): number {
    if (this.requests.has(name)) throw new Error(`${name} was asked already`)
    this.lastRequest += 1
    this.requests.set(name, { node, id: this.lastRequest })
    return this.lastRequest
  }

  crash(id: NodeId, synced: number): void {
    this.replica(id).crash(synced)
    this.forgetMessagesTo(id)
  }

  failWrite(id: NodeId): void {
    this.replica(id).failWrite()
    this.forgetMessagesTo(id)
  }

  restart(id: NodeId): void {
    const replica = this.replica(id)
    if (replica.alive) throw new Error(`node ${id} runs already`)
    replica.start()
    const running = this.running
    // It may have refused to start.
    if (!running.includes(replica)) return
    for (const other of running) {
      if (other !== replica) this.reconnect(other.id, id)
    }
  }

  /** A new stream from `from` to `to`: a new replication session. */
  reconnect(from: NodeId, to: NodeId): void {
    this.step(from, { kind: 'peerConnected', peer: to })
  }

  // ---- time and messages ----------------------------------------------------------------------

  /** Hands every message that may arrive to its node until none is left. */
  deliver(): void {
    for (let delivered = 0; ; delivered += 1) {
      if (delivered > messagesMax) throw new Error('the cluster does not come to rest')
      const message = this.wire.takeNext((waiting) => this.mayArrive(waiting))
      if (message === null) return
      this.hand(message)
    }
  }

  /** Only what waits now and fits the filter, and not what comes of it. */
  deliverOnly(filter: MessageFilter): number {
    const chosen = new Set(this.wire.waiting.filter((message) => passes(filter, message)))
    for (;;) {
      const message = this.wire.takeNext((waiting) => chosen.has(waiting))
      if (message === null) return chosen.size
      this.hand(message)
    }
  }

  /** To a node without a core: the scenario answers for it. To a dead one: lost. */
  hand(message: Message): void {
    const replica = this.replicas.get(message.to)
    if (replica?.alive === true) replica.step({ kind: 'receive', message })
  }

  /** One tick passes for each of these nodes. */
  tick(replicas: readonly Replica[], ticks = 1): void {
    for (const replica of replicas) {
      if (replica.alive && !replica.paused) replica.step({ kind: 'tick', ticks })
    }
  }

  private mayArrive(message: Message): boolean {
    return this.replicas.get(message.to)?.paused !== true && !this.wire.isHeld(message)
  }

  private forgetMessagesTo(id: NodeId): void {
    this.wire.lose({ link: { from: null, to: id }, kind: null })
  }

  private mustNotRun(): void {
    if (this.replicas.size > 0) throw new Error('the cluster runs already')
  }

  private fill(
    id: NodeId,
    disk: Disk,
    laid: { readonly hardState: HardState; readonly entries: readonly Entry[] },
  ): void {
    disk.hardState = laid.hardState
    disk.log = new StoredLog(undefined, laid.entries)
    for (const entry of laid.entries) {
      this.oracles.appended(id, entry, disk.log.termAt(entry.index - 1) ?? 0)
      if (entry.index <= laid.hardState.commit) this.oracles.founded(entry)
    }
  }

  private surroundings(): ConstructorParameters<typeof Replica>[3] {
    return {
      oracles: this.oracles,
      post: (messages) => {
        for (const message of messages) this.oracles.sent(message)
        this.wire.post(messages)
      },
      snapshotOf: (peer, index) => {
        const replica = this.replicas.get(peer)
        return replica?.alive === true ? (replica.disk.snapshotAt(index)?.commands ?? null) : null
      },
    }
  }

  private optionsOf(id: NodeId): ReplicaOptions {
    const random = this.seed === null ? () => 0.5 : generator(this.seed * 16 + Number(id))
    return {
      heartbeatTicks,
      electionTicksMin,
      electionTicksMax,
      refusalTicksMax: 4,
      limits: { ...this.limits },
      random,
    }
  }
}

/** A linear congruential generator (Numerical Recipes): plenty for drawing timeouts. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export const freshHardState: HardState = { term: term(0), votedFor: null, commit: logIndex(0) }
