/**
 * Nodes without consensus: several NodePorts over one real state machine, with a leader that the
 * test names. What a node does with the next command can be scripted.
 */
import type { Command, CommandResult } from '../../src/machine/index.js'
import { CountersignError } from '../../src/errors.js'
import { logIndex, term } from '../../src/raft/index.js'
import { verifyStrict } from '../../src/signing/index.js'
import type {
  AppliedListener,
  ConfigReads,
  Consistency,
  NodePort,
  NodeStatus,
  Subscription,
  WatchBatch,
  WatchRequest,
  WatchSubscription,
} from '../../src/node/ports.js'
import { World, type WorldOptions } from '../machine/world.js'

interface Watcher {
  readonly prefix: string
  readonly next: (batch: WatchBatch) => void
  delivered: number
}

export class FakeCluster {
  readonly world: World
  readonly nodes: readonly FakeNode[]
  leader: string | null = 'node-1'
  term = 1
  /** Revisions below it are no longer kept. */
  compactedBelow = 0
  readonly #watchers = new Set<Watcher>()

  constructor(options: WorldOptions & { readonly size?: number } = {}) {
    this.world = new World(options)
    // Clients sign by the wall clock.
    this.world.tickTo(Date.now())
    const ids = Array.from({ length: options.size ?? 3 }, (_, i) => `node-${String(i + 1)}`)
    this.nodes = ids.map((id) => new FakeNode(this, id))
  }

  get first(): FakeNode {
    return this.node('node-1')
  }

  node(id: string): FakeNode {
    const found = this.nodes.find((one) => one.id === id)
    if (found === undefined) throw new Error(`no ${id}`)
    return found
  }

  elect(id: string | null): void {
    this.leader = id
    this.term += 1
  }

  get appliedIndex(): number {
    return this.world.machine.status().appliedIndex
  }

  get watching(): number {
    return this.#watchers.size
  }

  run(command: Command): CommandResult {
    const checked = this.world.machine.check(command, verifyStrict)
    if (checked.kind === 'noise') {
      return { kind: 'refused', refusal: checked.refusal, index: 0, repeated: false }
    }
    if (checked.kind === 'known') return checked.result
    return this.apply(command)
  }

  /** Without the leader's look at it. */
  apply(command: Command): CommandResult {
    const { result } = this.world.apply(command)
    this.deliver()
    if (result === null) throw new Error('a command has a result')
    return result
  }

  /** A Tick, which may activate several changes at one index. */
  tick(ms: number): void {
    this.world.tick(ms)
    this.deliver()
  }

  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription {
    const after = request.afterRevision ?? this.appliedIndex
    if (after + 1 < this.compactedBelow) {
      throw new CountersignError('COMPACTED', 'No longer kept.', {
        details: { oldest: this.compactedBelow },
      })
    }
    const watcher = { prefix: request.prefix, next, delivered: after }
    this.#watchers.add(watcher)
    setImmediate(() => {
      this.#catchUp(watcher)
    })
    return {
      close: () => {
        this.#watchers.delete(watcher)
      },
      delivered: () => watcher.delivered,
    }
  }

  deliver(): void {
    for (const watcher of [...this.#watchers]) this.#catchUp(watcher)
  }

  #catchUp(watcher: Watcher): void {
    for (const batch of this.world.machine.writtenSince(watcher.delivered, watcher.prefix)) {
      if (!this.#watchers.has(watcher)) return
      watcher.next(batch)
    }
    watcher.delivered = Math.max(watcher.delivered, this.appliedIndex)
  }
}

export type Twist = (command: Command, run: () => CommandResult) => Promise<CommandResult>

export class FakeNode implements NodePort {
  readonly id: string
  readonly #cluster: FakeCluster
  isReady = true
  clientAddress = ''
  /** What happens to the next commands instead. */
  readonly twists: Twist[] = []
  /** Everything that arrived, in order. */
  readonly received: Command[] = []
  reads = 0

  constructor(cluster: FakeCluster, id: string) {
    this.#cluster = cluster
    this.id = id
  }

  async submit(command: Command): Promise<CommandResult> {
    this.received.push(command)
    await Promise.resolve()
    const twist = this.twists.shift()
    const run = (): CommandResult => this.#cluster.run(command)
    if (twist !== undefined) return twist(command, run)
    this.#mustLead()
    return run()
  }

  async read<T>(
    consistency: Consistency,
    query: (reads: ConfigReads) => T,
  ): Promise<{ readonly value: T; readonly revision: number }> {
    await Promise.resolve()
    this.reads += 1
    if (consistency === 'linearizable') this.#mustLead()
    const value = query(this.#cluster.world.machine.reads)
    return { value, revision: this.#cluster.appliedIndex }
  }

  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription {
    return this.#cluster.watch(request, next)
  }

  onApplied(_listener: AppliedListener): Subscription {
    throw new Error('not asked for by the API')
  }

  onLatency(): Subscription {
    throw new Error('not asked for by the API')
  }

  status(): NodeStatus {
    const { leader, term: currentTerm } = this.#cluster
    const machine = this.#cluster.world.machine.status()
    const index = logIndex(machine.appliedIndex)
    return {
      nodeId: this.id,
      incarnation: '0'.repeat(32),
      version: 'test',
      startedAt: 0,
      ready: this.isReady,
      clientAddress: this.clientAddress,
      leaderClientAddress: this.#leaderAddress(),
      raft: {
        id: this.id,
        role: leader === this.id ? 'leader' : 'follower',
        term: term(currentTerm),
        votedFor: null,
        leader,
        voters: this.#cluster.nodes.map(({ id }) => id),
        configuration: {
          voters: this.#cluster.nodes.map(({ id }) => id),
          outgoing: [],
          learners: [],
          target: null,
        },
        configurationIndex: logIndex(0),
        configurationCommitted: true,
        firstIndex: logIndex(1),
        snapshotIndex: logIndex(0),
        lastIndex: index,
        durableIndex: index,
        commitIndex: index,
        appliedIndex: index,
        logBytes: 0,
        uncommittedBytes: 0,
        pendingReads: 0,
        peers:
          leader === this.id
            ? [
                {
                  id: 'node-2',
                  state: 'replicate',
                  matchIndex: logIndex(1),
                  nextIndex: logIndex(2),
                  inflightMessages: 0,
                  inflightBytes: 0,
                  fedIndex: null,
                  silentTicks: 7,
                  votes: true,
                  catchUp: null,
                },
              ]
            : [],
        transferTarget: null,
        counters: {
          electionsStarted: 0,
          electionsWon: 0,
          electionsLost: 0,
          preVotesRefused: 0,
          proposalsRefused: 0,
        },
      },
      machine,
      links: [],
      members: this.#cluster.nodes.map(({ id, clientAddress }) => ({
        id,
        role: 'voter',
        address: clientAddress,
      })),
      removed: false,
      snapshot: {
        index: 0,
        bytes: 0,
        isSaving: false,
        fetching: null,
        sentBytes: 0,
        lastRestoreMs: null,
      },
      log: { entries: index, bytes: 0, oldestAgeMs: null },
      diskStalled: false,
      proposalsRefused: { notLeader: 0, bytesWaiting: 0, commandsWaiting: 0 },
      watchers: this.#cluster.watching,
      configuration: {},
    }
  }

  notLeader(): CountersignError {
    const clientAddress = this.#leaderAddress()
    return new CountersignError('NOT_LEADER', 'Another node leads.', {
      details: {
        leaderId: this.#cluster.leader,
        term: this.#cluster.term,
        ...(clientAddress === null ? {} : { clientAddress }),
      },
    })
  }

  #mustLead(): void {
    if (this.#cluster.leader !== this.id) throw this.notLeader()
  }

  #leaderAddress(): string | null {
    const { leader } = this.#cluster
    return leader === null ? null : this.#cluster.node(leader).clientAddress
  }
}
