import { applied, takeApply, takeRestore } from './apply.js'
import { advanceCommit } from './commit.js'
import { compact, snapshotSaved, snapshotServed } from './compaction.js'
import { Core, type LeaderState } from './core.js'
import {
  askForVotes,
  checkQuorum,
  handlePreVote,
  handlePreVoteReply,
  handleTimeoutNow,
  handleVote,
  handleVoteReply,
  startPreVote,
  tickElection,
} from './election.js'
import { distrustLeader, handlePeerRefused, withholdsVotes } from './following.js'
import { changeMembership } from './membership/change.js'
import { continueChange, stepDownIfRemoved } from './membership/duties.js'
import { mayCampaign } from './membership/in-force.js'
import { letGo } from './membership/peers.js'
import { handleAppend, handleHeartbeat } from './replica.js'
import { handleAppendReply, handleHeartbeatReply, propose, sendAppends } from './replication.js'
import { becomeFollower, restartElectionTimer } from './roles.js'
import { handleSnapshotOffer, snapshotFetched } from './snapshot.js'
import { factsOf, statusOf } from './status.js'
import { trace, traceMessage } from './trace.js'
import { continueTransfer, startTransfer, tickTransfer } from './transfer.js'
import {
  logIndex,
  term,
  type Entry,
  type Event,
  type LogIndex,
  type Message,
  type Output,
  type RaftOptions,
  type RaftStatus,
  type ReplyMessage,
  type Term,
} from './types.js'
import type { RaftFacts } from './invariants.js'

/**
 * No node misses a million elections, and terms end at 2^53: a peer that could take everybody there
 * with one message would leave no term for any later campaign.
 */
const termsAheadMax = 2 ** 20

/**
 * One node of the consensus group: events in, effects out, nothing else. It knows no clock, disk or
 * network; the same state and the same event give the same result.
 *
 * The caller drains its inbox through `step` and then takes everything that came of it as one
 * batch. Throws InvariantViolation when its own state is impossible: the process must end.
 */
export class Raft {
  private readonly core: Core

  constructor(options: RaftOptions) {
    this.core = new Core(options)
    restartElectionTimer(this.core)
  }

  step(event: Event): void {
    const { core } = this
    switch (event.kind) {
      case 'tick':
        tick(core, event.ticks)
        return
      case 'receive':
        receive(core, event.message)
        return
      case 'propose':
        propose(core, event.id, event.payload)
        return
      case 'read':
        read(core, event.id)
        return
      case 'persisted':
        persisted(core, event.token)
        return
      case 'applied':
        applied(core, event.index)
        return
      case 'snapshotSaved':
        snapshotSaved(core, event.snapshot)
        return
      case 'snapshotFetched':
        snapshotFetched(core, event.snapshot)
        return
      case 'peerConnected':
        connected(core, event.peer)
        return
      case 'peerRefused':
        handlePeerRefused(core, event.peer)
        // Whose turn it is need not wait for the next tick.
        if (core.role.kind !== 'leader') tickElection(core)
        return
      case 'transferLeadership':
        startTransfer(core, event.to)
        return
      case 'snapshotServed':
        snapshotServed(core, event)
        return
      case 'distrustLeader':
        if (distrustLeader(core) && mayCampaign(core)) startPreVote(core)
        return
      case 'changeMembership':
        changeMembership(core, event)
        return
    }
  }

  /** Everything since the last call, or null when there is nothing to do. */
  takeOutput(): Output | null {
    const { core } = this
    if (core.role.kind === 'leader') finishDrain(core, core.role)
    compact(core)
    const persist = core.output.takePersist(core.log, core.hardState(), core.now)
    const restore = takeRestore(core)
    const apply = takeApply(core)
    const leadership = core.output.takeLeadership(core.leadership())
    const configuration = core.output.takeConfiguration(core.configurations.inForce)
    const queues = core.output.takeQueues()
    const isEmpty =
      persist === null &&
      leadership === null &&
      configuration === null &&
      restore === null &&
      apply.length === 0 &&
      queues.fetchSnapshot === null &&
      queues.send.length === 0 &&
      queues.proposals.length === 0 &&
      queues.reads.length === 0 &&
      queues.memberships.length === 0 &&
      queues.trace.length === 0
    return isEmpty ? null : { ...queues, persist, restore, apply, leadership, configuration }
  }

  status(): RaftStatus {
    return statusOf(this.core)
  }

  /** Of the kept log from `first` on, as many as fit into `bytesMax`; for a peer's repair. */
  durableEntries(first: LogIndex, bytesMax: number): readonly Entry[] {
    const { log } = this.core
    if (first < log.firstIndex || first > log.durableIndex) return []
    return log.rangeWithin(first, bytesMax).filter(({ index }) => index <= log.durableIndex)
  }

  /** Null where the log does not hold the index: not yet, or not any more. */
  termAt(index: LogIndex): Term | null {
    return this.core.log.termAt(index)
  }

  /** The state that the checks of invariants.ts speak about. */
  facts(): RaftFacts {
    return factsOf(this.core)
  }
}

/** What a leader sends is formed here, once for a whole drain. */
function finishDrain(core: Core, leader: LeaderState): void {
  continueChange(core, leader)
  // Before the own no-op is committed, the leader does not know what is committed (6.4).
  if (core.commitIndex >= leader.termStart && leader.reads.open(core.commitIndex)) {
    leader.heartbeatDue = true
    trace(core, 'ReadToken', { token: leader.reads.latestToken })
  }
  leader.reads.confirm(core.configurations.inForce.configuration)
  for (const ready of leader.reads.takeReady(core.appliedIndex)) {
    core.output.reads.push({ id: ready.id, kind: 'ready', index: ready.index })
    trace(core, 'ReadReady', ready)
  }
  continueTransfer(core)
  sendAppends(core, leader)
  letGo(core, leader)
  stepDownIfRemoved(core, leader)
}

function tick(core: Core, ticks: number): void {
  core.now += ticks
  if (core.role.kind !== 'leader') {
    tickElection(core)
    return
  }
  const leader = core.role
  tickTransfer(core, leader)
  if (core.now - leader.heartbeatAtTicks >= core.options.heartbeatTicks) {
    leader.heartbeatAtTicks = core.now
    leader.heartbeatDue = true
  }
  if (core.diskStalls()) {
    trace(core, 'Refused', { what: 'leading with a stalled disk' })
    becomeFollower(core, core.currentTerm, null)
    return
  }
  checkQuorum(core, leader)
}

function read(core: Core, id: number): void {
  if (core.role.kind === 'leader') core.role.reads.add(id)
  else core.output.reads.push({ id, kind: 'failed', leader: core.leader })
}

function persisted(core: Core, token: number): void {
  core.output.completed(token)
  core.log.unstable.completed(token)
  trace(core, 'Persisted', { token, durableIndex: core.log.durableIndex })
  askForVotes(core)
  advanceCommit(core)
}

function connected(core: Core, peer: string): void {
  if (core.role.kind !== 'leader') return
  const progress = core.role.peers.get(peer)
  if (progress === undefined) return
  core.lastSession += 1
  progress.startSession(core.lastSession)
}

function receive(core: Core, message: Message): void {
  traceMessage(core, 'Receive', message)
  if (message.to !== core.id || message.from === core.id || isStrangersAnswer(core, message)) {
    trace(core, 'Refused', { what: 'message of no member', from: message.from, to: message.to })
    return
  }
  if (message.term - core.currentTerm > termsAheadMax) {
    trace(core, 'Refused', { what: 'term from nowhere', from: message.from, term: message.term })
    return
  }
  if (message.term > core.currentTerm && movesTerm(core, message)) {
    becomeFollower(core, message.term, null)
  }
  if (message.term < core.currentTerm && message.kind !== 'preVote') {
    answerStale(core, message)
    return
  }
  dispatch(core, message)
}

/**
 * Anybody may ask: a node that joins does not know yet whom its leader's configuration names, and a
 * node may be led by one that it does not know. Answers count only of those who are asked.
 */
function isStrangersAnswer(core: Core, message: Message): boolean {
  switch (message.kind) {
    case 'preVoteReply':
    case 'voteReply':
      return !core.configurations.voters.includes(message.from)
    case 'appendReply':
    case 'heartbeatReply':
      return core.role.kind === 'leader'
        ? !core.role.peers.has(message.from)
        : !core.configurations.members.includes(message.from)
    default:
      return false
  }
}

/** The terms of a pre-vote and of its consent are those of a campaign that has not begun. */
function movesTerm(core: Core, message: Message): boolean {
  switch (message.kind) {
    case 'preVote':
      return false
    case 'preVoteReply':
      return !message.granted
    case 'vote':
      return message.transfer || !withholdsVotes(core)
    default:
      return true
  }
}

/** Who lags behind in term is told so, whatever it asked: else it could stay stuck for ever. */
function answerStale(core: Core, message: Message): void {
  const head = { from: core.id, to: message.from, term: core.currentTerm }
  let answer: ReplyMessage
  switch (message.kind) {
    case 'vote':
      answer = { ...head, kind: 'voteReply', granted: false }
      break
    case 'append':
      answer = {
        ...head,
        kind: 'appendReply',
        session: message.session,
        result: {
          kind: 'rejected',
          rejectedIndex: message.prevIndex,
          hintIndex: logIndex(0),
          hintTerm: term(0),
        },
      }
      break
    case 'heartbeat':
    case 'snapshotOffer':
      answer = { ...head, kind: 'heartbeatReply', session: message.session, readToken: 0 }
      break
    default:
      return
  }
  core.output.replies.push(answer)
  traceMessage(core, 'Send', answer)
}

function dispatch(core: Core, message: Message): void {
  switch (message.kind) {
    case 'preVote':
      handlePreVote(core, message)
      return
    case 'preVoteReply':
      handlePreVoteReply(core, message)
      return
    case 'vote':
      handleVote(core, message)
      return
    case 'voteReply':
      handleVoteReply(core, message)
      return
    case 'append':
      handleAppend(core, message)
      return
    case 'appendReply':
      handleAppendReply(core, message)
      return
    case 'heartbeat':
      handleHeartbeat(core, message)
      return
    case 'heartbeatReply':
      handleHeartbeatReply(core, message)
      return
    case 'timeoutNow':
      handleTimeoutNow(core, message)
      return
    case 'snapshotOffer':
      handleSnapshotOffer(core, message)
      return
  }
}
