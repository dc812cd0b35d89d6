/**
 * One event for each transition, as data. The upper names are those of etcd-io/raft's state trace,
 * which fit the public TLA+ model of Raft; the rest are ours.
 */
import type { Core } from './core.js'
import type { Message } from './types.js'

export type TraceName =
  | 'BecomeCandidate'
  | 'BecomeFollower'
  | 'BecomeLeader'
  | 'Commit'
  | 'Replicate'
  | 'SendAppendEntriesRequest'
  | 'ReceiveAppendEntriesRequest'
  | 'SendAppendEntriesResponse'
  | 'ReceiveAppendEntriesResponse'
  | 'SendRequestVoteRequest'
  | 'ReceiveRequestVoteRequest'
  | 'SendRequestVoteResponse'
  | 'ReceiveRequestVoteResponse'
  | 'BecomePreCandidate'
  | 'SendPreVoteRequest'
  | 'ReceivePreVoteRequest'
  | 'SendPreVoteResponse'
  | 'ReceivePreVoteResponse'
  | 'SendHeartbeatRequest'
  | 'ReceiveHeartbeatRequest'
  | 'SendHeartbeatResponse'
  | 'ReceiveHeartbeatResponse'
  | 'SendSnapshot'
  | 'ReceiveSnapshot'
  | 'InstallSnapshot'
  | 'SnapshotSaved'
  | 'Compact'
  | 'ChangeConf'
  | 'ApplyConfChange'
  | 'LearnerRound'
  | 'SendTimeoutNow'
  | 'ReceiveTimeoutNow'
  | 'ForgetLeader'
  | 'Persisted'
  | 'ReadToken'
  | 'ReadReady'
  | 'TransferStart'
  | 'TransferEnd'
  | 'ProgressState'
  | 'Refused'

export function trace(
  core: Core,
  name: TraceName,
  facts?: Readonly<Record<string, unknown>>,
): void {
  if (!core.options.trace) return
  core.output.trace.push({
    name,
    nid: core.id,
    state: { term: core.currentTerm, vote: core.votedFor, commit: core.commitIndex },
    role: core.role.kind,
    log: core.log.lastIndex,
    ...(facts === undefined ? {} : { facts }),
  })
}

const subjects = {
  preVote: 'PreVoteRequest',
  preVoteReply: 'PreVoteResponse',
  vote: 'RequestVoteRequest',
  voteReply: 'RequestVoteResponse',
  append: 'AppendEntriesRequest',
  appendReply: 'AppendEntriesResponse',
  heartbeat: 'HeartbeatRequest',
  heartbeatReply: 'HeartbeatResponse',
  timeoutNow: 'TimeoutNow',
  snapshotOffer: 'Snapshot',
} as const satisfies Record<Message['kind'], string>

/** An append is traced with the number of its entries, not with their payloads. */
export function traceMessage(core: Core, direction: 'Send' | 'Receive', message: Message): void {
  if (!core.options.trace) return
  const facts =
    message.kind === 'append' ? { ...message, entries: message.entries.length } : message
  trace(core, `${direction}${subjects[message.kind]}`, { msg: facts })
}
