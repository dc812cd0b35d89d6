/**
 * What happens inside of a node when something happens to it: the loop of the consensus core, and
 * everything that follows from what the core decides. cluster-node.ts is its outside.
 */
import type { CountersignError } from '../errors.js'
import type { Command } from '../machine/index.js'
import {
  InvariantChecker,
  logIndex,
  type Event,
  type Leadership,
  type Output,
  type SnapshotMeta,
} from '../raft/index.js'
import type { AppliedFeed } from './applied-feed.js'
import { ApplyLoop } from './apply-loop.js'
import type { ClusterNodeOptions } from './cluster-node-options.js'
import { Drive } from './drive.js'
import { GovernedMembership } from './governed-membership.js'
import { Health } from './health.js'
import type { LeaderHint } from './leader-hint.js'
import type { Latencies } from './latencies.js'
import { LeadershipRecord } from './leadership-record.js'
import type { LinearizableReads } from './linearizable-reads.js'
import type { LogClock } from './log-clock.js'
import { createNodeLogClock } from './node-log-clock.js'
import { OldestTick } from './oldest-tick.js'
import type { ProposedCommands } from './proposed-commands.js'
import { noQuorum } from './refusals.js'
import { Snapshots } from './snapshots.js'
import type { Submissions } from './submissions.js'
import { TimedLogStore } from './timed-log-store.js'

export interface NodeEngineParts {
  readonly options: ClusterNodeOptions
  readonly submissions: Submissions
  readonly reads: LinearizableReads
  readonly feed: AppliedFeed
  readonly latencies: Latencies
  readonly hint: LeaderHint
  readonly proposed: ProposedCommands
  readonly proposeTick: (tick: Command) => void
  /** Nothing is stepped, written or answered any more. */
  readonly failed: (thrown: unknown) => void
}

export class NodeEngine {
  readonly leadership: LeadershipRecord
  readonly health = new Health()
  readonly journal: TimedLogStore
  readonly snapshots: Snapshots
  readonly membership: GovernedMembership
  readonly logClock: LogClock
  readonly oldestTick: OldestTick
  readonly #parts: NodeEngineParts
  readonly #drive: Drive
  readonly #applyLoop: ApplyLoop

  constructor(parts: NodeEngineParts) {
    const { options, feed, latencies } = parts
    const { raft, clock, identity } = options
    this.#parts = parts
    this.leadership = new LeadershipRecord(raft.status())
    this.journal = new TimedLogStore(options.logStore, clock, (ms) => {
      latencies.persisted(ms)
    })
    this.oldestTick = new OldestTick(raft)
    this.#drive = this.#createDrive()
    this.snapshots = new Snapshots({
      ...options,
      clusterId: identity.clusterId,
      thresholds: options.snapshots,
      push: this.push,
      fed: () => raft.status().peers.flatMap(({ fedIndex }) => fedIndex ?? []),
      failed: this.fail,
    })
    this.#applyLoop = this.#createApplyLoop()
    this.logClock = createNodeLogClock({
      options,
      leadership: this.leadership,
      appliedIndex: () => feed.appliedIndex,
      propose: parts.proposeTick,
      push: this.push,
    })
    this.membership = new GovernedMembership({
      options,
      mayAsk: () => this.leadership.leads && feed.appliedIndex >= this.leadership.termStart,
      push: this.push,
    })
  }

  /** One event for the core. */
  readonly push = (event: Event): void => {
    this.#drive.push(event)
  }

  /** Ends the loop for a fault of this process; the first one counts. */
  readonly fail = (thrown: unknown): void => {
    this.#drive.fail(thrown)
  }

  /** Time has passed. */
  ticked(ticks: number): void {
    this.push({ kind: 'tick', ticks })
    this.membership.ticked()
  }

  /** Resolves when what was handed to the disk is durable, and what is applied is stored. */
  async stop(): Promise<void> {
    await this.#drive.stop()
    await this.#applyLoop.stop()
  }

  #createDrive(): Drive {
    const { raft, peers, defer, rare } = this.#parts.options
    const checker = new InvariantChecker()
    return new Drive({
      core: raft,
      logStore: this.journal,
      defer,
      ...(rare && { rare }),
      send: (to, messages) => {
        peers.send(to, messages)
      },
      restore: (snapshot) => {
        this.#applyLoop.restore(snapshot)
      },
      fetchSnapshot: (wish) => {
        this.snapshots.fetch(wish)
      },
      apply: (entries) => {
        this.#parts.latencies.committed(entries)
        this.#applyLoop.add(entries)
      },
      report: (output) => {
        this.#report(output)
      },
      // About 3 us a step with a log of 5,000 entries: it stays on in production.
      stepped: () => {
        checker.check(raft.facts())
      },
      failed: this.#parts.failed,
    })
  }

  #createApplyLoop(): ApplyLoop {
    const { options, feed, proposed } = this.#parts
    return new ApplyLoop({
      ...options,
      proposed,
      configuration: options.committed,
      entryApplied: (entry, applied) => {
        feed.entryApplied(entry, applied)
      },
      portionApplied: (index) => {
        this.#appliedUpTo(index)
      },
      portionStored: (portion) => this.snapshots.stored(portion),
      restoring: () => this.snapshots.restoring(),
      restored: (snapshot) => this.#restored(snapshot),
      failed: this.fail,
    })
  }

  #report(output: Output): void {
    const { options, submissions, reads, latencies } = this.#parts
    const notLeader = () => this.notLeader()
    for (const outcome of output.proposals) {
      if (outcome.kind === 'appended') latencies.appended(outcome.index)
      submissions.outcome(outcome, notLeader)
    }
    for (const outcome of output.reads) {
      reads.outcome(outcome, (leader) => (leader === null ? noQuorum() : notLeader()))
    }
    for (const outcome of output.memberships) this.membership.outcome(outcome)
    if (output.configuration !== null) this.membership.configurationChanged(output.configuration)
    for (const event of output.trace) options.log.trace({ trace: event }, event.name)
    if (output.leadership !== null) this.#leadershipChanged(output.leadership)
  }

  /** Where to ask instead. */
  notLeader(): CountersignError {
    const { leader, term } = this.#parts.options.raft.status()
    return this.#parts.hint.notLeader(leader, term)
  }

  #leadershipChanged(next: Leadership): void {
    const { options, submissions, latencies } = this.#parts
    const { raft, identity, log } = options
    const { role, term, leader } = next
    const { before, lost, won } = this.leadership.changed(next, () => raft.facts().termStart ?? 0)
    if (lost) {
      submissions.leadershipLost()
      latencies.leadershipLost()
    }
    if (won) {
      this.health.becameLeader({ id: identity.nodeId, term, index: this.leadership.termStart })
    }
    this.membership.leadershipChanged(next)
    this.logClock.leadershipChanged(next)
    if (before.leader === leader && before.term === term) log.debug({ role, term }, 'role')
    else log.info({ role, term, leader }, 'leadership')
  }

  #appliedUpTo(index: number): void {
    this.push({ kind: 'applied', index: logIndex(index) })
    this.logClock.applied()
    this.membership.applied()
  }

  async #restored(snapshot: SnapshotMeta): Promise<void> {
    const { feed } = this.#parts
    feed.restored(snapshot)
    this.#appliedUpTo(snapshot.index)
    feed.tellRestored(snapshot)
    await this.snapshots.restored(snapshot)
  }
}
