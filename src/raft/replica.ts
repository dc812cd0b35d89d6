/** What a follower does with AppendEntries and heartbeats of its leader (3.5). */
import { invariant } from '../invariant.js'
import { commitTo } from './commit.js'
import type { Core } from './core.js'
import { followLeader } from './following.js'
import { decodeConfiguration } from './membership/codec.js'
import { appendToLog, truncateLog } from './membership/in-force.js'
import { trace, traceMessage } from './trace.js'
import {
  logIndex,
  type Append,
  type AppendReply,
  type Heartbeat,
  type HeartbeatReply,
  type LogIndex,
} from './types.js'

export function handleAppend(core: Core, message: Append): void {
  if (!isWellFormed(message)) {
    trace(core, 'Refused', { what: 'append that no leader makes', from: message.from })
    return
  }
  if (!followLeader(core, message.from)) return
  const kept = afterAnchor(core, message)
  if (kept === null) {
    reply(core, message, { kind: 'matched', matchIndex: core.commitIndex })
    return
  }
  const { prevIndex, prevTerm, entries } = kept
  if (!core.log.matches({ index: prevIndex, term: prevTerm })) {
    rejectAppend(core, kept)
    return
  }
  takeEntries(core, kept)
  const lastIndex = logIndex(prevIndex + entries.length)
  verifyUpTo(core, lastIndex)
  // An entry beyond what this append covers may be a stale suffix of another leader.
  commitTo(core, logIndex(Math.min(message.commit, lastIndex)))
  reply(core, message, { kind: 'matched', matchIndex: lastIndex })
}

/**
 * The part of an append that lies after the own anchor. What lies before is committed, so every
 * leader holds the same (leader completeness, 3.6.3): null, when it is all of the append, and then
 * this node agrees with the leader up to the commit index.
 */
function afterAnchor(core: Core, message: Append): Append | null {
  const { anchor } = core.log
  const before = anchor.index - message.prevIndex
  if (before <= 0) return message
  const atAnchor = message.entries[before - 1]
  if (atAnchor === undefined) return null
  invariant(atAnchor.term === anchor.term, 'a committed entry is never overwritten', {
    node: core.id,
    index: anchor.index,
    commitIndex: core.commitIndex,
    ownTerm: anchor.term,
    leaderEntryTerm: atAnchor.term,
    leader: message.from,
    leaderTerm: message.term,
  })
  return {
    ...message,
    prevIndex: anchor.index,
    prevTerm: anchor.term,
    entries: message.entries.slice(before),
  }
}

/** Says where the logs may agree: the last own position of a term not above the one asked for. */
function rejectAppend(core: Core, message: Append): void {
  const { log } = core
  const hint = log.lastWithTermAtMost(message.prevIndex, message.prevTerm) ?? log.anchor
  reply(core, message, {
    kind: 'rejected',
    rejectedIndex: message.prevIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  })
}

/** A late or repeated append removes nothing: only a differing term at an index does (3.5). */
function takeEntries(core: Core, message: Append): void {
  const fresh = message.entries.findIndex((entry) => !core.log.matches(entry))
  if (fresh < 0) return
  const entries = message.entries.slice(fresh)
  const first = entries[0]
  if (first !== undefined && first.index <= core.log.lastIndex) {
    invariant(first.index > core.commitIndex, 'a committed entry is never overwritten', {
      node: core.id,
      index: first.index,
      commitIndex: core.commitIndex,
      ownTerm: core.log.termAt(first.index),
      leaderEntryTerm: first.term,
      leader: message.from,
      leaderTerm: message.term,
    })
    truncateLog(core, logIndex(first.index - 1))
    core.verifiedIndex = logIndex(Math.min(core.verifiedIndex, core.log.lastIndex))
  }
  appendToLog(core, entries)
}

export function handleHeartbeat(core: Core, message: Heartbeat): void {
  if (!followLeader(core, message.from)) return
  // Capped by what this leader has verified here: a wiped disk under an old id is no crash.
  const known = core.verifiedTerm === core.currentTerm ? core.verifiedIndex : core.commitIndex
  commitTo(core, logIndex(Math.min(message.commit, known)))
  const answer: HeartbeatReply = {
    kind: 'heartbeatReply',
    from: core.id,
    to: message.from,
    term: core.currentTerm,
    session: message.session,
    readToken: message.readToken,
  }
  core.output.replies.push(answer)
  traceMessage(core, 'Send', answer)
}

/** The leader of the current term has shown that the logs agree up to `index`. */
function verifyUpTo(core: Core, index: LogIndex): void {
  if (core.verifiedTerm !== core.currentTerm) {
    core.verifiedTerm = core.currentTerm
    core.verifiedIndex = index
  } else if (index > core.verifiedIndex) {
    core.verifiedIndex = index
  }
}

function reply(core: Core, message: Append, result: AppendReply['result']): void {
  const answer: AppendReply = {
    kind: 'appendReply',
    from: core.id,
    to: message.from,
    term: core.currentTerm,
    session: message.session,
    result,
  }
  core.output.replies.push(answer)
  traceMessage(core, 'Send', answer)
}

/**
 * Entries follow prevIndex without a gap, in terms that never fall nor exceed the leader's, and
 * configurations can be read.
 */
function isWellFormed(message: Append): boolean {
  let { prevIndex: index, prevTerm: lastTerm } = message
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < lastTerm || entry.term > message.term) {
      return false
    }
    if (entry.kind === 'configuration' && decodeConfiguration(entry.payload) === null) return false
    index = entry.index
    lastTerm = entry.term
  }
  return lastTerm <= message.term
}
