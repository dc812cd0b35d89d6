/**
 * One node at work: joins the consensus core, the state machine, the stores and the peers, and
 * serves the port that api/ and status/ see. What it knows of the world comes through ports.
 */
import type { Logger } from 'pino'
import { CountersignError, type ErrorCode } from '../errors.js'
import {
  featureLevelMax,
  type Applied,
  type Command,
  type CommandResult,
  type Machine,
} from '../machine/index.js'
import {
  InvariantChecker,
  logIndex,
  type Entry,
  type Leadership,
  type Message,
  type NodeId,
  type Output,
  type Raft,
} from '../raft/index.js'
import type { Signer, Verify } from '../signing/index.js'
import type { LogStore, StateStore } from '../storage/index.js'
import { encodeCommand } from '../wire/index.js'
import { ApplyLoop } from './apply-loop.js'
import { startTicker, type Ticker } from './clock.js'
import { Drive } from './drive.js'
import { Health } from './health.js'
import type { Defer } from './inbox.js'
import { LeaderHint } from './leader-hint.js'
import { LinearizableReads } from './linearizable-reads.js'
import { LogClock } from './log-clock.js'
import type {
  AppliedListener,
  Clock,
  ConfigReads,
  Consistency,
  NodePort,
  NodeStatus,
  PeerEvents,
  Peers,
  Subscription,
  WatchBatch,
  WatchRequest,
  WatchSubscription,
} from './ports.js'
import { Submissions } from './submissions.js'
import { WatchHub } from './watch-hub.js'

export interface ClusterNodeOptions {
  readonly identity: {
    readonly nodeId: NodeId
    readonly clusterId: string
    readonly incarnation: string
  }
  readonly version: string
  readonly clientAddress: string
  readonly raft: Raft
  readonly machine: Machine
  /** Remembers what it was asked before: the pre-check and apply ask for the same signatures. */
  readonly verify: Verify
  readonly logStore: LogStore
  readonly stateStore: StateStore
  readonly peers: Peers
  readonly clock: Clock
  readonly defer: Defer
  readonly log: Logger
  /** Signs this node's stamps of log time. */
  readonly nodeKey: Signer
  /** Raw public node keys of all voters. */
  readonly nodeKeys: ReadonlyMap<NodeId, Uint8Array>
  readonly ticks: {
    readonly tickMs: number
    readonly heartbeatTicks: number
    readonly electionTicksMax: number
  }
  readonly limits: { readonly commandsInFlightMax: number; readonly watchersMax: number }
  /** Put commands into the log without looking at them: a cheating leader, for tests. */
  readonly admitForged: boolean
  /** The effective configuration, shown by status. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** Called once when the node cannot go on; the process reports it and ends. */
  readonly failed: (thrown: unknown) => void
}

/** A state that lags may not know them yet, so only a leader that is caught up says them. */
const codesOfLag: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNKNOWN_KEY', 'FEATURE_LEVEL'])

export class ClusterNode implements NodePort {
  readonly #options: ClusterNodeOptions
  readonly #log: Logger
  readonly #drive: Drive
  readonly #applyLoop: ApplyLoop
  readonly #submissions: Submissions
  readonly #reads = new LinearizableReads()
  readonly #watches: WatchHub
  readonly #listeners = new Set<AppliedListener>()
  readonly #logClock: LogClock
  readonly #health = new Health()
  readonly #hint: LeaderHint
  readonly #startedAt: number
  #ticker: Ticker | null = null
  #leadership: Leadership
  /** Index of the no-op of the term in which this node leads. */
  #termStart = 0
  #appliedIndex: number
  #isStopping = false
  #stopped: Promise<void> | null = null
  #leadershipMoved: () => void = () => undefined

  constructor(options: ClusterNodeOptions) {
    const { raft, machine, log, peers, defer, limits } = options
    this.#options = options
    this.#log = log
    this.#appliedIndex = machine.status().appliedIndex
    this.#startedAt = options.clock.wallMs()
    const { role, term, leader } = raft.status()
    this.#leadership = { role, term, leader }
    this.#hint = new LeaderHint({
      nodeId: options.identity.nodeId,
      clientAddress: options.clientAddress,
      links: () => peers.links(),
    })
    this.#submissions = new Submissions(limits.commandsInFlightMax)
    this.#watches = new WatchHub({
      writtenSince: (revision, prefix) => machine.writtenSince(revision, prefix),
      appliedIndex: () => this.#appliedIndex,
      defer,
      watchersMax: limits.watchersMax,
    })
    const checker = new InvariantChecker()
    this.#drive = new Drive({
      core: raft,
      logStore: options.logStore,
      defer,
      send: (to, messages) => {
        peers.send(to, messages)
      },
      apply: (entries) => {
        this.#applyLoop.add(entries)
      },
      report: (output) => {
        this.#report(output)
      },
      // About 3 us a step with a log of 5,000 entries: it stays on in production.
      stepped: () => {
        checker.check(raft.facts())
      },
      failed: (thrown) => {
        this.#fail(thrown)
      },
    })
    this.#applyLoop = new ApplyLoop({
      machine,
      stateStore: options.stateStore,
      verify: options.verify,
      entryApplied: (entry, applied) => {
        this.#entryApplied(entry, applied)
      },
      portionApplied: (index) => {
        this.#drive.push({ kind: 'applied', index: logIndex(index) })
        this.#logClock.applied()
      },
      failed: (thrown) => {
        this.#drive.fail(thrown)
      },
    })
    this.#logClock = this.#createLogClock()
  }

  /** Opens the doors to the peers and lets time run. */
  async start(): Promise<void> {
    const { peers, clock, defer, ticks } = this.#options
    await peers.start(this.#peerEvents())
    this.#ticker = startTicker({
      clock,
      tickMs: ticks.tickMs,
      ticksMax: ticks.heartbeatTicks,
      defer,
      tick: (count) => {
        this.#drive.push({ kind: 'tick', ticks: count })
      },
    })
    this.#log.info({ ...this.#options.identity }, 'node started')
  }

  async submit(command: Command): Promise<CommandResult> {
    this.#refuseWhenStopping()
    const early = this.#options.admitForged ? null : this.#lookFirst(command)
    if (early !== null) return early
    if (this.#leadership.role !== 'leader') throw this.#notLeader()
    await this.#logClock.beforeCommand()
    this.#refuseWhenStopping()
    const payload = encodeCommand(command)
    return this.#submissions.submit((id) => {
      this.#drive.push({ kind: 'propose', id, payload })
    })
  }

  async read<T>(
    consistency: Consistency,
    query: (reads: ConfigReads) => T,
  ): Promise<{ readonly value: T; readonly revision: number }> {
    this.#refuseWhenStopping()
    if (consistency === 'linearizable') {
      await this.#reads.wait((id) => {
        this.#drive.push({ kind: 'read', id })
      })
    }
    const { machine } = this.#options
    return { value: query(machine.reads), revision: this.#appliedIndex }
  }

  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription {
    this.#refuseWhenStopping()
    return this.#watches.watch(request, next)
  }

  onApplied(listener: AppliedListener): Subscription {
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }

  status(): NodeStatus {
    const { identity, version, clientAddress, raft, machine, peers, configuration } = this.#options
    const raftStatus = raft.status()
    return {
      nodeId: identity.nodeId,
      incarnation: identity.incarnation,
      version,
      startedAt: this.#startedAt,
      ready: !this.#isStopping && this.#health.isReady(raftStatus),
      clientAddress,
      leaderClientAddress: this.#hint.addressOf(raftStatus.leader),
      raft: raftStatus,
      machine: machine.status(),
      links: peers.links(),
      watchers: this.#watches.size,
      configuration,
    }
  }

  /** Takes no new work and hands leadership over, within an election timeout. */
  async drain(): Promise<void> {
    this.#isStopping = true
    if (this.#leadership.role !== 'leader' || this.#options.raft.status().voters.length === 1)
      return
    const { clock, ticks } = this.#options
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ticks.electionTicksMax * ticks.tickMs, resolve)
      this.#leadershipMoved = () => {
        cancel()
        resolve()
      }
      this.#drive.push({ kind: 'transferLeadership', to: null })
    })
    this.#log.info({ leader: this.#leadership.leader }, 'leadership handed over')
  }

  /** Ends everything that this node started; the stores are closed last. */
  stop(): Promise<void> {
    this.#isStopping = true
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#quiet()
    await this.#drive.stop()
    await this.#applyLoop.stop()
    await this.#options.peers.stop()
    await this.#options.logStore.close()
    await this.#options.stateStore.close()
    this.#log.info('node stopped')
  }

  #quiet(): void {
    this.#ticker?.stop()
    this.#logClock.stop()
    this.#submissions.close(stopping)
    this.#reads.close(stopping)
    this.#watches.close()
  }

  /** Nothing is repaired inside the process: it reports and ends. */
  #fail(thrown: unknown): void {
    this.#isStopping = true
    this.#quiet()
    this.#options.failed(thrown)
  }

  #lookFirst(command: Command): CommandResult | null {
    const { machine, verify } = this.#options
    const found = machine.check(command, verify, this.#levelKnown())
    if (found.kind === 'append') return null
    if (found.kind === 'known') return found.result
    if (codesOfLag.has(found.refusal.code)) {
      if (this.#leadership.role !== 'leader') throw this.#notLeader()
      if (this.#appliedIndex < this.#termStart) return null
    }
    // Refused before the log: no entry carries it.
    return { kind: 'refused', refusal: found.refusal, index: 0, repeated: false }
  }

  /** The highest feature level that this build and those of all peers heard so far know. */
  #levelKnown(): number {
    const heard = this.#options.peers.links().flatMap(({ hello }) => hello?.featureLevelMax ?? [])
    return Math.min(featureLevelMax, ...heard)
  }

  #report(output: Output): void {
    for (const outcome of output.proposals) {
      this.#submissions.outcome(outcome, () => this.#notLeader())
    }
    for (const outcome of output.reads) {
      this.#reads.outcome(outcome, (leader) => (leader === null ? noQuorum() : this.#notLeader()))
    }
    for (const event of output.trace) this.#log.trace({ trace: event }, event.name)
    if (output.leadership !== null) this.#leadershipChanged(output.leadership)
  }

  #leadershipChanged(next: Leadership): void {
    const before = this.#leadership
    this.#leadership = next
    if (before.role === 'leader' && (next.role !== 'leader' || next.term !== before.term)) {
      this.#submissions.leadershipLost()
      this.#leadershipMoved()
    }
    if (next.role === 'leader' && (before.role !== 'leader' || next.term !== before.term)) {
      this.#termStart = this.#options.raft.facts().termStart ?? 0
      const { nodeId: id } = this.#options.identity
      this.#health.becameLeader({ id, term: next.term, index: this.#termStart })
    }
    this.#logClock.leadershipChanged(next)
    const { role, term, leader } = next
    if (before.leader === leader && before.term === term) this.#log.debug({ role, term }, 'role')
    else this.#log.info({ role, term, leader }, 'leadership')
  }

  #entryApplied(entry: Entry, applied: Applied): void {
    const { index, term } = entry
    this.#appliedIndex = index
    const batches = applied.events
      .filter((event) => event.kind === 'activated')
      .map(({ activation, written }) => ({
        revision: activation.index,
        at: activation.at,
        changeId: activation.changeId,
        written,
      }))
    for (const event of applied.events) {
      if (event.kind !== 'noise') continue
      const { code } = event.refusal
      this.#log.error({ index, term, code }, 'the leader of this term wrote an unchecked command')
    }
    this.#submissions.applied(index, term, applied.result)
    if (batches.length > 0) this.#watches.activated(batches)
    for (const listener of [...this.#listeners]) listener({ index, events: applied.events })
  }

  #peerEvents(): PeerEvents {
    return {
      messages: (_from: NodeId, messages: readonly Message[]) => {
        for (const message of messages) {
          if (message.kind === 'append') this.#health.appendHeard(message)
          this.#drive.push({ kind: 'receive', message })
        }
      },
      connected: (peer, hello) => {
        this.#hint.heard(hello)
        this.#log.debug({ peer }, 'peer connected')
        this.#drive.push({ kind: 'peerConnected', peer })
      },
      disconnected: (peer, why) => {
        this.#log.info({ peer, code: why.code, why: why.message }, 'peer disconnected')
      },
      refused: (peer) => {
        this.#log.debug({ peer }, 'peer refuses connections')
        this.#drive.push({ kind: 'peerRefused', peer })
      },
      stampRequested: (from, request) => {
        this.#logClock.stampRequested(from, request)
      },
      stampReceived: (from, stamp) => {
        this.#logClock.stampReceived(from, stamp)
      },
    }
  }

  #createLogClock(): LogClock {
    const { identity, clock, nodeKey, nodeKeys, peers, raft, machine } = this.#options
    return new LogClock({
      clock,
      nodeId: identity.nodeId,
      clusterId: identity.clusterId,
      signer: nodeKey,
      nodeKeys,
      requestStamp: (to, request) => {
        peers.requestStamp(to, request)
      },
      sendStamp: (to, stamp) => {
        peers.sendStamp(to, stamp)
      },
      lastIndex: () => raft.status().lastIndex,
      isCaughtUp: () => this.#appliedIndex >= raft.status().commitIndex,
      machine,
      propose: (tick) => {
        this.#proposeTick(tick)
      },
      distrustLeader: (why) => {
        this.#log.warn({ leader: this.#leadership.leader, why }, 'leader distrusted')
        this.#drive.push({ kind: 'distrustLeader' })
      },
    })
  }

  #proposeTick(tick: Command): void {
    if (this.#isStopping) return
    const payload = encodeCommand(tick)
    // Nobody waits for a Tick: one that is lost is followed by the next.
    this.#submissions
      .submit((id) => {
        this.#drive.push({ kind: 'propose', id, payload })
      })
      .catch((error: unknown) => {
        this.#log.debug({ code: CountersignError.from(error).code }, 'tick not committed')
      })
  }

  #notLeader(): CountersignError {
    const { leader, term } = this.#options.raft.status()
    return this.#hint.notLeader(leader, term)
  }

  #refuseWhenStopping(): void {
    if (this.#isStopping) throw stopping()
  }
}

function stopping(): CountersignError {
  return new CountersignError('NODE_STOPPING', 'This node is shutting down. Try another node.')
}

function noQuorum(): CountersignError {
  return new CountersignError(
    'NO_QUORUM',
    'No majority of nodes answered, so this node cannot know whether its state is current. Try again.',
  )
}
