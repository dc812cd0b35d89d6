/** Pre-vote (9.6), votes (3.4, 3.6.1) and check-quorum (6.2). */
import type { Core, LeaderState } from './core.js'
import { withholdsVotes } from './following.js'
import { mayCampaign } from './membership/in-force.js'
import { hasQuorum, voteResult } from './quorum.js'
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  campaignAfterSplit,
  campaignSoon,
  restartElectionTimer,
} from './roles.js'
import { trace, traceMessage } from './trace.js'
import {
  term,
  type NodeId,
  type PreVote,
  type PreVoteReply,
  type ReplyMessage,
  type RequestMessage,
  type TimeoutNow,
  type Vote,
  type VoteReply,
} from './types.js'

/** The timer of everybody but the leader. Who may not campaign, or whose disk stalls, waits on. */
export function tickElection(core: Core): void {
  if (core.now - core.electionStartedAtTicks < core.electionTimeoutTicks) return
  if (!mayCampaign(core) || core.diskStalls()) restartElectionTimer(core)
  else startPreVote(core)
}

/** The timer of the leader: without answers of a majority it steps down by itself. */
export function checkQuorum(core: Core, leader: LeaderState): void {
  const isHeard = (voter: NodeId) => {
    if (voter === core.id) return true
    const progress = leader.peers.get(voter)
    return (
      progress !== undefined && core.now - progress.heardAtTicks <= core.options.electionTicksMax
    )
  }
  if (!hasQuorum(core.configurations.inForce.configuration, isHeard)) {
    trace(core, 'Refused', { what: 'leading without a majority' })
    becomeFollower(core, core.currentTerm, null)
  }
}

export function startPreVote(core: Core): void {
  becomePreCandidate(core)
  for (const peer of otherVoters(core)) {
    send(core, {
      kind: 'preVote',
      from: core.id,
      to: peer,
      term: term(core.currentTerm + 1),
      lastIndex: core.log.lastIndex,
      lastTerm: core.log.lastTerm,
    })
  }
  countPreVotes(core)
}

/**
 * Asks for votes once term, own vote and the log that it claims are durable. Asking earlier would
 * be faster by one sync, but a crash in between could let this node campaign a second time in the
 * same term with a shorter log, and count a vote that was given for the longer one.
 */
export function askForVotes(core: Core): void {
  const { role } = core
  const { term: durableTerm, votedFor } = core.output.durableHardState
  if (role.kind !== 'candidate' || role.asked) return
  if (durableTerm !== core.currentTerm || votedFor !== core.id) return
  role.asked = true
  for (const peer of otherVoters(core)) {
    send(core, {
      kind: 'vote',
      from: core.id,
      to: peer,
      term: core.currentTerm,
      lastIndex: core.log.lastIndex,
      lastTerm: core.log.lastTerm,
      transfer: role.transfer,
    })
  }
  role.votes.set(core.id, true)
  countVotes(core)
}

export function handlePreVote(core: Core, message: PreVote): void {
  const withheld = withholdsVotes(core)
  const upToDate = core.log.isUpToDate(message)
  const granted = !withheld && upToDate && message.term > core.currentTerm
  if (!granted) core.preVotesRefused += 1
  if (withheld && core.configurations.voters.includes(message.from)) {
    core.withheldFrom.set(message.from, core.now)
  }
  answer(core, {
    kind: 'preVoteReply',
    from: core.id,
    to: message.from,
    // A refusal carries the own term, which may free an asker that lags behind.
    term: granted ? message.term : core.currentTerm,
    granted,
  })
  // The asker hears no leader either, and cannot win over this log: do not wait for the timeout.
  const leaderless = core.role.kind === 'preCandidate' || core.role.kind === 'follower'
  if (!withheld && !upToDate && leaderless && core.leader === null) campaignSoon(core)
}

export function handlePreVoteReply(core: Core, reply: PreVoteReply): void {
  if (core.role.kind !== 'preCandidate') return
  if (reply.granted && reply.term !== core.currentTerm + 1) return
  core.role.votes.set(reply.from, reply.granted)
  countPreVotes(core)
}

function countPreVotes(core: Core): void {
  if (core.role.kind !== 'preCandidate') return
  const result = voteResult(core.configurations.inForce.configuration, core.role.votes)
  if (result === 'won') becomeCandidate(core, false)
  if (result === 'lost') becomeFollower(core, core.currentTerm, null)
}

/** The message's term equals the own: raft.ts has taken it over, or the request was withheld. */
export function handleVote(core: Core, message: Vote): void {
  const free = core.votedFor === message.from || (core.votedFor === null && core.leader === null)
  const granted = message.term === core.currentTerm && free && core.log.isUpToDate(message)
  if (granted) {
    core.votedFor = message.from
    restartElectionTimer(core)
  }
  answer(core, {
    kind: 'voteReply',
    from: core.id,
    to: message.from,
    term: core.currentTerm,
    granted,
  })
  if (core.role.kind === 'candidate' && message.term === core.currentTerm) {
    campaignAfterSplit(core)
  }
}

/** A vote that comes before anybody was asked is not for this campaign. */
export function handleVoteReply(core: Core, reply: VoteReply): void {
  if (core.role.kind !== 'candidate' || !core.role.asked) return
  core.role.votes.set(reply.from, reply.granted)
  countVotes(core)
}

function countVotes(core: Core): void {
  if (core.role.kind !== 'candidate') return
  const result = voteResult(core.configurations.inForce.configuration, core.role.votes)
  if (result === 'won') becomeLeader(core)
  if (result === 'lost') becomeFollower(core, core.currentTerm, null)
}

/** The leader hands over: no pre-vote, and no waiting for anybody's timeout (3.10). */
export function handleTimeoutNow(core: Core, message: TimeoutNow): void {
  if (core.role.kind !== 'follower' || core.role.leader !== message.from) {
    trace(core, 'Refused', { what: 'handover by a node that does not lead', from: message.from })
    return
  }
  if (!mayCampaign(core)) {
    trace(core, 'Refused', { what: 'handover to no voter', from: message.from })
    return
  }
  becomeCandidate(core, true)
}

function otherVoters(core: Core): readonly NodeId[] {
  return core.configurations.voters.filter((voter) => voter !== core.id)
}

function send(core: Core, message: RequestMessage): void {
  core.output.send.push(message)
  traceMessage(core, 'Send', message)
}

function answer(core: Core, message: ReplyMessage): void {
  core.output.replies.push(message)
  traceMessage(core, 'Send', message)
}
