/**
 * Everything that leaves the core, in two queues.
 *
 * `send` promises nothing about this node's disk and leaves at once: a leader sends while it
 * writes (dissertation 10.2.1). `replies` acknowledge, so their type fits only into the persist
 * effect, behind the disk. What a drain of the inbox makes is one effect: the group commit.
 */
import { invariant } from '../invariant.js'
import type { Log } from './log/log.js'
import type {
  ConfigurationInForce,
  HardState,
  Leadership,
  LogIndex,
  MembershipOutcome,
  Output,
  PersistEffect,
  ProposalOutcome,
  ReadOutcome,
  ReplyMessage,
  RequestMessage,
  SnapshotMeta,
  TraceEvent,
} from './types.js'

export class OutputBuffer {
  send: RequestMessage[] = []
  replies: ReplyMessage[] = []
  proposals: ProposalOutcome[] = []
  reads: ReadOutcome[] = []
  memberships: MembershipOutcome[] = []
  trace: TraceEvent[] = []
  /** The latest wish counts: a newer offer makes an older one moot. */
  fetchSnapshot: Output['fetchSnapshot'] = null
  /** For the next write: the log has restarted after this snapshot. */
  install: SnapshotMeta | null = null
  /** For the next write: the log was cut up to here. */
  purgeTo: LogIndex | null = null

  /** What the disk holds for certain. Term and vote of it decide what a candidate may count. */
  durableHardState: HardState
  private handedHardState: HardState
  private lastToken = 0
  private readonly hardStatesInFlight: { readonly token: number; readonly state: HardState }[] = []
  private reportedLeadership: Leadership
  private reportedConfiguration: ConfigurationInForce

  constructor(hardState: HardState, leadership: Leadership, configuration: ConfigurationInForce) {
    this.durableHardState = hardState
    this.handedHardState = hardState
    this.reportedLeadership = leadership
    this.reportedConfiguration = configuration
  }

  get lastPersistToken(): number {
    return this.lastToken
  }

  /** Everything since the last time as one write, or null when there is nothing to write or say. */
  takePersist(log: Log, current: HardState, nowTicks: number): PersistEffect | null {
    const { install, purgeTo } = this
    const hasLogWork = install !== null || purgeTo !== null || log.unstable.hasWork(log.lastIndex)
    const moved =
      current.term !== this.handedHardState.term ||
      current.votedFor !== this.handedHardState.votedFor
    // The commit index alone is not worth a sync: it is found again after a restart.
    const hardState =
      moved || (hasLogWork && current.commit !== this.handedHardState.commit) ? current : null
    if (!hasLogWork && hardState === null && this.replies.length === 0) return null

    this.lastToken += 1
    const work = log.unstable.take(log.lastIndex)
    log.unstable.issued(this.lastToken, nowTicks)
    if (hardState !== null) {
      this.handedHardState = hardState
      this.hardStatesInFlight.push({ token: this.lastToken, state: hardState })
    }
    const thenSend = this.replies
    this.replies = []
    this.install = null
    this.purgeTo = null
    return {
      token: this.lastToken,
      hardState,
      truncateAfter: work.truncateAfter,
      entries: log.range(work.first, log.lastIndex),
      install,
      purgeTo,
      thenSend,
    }
  }

  /** A write and all before it are durable. A completion that comes again says nothing new. */
  completed(token: number): void {
    invariant(token <= this.lastToken, 'only a write that was asked for completes', { token })
    let first = this.hardStatesInFlight[0]
    while (first !== undefined && first.token <= token) {
      this.durableHardState = first.state
      this.hardStatesInFlight.shift()
      first = this.hardStatesInFlight[0]
    }
  }

  /** The leadership when it differs from what was reported last. */
  takeLeadership(current: Leadership): Leadership | null {
    const before = this.reportedLeadership
    if (
      before.role === current.role &&
      before.term === current.term &&
      before.leader === current.leader
    ) {
      return null
    }
    this.reportedLeadership = current
    return current
  }

  /** The configuration in force when it is another one than was reported last. */
  takeConfiguration(current: ConfigurationInForce): ConfigurationInForce | null {
    if (current === this.reportedConfiguration) return null
    this.reportedConfiguration = current
    return current
  }

  takeQueues(): {
    readonly send: readonly RequestMessage[]
    readonly proposals: readonly ProposalOutcome[]
    readonly reads: readonly ReadOutcome[]
    readonly memberships: readonly MembershipOutcome[]
    readonly fetchSnapshot: Output['fetchSnapshot']
    readonly trace: readonly TraceEvent[]
  } {
    const taken = {
      send: this.send,
      proposals: this.proposals,
      reads: this.reads,
      memberships: this.memberships,
      fetchSnapshot: this.fetchSnapshot,
      trace: this.trace,
    }
    this.send = []
    this.proposals = []
    this.reads = []
    this.memberships = []
    this.fetchSnapshot = null
    this.trace = []
    return taken
  }
}
