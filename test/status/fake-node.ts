import { CountersignError } from '../../src/errors.js'
import type { ChangeState } from '../../src/approval/index.js'
import type { ChangeSummary, ChangeView, MachineEvent, SeatView } from '../../src/machine/index.js'
import type {
  AppliedListener,
  ChangeFilter,
  ConfigReads,
  LatencyListener,
  LatencyStage,
  NodePort,
  NodeStatus,
} from '../../src/node/ports.js'
import { logIndex, term, type PeerStatus, type RaftStatus } from '../../src/raft/index.js'

const noChanges: Record<ChangeState, number> = {
  OPEN: 0,
  APPROVED: 0,
  ACTIVE: 0,
  REJECTED: 0,
  WITHDRAWN: 0,
  EXPIRED: 0,
  STALE: 0,
  SUPERSEDED: 0,
  VOIDED: 0,
}

export const openedAt = Date.UTC(2026, 10, 23, 19, 30)

function peerOf(id: string, matchIndex: number): PeerStatus {
  return {
    id,
    state: 'replicate',
    matchIndex: logIndex(matchIndex),
    nextIndex: logIndex(matchIndex + 1),
    inflightMessages: 2,
    inflightBytes: 4096,
    fedIndex: null,
    silentTicks: 7,
    votes: true,
    catchUp: null,
  }
}

/** Three nodes; node-1 leads, and node-3 is three entries behind. */
const leaderRaft: RaftStatus = {
  id: 'node-1',
  role: 'leader',
  term: term(4),
  votedFor: 'node-1',
  leader: 'node-1',
  voters: ['node-1', 'node-2', 'node-3'],
  configuration: {
    voters: ['node-1', 'node-2', 'node-3'],
    outgoing: [],
    learners: ['node-4'],
    target: null,
  },
  configurationIndex: logIndex(60),
  configurationCommitted: true,
  firstIndex: logIndex(51),
  snapshotIndex: logIndex(100),
  lastIndex: logIndex(120),
  durableIndex: logIndex(120),
  commitIndex: logIndex(120),
  appliedIndex: logIndex(118),
  logBytes: 7000,
  uncommittedBytes: 0,
  pendingReads: 1,
  peers: [peerOf('node-2', 120), peerOf('node-3', 117)],
  transferTarget: null,
  counters: {
    electionsStarted: 2,
    electionsWon: 1,
    electionsLost: 1,
    preVotesRefused: 3,
    proposalsRefused: 4,
  },
}

export interface FakeChange {
  readonly changeId: string
  readonly state: ChangeState
  readonly title: string
  readonly paths?: readonly string[]
  readonly approvedBy?: readonly string[]
  readonly rejectedBy?: readonly string[]
  readonly seats?: readonly SeatView[]
  readonly activatedIndex?: number
  readonly reason?: { readonly code: 'STALE_BASE' | 'NOT_APPROVED'; readonly message: string }
}

/** A node whose view the test sets; what it does not need is missing on purpose. */
export class FakeNode implements NodePort {
  raft: RaftStatus = leaderRaft
  ready = true
  connected = true
  changes: FakeChange[] = []
  /** Set: reads fail with it. */
  failure: Error | null = null
  readonly filters: ChangeFilter[] = []
  readonly #listeners = new Set<AppliedListener>()
  readonly #latencyListeners = new Set<LatencyListener>()

  applied(events: readonly MachineEvent[] = []): void {
    for (const listener of this.#listeners) listener({ index: this.raft.appliedIndex, events })
  }

  get listeners(): number {
    return this.#listeners.size
  }

  onLatency(listener: LatencyListener): { close(): void } {
    this.#latencyListeners.add(listener)
    return { close: () => this.#latencyListeners.delete(listener) }
  }

  took(stage: LatencyStage, ms: number): void {
    for (const listener of this.#latencyListeners) listener(stage, ms)
  }

  submit(): never {
    throw new Error('The status endpoint submits nothing.')
  }

  watch(): never {
    throw new Error('The status endpoint watches through onApplied.')
  }

  read<T>(
    consistency: string,
    query: (reads: ConfigReads) => T,
  ): Promise<{ value: T; revision: number }> {
    if (consistency !== 'local') throw new Error('The status endpoint asks no leader.')
    if (this.failure !== null) return Promise.reject(this.failure)
    return Promise.resolve({ value: query(this.#reads()), revision: this.raft.appliedIndex })
  }

  onApplied(listener: AppliedListener): { close(): void } {
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }

  status(): NodeStatus {
    const byState = { ...noChanges }
    for (const change of this.changes) byState[change.state] += 1
    return {
      nodeId: 'node-1',
      incarnation: '1'.repeat(32),
      version: '0.1.0',
      startedAt: openedAt - 60_000,
      ready: this.ready,
      clientAddress: '127.0.0.1:7201',
      leaderClientAddress: this.raft.leader === null ? null : '127.0.0.1:7201',
      raft: this.raft,
      members: [
        ...['node-1', 'node-2', 'node-3'].map((id) => ({
          id,
          role: 'voter' as const,
          address: `${id}:7100`,
        })),
        { id: 'node-4', role: 'learner', address: 'node-4:7100' },
      ],
      removed: false,
      snapshot: {
        index: 100,
        bytes: 4096,
        isSaving: false,
        fetching: { from: 'node-2', index: 110, storedBytes: 512, size: 1024 },
        sentBytes: 8192,
        lastRestoreMs: 250,
      },
      log: { entries: 70, bytes: 7000, oldestAgeMs: 30_000 },
      diskStalled: false,
      proposalsRefused: { notLeader: 2, bytesWaiting: 1, commandsWaiting: 3 },
      machine: {
        clusterId: 'c1'.repeat(32),
        clusterName: 'example',
        featureLevel: 1,
        logTime: openedAt,
        appliedIndex: this.raft.appliedIndex,
        stateDigest: 'ab12'.repeat(16),
        changesByState: byState,
        refusals: 5,
        noise: 1,
      },
      links: ['node-2', 'node-3'].map((id) => ({
        id,
        address: `${id}.example:7100`,
        connected: this.connected,
        hello: null,
        lastError: this.connected ? null : `${id}.example:7100 refuses connections.`,
      })),
      watchers: 2,
      configuration: { node: { id: 'node-1' }, raft: { tickMs: 10 } },
    }
  }

  #reads(): ConfigReads {
    const reads: Pick<ConfigReads, 'changes' | 'change'> = {
      changes: (filter) => {
        this.filters.push(filter)
        const { states } = filter
        return this.changes
          .map((change, index) => summaryOf(change, 100 - index))
          .filter((change) => states === undefined || states.includes(change.state))
          .filter((change) => filter.before === undefined || change.openedIndex < filter.before)
          .slice(0, filter.limit)
      },
      change: (id) => {
        const found = this.changes.find((change) => change.changeId === id)
        return found === undefined ? undefined : viewOf(found)
      },
    }
    return reads as ConfigReads
  }
}

function summaryOf(change: FakeChange, openedIndex: number): ChangeSummary {
  return {
    changeId: change.changeId,
    kind: 'config',
    state: change.state,
    title: change.title,
    author: 'alice',
    revision: 1,
    contentDigest: 'd'.repeat(64),
    paths: change.paths ?? ['/payments/limits/daily'],
    openedAt,
    openedIndex,
    updatedIndex: openedIndex,
    approvals: change.approvedBy?.length ?? 0,
    ...(change.activatedIndex === undefined ? {} : { activatedIndex: change.activatedIndex }),
  }
}

function viewOf(change: FakeChange): ChangeView {
  const decision = (person: string, word: 'approve' | 'reject', counts: boolean): object => ({
    person,
    decision: word,
    seq: word === 'approve' ? 1 : 2,
    counts,
  })
  const isOpen = change.state === 'OPEN' || change.state === 'APPROVED'
  const view = {
    ...summaryOf(change, 1),
    decisions: [
      ...(change.approvedBy ?? []).map((person) => decision(person, 'approve', true)),
      ...(change.rejectedBy ?? []).flatMap((person) => [
        decision(person, 'approve', false),
        decision(person, 'reject', true),
      ]),
    ],
    explanation: {
      blocked: isOpen && change.reason !== undefined ? [change.reason] : [],
      seats: change.seats ?? [],
    },
    ...(!isOpen && change.reason !== undefined ? { closed: { reason: change.reason } } : {}),
  }
  return view as unknown as ChangeView
}

export const starting = new CountersignError('NODE_STARTING', 'The node replays its log.')
