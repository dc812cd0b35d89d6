/** The leader's side: proposals, what each peer is sent, and what its answers say (3.5). */
import { invariant } from '../invariant.js'
import { advanceCommit } from './commit.js'
import type { Core, LeaderState } from './core.js'
import { entryBytes } from './log/log.js'
import type { Progress } from './progress/progress.js'
import { offerSnapshot } from './snapshot.js'
import { trace, traceMessage } from './trace.js'
import {
  logIndex,
  type Append,
  type AppendReply,
  type Heartbeat,
  type HeartbeatReply,
  type NodeId,
} from './types.js'

export function propose(core: Core, id: number, payload: Uint8Array): void {
  const refused = refusalOf(core, payload)
  if (refused !== null || core.role.kind !== 'leader') {
    core.proposalsRefused += 1
    const code = refused ?? 'NOT_LEADER'
    core.output.proposals.push({ id, kind: 'refused', code, leader: core.leader })
    trace(core, 'Refused', { what: 'proposal', code })
    return
  }
  const index = logIndex(core.log.lastIndex + 1)
  core.log.append([{ index, term: core.currentTerm, kind: 'command', payload }])
  core.role.uncommittedBytes += payload.length
  core.output.proposals.push({ id, kind: 'appended', index, term: core.currentTerm })
  trace(core, 'Replicate', { index })
}

function refusalOf(core: Core, payload: Uint8Array): 'NOT_LEADER' | 'BUSY' | null {
  if (core.role.kind !== 'leader') return 'NOT_LEADER'
  // Soon another node leads, or this one goes on: either way the same bytes may come again.
  if (core.role.transfer !== null) return 'BUSY'
  const { uncommittedBytes } = core.role
  const limit = core.options.limits.uncommittedBytesMax
  // A payload larger than the whole limit still passes when nothing else waits.
  return uncommittedBytes > 0 && uncommittedBytes + payload.length > limit ? 'BUSY' : null
}

/** Forms what each peer may be sent now: once a drain, so that proposals share messages. */
export function sendAppends(core: Core, leader: LeaderState): void {
  for (const [peer, progress] of leader.peers) {
    if (leader.heartbeatDue) sendHeartbeat(core, leader, peer, progress)
    while (progress.wantsAppend(core.log.lastIndex, core.commitIndex)) {
      if (progress.nextIndex > core.log.anchor.index) sendAppend(core, peer, progress)
      else needSnapshot(core, peer, progress)
    }
    if (progress.offerDue) offerSnapshot(core, peer, progress)
  }
  leader.heartbeatDue = false
}

/** What precedes the entries that this peer needs is compacted away (chapter 5). */
function needSnapshot(core: Core, peer: NodeId, progress: Progress): void {
  progress.needSnapshot(core.now)
  traceProgress(core, peer, progress)
}

function sendAppend(core: Core, peer: NodeId, progress: Progress): void {
  const prevIndex = logIndex(progress.nextIndex - 1)
  const prevTerm = core.log.termAt(prevIndex)
  invariant(prevTerm !== null, 'a leader has the entry before those it sends', { prevIndex })
  const { appendBytesMax } = core.options.limits
  const entries = progress.hasRoom() ? core.log.rangeWithin(progress.nextIndex, appendBytesMax) : []
  const message: Append = {
    kind: 'append',
    from: core.id,
    to: peer,
    term: core.currentTerm,
    session: progress.session,
    prevIndex,
    prevTerm,
    entries,
    commit: core.commitIndex,
  }
  progress.sent({
    lastIndex: logIndex(prevIndex + entries.length),
    bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
    commit: core.commitIndex,
  })
  core.output.send.push(message)
  traceMessage(core, 'Send', message)
}

function sendHeartbeat(core: Core, leader: LeaderState, peer: NodeId, progress: Progress): void {
  const message: Heartbeat = {
    kind: 'heartbeat',
    from: core.id,
    to: peer,
    term: core.currentTerm,
    session: progress.session,
    commit: logIndex(Math.min(progress.matchIndex, core.commitIndex)),
    readToken: leader.reads.tokenToSend,
  }
  core.output.send.push(message)
  traceMessage(core, 'Send', message)
}

/** The peer's progress when the answer belongs to its present session, else null. */
function answered(
  core: Core,
  leader: LeaderState,
  reply: { readonly from: NodeId; readonly session: number },
): Progress | null {
  const progress = leader.peers.get(reply.from)
  if (progress?.session !== reply.session) {
    trace(core, 'Refused', { what: 'answer of an old session', from: reply.from })
    return null
  }
  progress.heardAtTicks = core.now
  return progress
}

export function handleAppendReply(core: Core, reply: AppendReply): void {
  if (core.role.kind !== 'leader') return
  const progress = answered(core, core.role, reply)
  if (progress === null) return
  const { result } = reply
  const before = progress.kind
  if (result.kind === 'matched') {
    if (result.matchIndex > core.log.lastIndex) {
      trace(core, 'Refused', { what: 'match beyond the log', from: reply.from })
      return
    }
    progress.matched(result.matchIndex, core.log.anchor.index)
    advanceCommit(core)
  } else {
    const fit = core.log.lastWithTermAtMost(result.hintIndex, result.hintTerm)
    // Where no kept position can fit, the next append would follow what is compacted away.
    progress.rejected(result.rejectedIndex, fit?.index ?? logIndex(core.log.anchor.index - 1))
  }
  if (progress.kind !== before) traceProgress(core, reply.from, progress)
}

function traceProgress(core: Core, peer: NodeId, progress: Progress): void {
  const { kind, matchIndex, nextIndex } = progress
  trace(core, 'ProgressState', { peer, kind, matchIndex, nextIndex })
}

export function handleHeartbeatReply(core: Core, reply: HeartbeatReply): void {
  if (core.role.kind !== 'leader') return
  const progress = answered(core, core.role, reply)
  if (progress === null) return
  progress.heartbeatAnswered(core.now, core.options.electionTicksMax)
  core.role.reads.acknowledge(reply.from, reply.readToken)
}
