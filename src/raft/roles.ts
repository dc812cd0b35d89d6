/** Every change of role, and nothing else. Messages that follow from one are made elsewhere. */
import { invariant } from '../invariant.js'
import type { Core, LeaderState } from './core.js'
import { followMembers } from './membership/peers.js'
import { ReadQueue } from './read-index.js'
import { trace } from './trace.js'
import { logIndex, term, type Entry, type NodeId, type Term } from './types.js'

/** Two ticks: the pre-vote of the one before has begun for at least one tick. */
const turnTicks = 2

/** Draws the election timeout anew, uniform in [min, max) (3.4). */
export function restartElectionTimer(core: Core): void {
  const { electionTicksMin, electionTicksMax, random } = core.options
  core.electionStartedAtTicks = core.now
  core.electionTimeoutTicks =
    electionTicksMin + Math.floor(random() * (electionTicksMax - electionTicksMin))
}

/** Lets the election start within [0, refusalTicksMax] ticks, so that two nodes seldom collide. */
export function campaignSoon(core: Core): void {
  campaignWithin(core, core.options.refusalTicksMax)
}

/**
 * Two candidates of one term have met: neither may get a majority, and with a dead node among the
 * voters neither would hear of it. Both try again soon, over a range that doubles each time, so
 * that nodes far from each other get apart as well; then the ordinary timeout takes over.
 */
export function campaignAfterSplit(core: Core): void {
  core.splitsInRow += 1
  const rangeTicks = core.options.refusalTicksMax * 2 ** core.splitsInRow
  if (rangeTicks < core.options.electionTicksMin) campaignWithin(core, rangeTicks)
}

/**
 * Everybody but `lost` may campaign: in turn, in the order of their ids, far enough apart for the
 * one before to be through, and none later than refusalTicksMax. Chance would let two of them meet
 * now and then, which costs a whole election more. Viewstamped Replication settles the next primary
 * by a fixed order as well; here the order is only who tries first, and a node with a longer log
 * refuses and tries itself.
 *
 * Whoever asked this node a moment ago, while it still heard the leader, was refused and waits for
 * its timeout now: its turn is over.
 */
export function campaignInTurn(core: Core, lost: NodeId): void {
  const { refusalTicksMax } = core.options
  const isOver = (id: NodeId): boolean => {
    const askedAtTicks = core.withheldFrom.get(id)
    return askedAtTicks !== undefined && core.now - askedAtTicks <= refusalTicksMax
  }
  const before = core.configurations.voters.filter(
    (id) => id < core.id && id !== lost && !isOver(id),
  )
  core.electionStartedAtTicks = core.now
  core.electionTimeoutTicks = Math.min(before.length * turnTicks, refusalTicksMax)
}

function campaignWithin(core: Core, rangeTicks: number): void {
  core.electionStartedAtTicks = core.now
  core.electionTimeoutTicks = Math.floor(core.options.random() * (rangeTicks + 1))
}

export function becomeFollower(core: Core, newTerm: Term, leader: NodeId | null): void {
  invariant(newTerm >= core.currentTerm, 'the term never goes back', {
    newTerm,
    currentTerm: core.currentTerm,
  })
  failReads(core, leader)
  if (newTerm > core.currentTerm) {
    core.currentTerm = newTerm
    core.votedFor = null
    core.leaderOfTerm = null
    core.distrusted = null
  }
  core.role = { kind: 'follower', leader }
  core.leaderOfTerm ??= leader
  if (leader !== null) core.splitsInRow = 0
  restartElectionTimer(core)
  trace(core, 'BecomeFollower', { leader })
}

/** Asks whether it could win, without touching the term (9.6). */
export function becomePreCandidate(core: Core): void {
  core.role = { kind: 'preCandidate', votes: new Map([[core.id, true]]) }
  restartElectionTimer(core)
  trace(core, 'BecomePreCandidate')
}

/** The own vote is cast here but counts only when it is durable. */
export function becomeCandidate(core: Core, transfer: boolean): void {
  core.currentTerm = term(core.currentTerm + 1)
  core.votedFor = core.id
  core.leaderOfTerm = null
  core.distrusted = null
  core.role = { kind: 'candidate', votes: new Map(), transfer, asked: false }
  core.electionsStarted += 1
  restartElectionTimer(core)
  trace(core, 'BecomeCandidate')
}

/** Opens the term with a no-op, since nothing older is committed by counting (3.6.2). */
export function becomeLeader(core: Core): void {
  const { log } = core
  const noop: Entry = {
    index: logIndex(log.lastIndex + 1),
    term: core.currentTerm,
    kind: 'noop',
    payload: new Uint8Array(0),
  }
  const leader: LeaderState = {
    kind: 'leader',
    peers: new Map(),
    departing: new Set(),
    farewellUntilTicks: null,
    catchUps: new Map(),
    reads: new ReadQueue(core.id, core.lastReadToken),
    termStart: noop.index,
    transfer: null,
    heartbeatAtTicks: core.now,
    heartbeatDue: false,
    uncommittedBytes: log.payloadBytes(core.commitIndex, log.lastIndex),
  }
  followMembers(core, leader)
  log.append([noop])
  core.role = leader
  core.leaderOfTerm = core.id
  core.electionsWon += 1
  core.splitsInRow = 0
  trace(core, 'BecomeLeader')
}

/** A read that has no proof yet gets none any more: the client asks the next leader. */
function failReads(core: Core, leader: NodeId | null): void {
  if (core.role.kind !== 'leader') return
  core.lastReadToken = core.role.reads.latestToken
  for (const id of core.role.reads.takeAll()) {
    core.output.reads.push({ id, kind: 'failed', leader })
  }
}
