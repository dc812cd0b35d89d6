/**
 * One node at work: joins the consensus core, the state machine, the stores and the peers, and
 * serves the port that api/ and status/ see. What it knows of the world comes through ports.
 */
import type { Command, CommandResult } from '../machine/index.js'
import { membersOf, type NodeId } from '../raft/index.js'
import { Admission } from './admission.js'
import { AppliedFeed } from './applied-feed.js'
import { startTicker, type Ticker } from './clock.js'
import type { ClusterNodeOptions } from './cluster-node-options.js'
import { Latencies } from './latencies.js'
import { LeaderHint } from './leader-hint.js'
import { LeaderWait } from './leader-wait.js'
import { transferLeadership } from './leadership-transfer.js'
import { LinearizableReads } from './linearizable-reads.js'
import { NodeEngine } from './node-engine.js'
import { nodeStatus } from './node-status.js'
import { answerFetch, heldLogOf } from './peer-answers.js'
import { createPeerEvents } from './peer-events.js'
import type {
  AppliedListener,
  ConfigReads,
  Consistency,
  LatencyListener,
  LeaderKnown,
  NodePort,
  NodeStatus,
  PeerEvents,
  Subscription,
  WatchBatch,
  WatchRequest,
  WatchSubscription,
} from './ports.js'
import { ProposedCommands } from './proposed-commands.js'
import { nodeStopping } from './refusals.js'
import { Submissions } from './submissions.js'
import { WatchHub } from './watch-hub.js'

export class ClusterNode implements NodePort {
  readonly #options: ClusterNodeOptions
  readonly #submissions: Submissions
  readonly #reads = new LinearizableReads()
  readonly #watches: WatchHub
  readonly #feed: AppliedFeed
  readonly #latencies: Latencies
  readonly #hint: LeaderHint
  readonly #engine: NodeEngine
  readonly #leaderWait: LeaderWait
  readonly #admission: Admission
  readonly #startedAt: number
  #ticker: Ticker | null = null
  #isStopping = false
  #stopped: Promise<void> | null = null

  constructor(options: ClusterNodeOptions) {
    const proposed = new ProposedCommands()
    const { machine, log, peers, clock, defer, limits, identity, clientAddress } = options
    this.#options = options
    this.#startedAt = clock.wallMs()
    this.#latencies = new Latencies(clock)
    this.#submissions = new Submissions(limits.commandsInFlightMax)
    this.#hint = new LeaderHint({
      nodeId: identity.nodeId,
      clientAddress,
      links: () => peers.links(),
    })
    this.#watches = new WatchHub({
      writtenSince: (revision, prefix) => machine.writtenSince(revision, prefix),
      appliedIndex: () => this.#feed.appliedIndex,
      defer,
      watchersMax: limits.watchersMax,
    })
    this.#feed = new AppliedFeed({
      appliedIndex: machine.status().appliedIndex,
      submissions: this.#submissions,
      latencies: this.#latencies,
      watches: this.#watches,
      log,
    })
    this.#engine = new NodeEngine({
      options,
      submissions: this.#submissions,
      reads: this.#reads,
      feed: this.#feed,
      latencies: this.#latencies,
      hint: this.#hint,
      proposed,
      proposeTick: (tick) => {
        this.#admission.proposeTick(tick)
      },
      failed: (thrown) => {
        this.#fail(thrown)
      },
    })
    this.#leaderWait = new LeaderWait({
      leadership: this.#engine.leadership,
      clock,
      heldMax: limits.commandsInFlightMax,
    })
    this.#admission = new Admission({
      ...options,
      proposed,
      leaderWait: this.#leaderWait,
      leadership: this.#engine.leadership,
      submissions: this.#submissions,
      logClock: this.#engine.logClock,
      nodeId: identity.nodeId,
      members: () => membersOf(options.raft.status().configuration),
      links: () => peers.links(),
      appliedIndex: () => this.#feed.appliedIndex,
      isStopping: () => this.#isStopping,
      notLeader: () => this.#engine.notLeader(),
      push: this.#engine.push,
    })
  }

  /** Opens the doors to the peers and lets time run. */
  async start(): Promise<void> {
    const { peers, clock, defer, ticks, identity, log } = this.#options
    this.#engine.membership.tell()
    await peers.start(this.#createPeerEvents())
    this.#ticker = startTicker({
      clock,
      tickMs: ticks.tickMs,
      ticksMax: ticks.heartbeatTicks,
      defer,
      tick: (count) => {
        this.#engine.ticked(count)
      },
    })
    log.info({ ...identity }, 'node started')
  }

  submit(command: Command): Promise<CommandResult> {
    return this.#admission.submit(command)
  }

  async read<T>(
    consistency: Consistency,
    query: (reads: ConfigReads) => T,
  ): Promise<{ readonly value: T; readonly revision: number }> {
    this.#refuseWhenStopping()
    if (consistency === 'linearizable') {
      await this.#leaderWait.untilKnown()
      this.#refuseWhenStopping()
      await this.#reads.wait((id) => {
        this.#engine.push({ kind: 'read', id })
      })
    }
    const { machine } = this.#options
    return { value: query(machine.reads), revision: this.#feed.appliedIndex }
  }

  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription {
    this.#refuseWhenStopping()
    return this.#watches.watch(request, next)
  }

  onApplied(listener: AppliedListener): Subscription {
    return this.#feed.listen(listener)
  }

  onLatency(listener: LatencyListener): Subscription {
    return this.#latencies.listen(listener)
  }

  status(): NodeStatus {
    return nodeStatus({
      options: this.#options,
      engine: this.#engine,
      hint: this.#hint,
      submissions: this.#submissions,
      startedAt: this.#startedAt,
      isStopping: this.#isStopping,
      watchers: this.#watches.size,
    })
  }

  /** As {@link PeerEvents.transferAsked}, whoever asks. */
  transferLeadership(to: NodeId | null): Promise<LeaderKnown> {
    this.#refuseWhenStopping()
    const { raft, clock, identity, log } = this.#options
    const { leadership, membership, push } = this.#engine
    log.info({ to }, 'a transfer of leadership was asked for')
    return transferLeadership(
      {
        nodeId: identity.nodeId,
        leadership,
        voters: () => raft.status().voters,
        addressOf: (id) => membership.addressOf(id),
        clock,
        electionTimeoutMs: this.#electionTimeoutMs,
        push,
      },
      to,
    )
  }

  /** Takes no new work and hands leadership over, within an election timeout. */
  async drain(): Promise<void> {
    this.#isStopping = true
    const { leadership, push } = this.#engine
    const { raft, clock, log } = this.#options
    if (!leadership.leads || raft.status().voters.length === 1) return
    push({ kind: 'transferLeadership', to: null })
    await leadership.until(
      ({ leads }) => !leads,
      (giveUp) => clock.after(this.#electionTimeoutMs, giveUp),
    )
    log.info({ leader: leadership.leader }, 'leadership handed over')
  }

  /** Ends everything that this node started; the stores are closed last. */
  stop(): Promise<void> {
    this.#isStopping = true
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const { peers, logStore, stateStore, snapshotStore, log } = this.#options
    this.#quiet()
    await this.#engine.stop()
    await peers.stop()
    await this.#engine.snapshots.stop()
    await logStore.close()
    await stateStore.close()
    await snapshotStore.close()
    log.info('node stopped')
  }

  #quiet(): void {
    this.#ticker?.stop()
    this.#engine.logClock.stop()
    this.#submissions.close(nodeStopping)
    this.#reads.close(nodeStopping)
    this.#watches.close()
  }

  /** Nothing is repaired inside the process: it reports and ends. */
  #fail(thrown: unknown): void {
    this.#isStopping = true
    this.#quiet()
    this.#options.failed(thrown)
  }

  #createPeerEvents(): PeerEvents {
    const { raft, snapshotStore: snapshots, log } = this.#options
    const { health, logClock, membership, push, snapshots: served } = this.#engine
    const held = heldLogOf(raft)
    return createPeerEvents({
      log,
      health,
      hint: this.#hint,
      logClock,
      push,
      answers: (peer, wanted) =>
        served.counted(peer, wanted, answerFetch(wanted, { snapshots, log: held })),
      introduced: (peer) => {
        membership.introduced(peer)
      },
      removed: () => {
        membership.removed()
      },
      transferAsked: (to) => this.transferLeadership(to),
    })
  }

  get #electionTimeoutMs(): number {
    const { electionTicksMax, tickMs } = this.#options.ticks
    return electionTicksMax * tickMs
  }

  #refuseWhenStopping(): void {
    if (this.#isStopping) throw nodeStopping()
  }
}
