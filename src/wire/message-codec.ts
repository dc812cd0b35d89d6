/** Messages of the consensus core to their wire form and back. */
import type { Entry, LogIndex, Message, Term } from '../raft/index.js'
import { entryFromWire, entryToWire } from './entry-codec.js'
import { type countersign, malformed, safeInteger } from './protobuf.js'
import {
  indexFromWire as index,
  nodeIdFromWire as nodeId,
  termFromWire as term,
} from './raft-values.js'
import { metaFromWire, metaToWire } from './snapshot-codec.js'

type WireMessage = countersign.peer.v1.RaftMessage.$Properties
type WireShape = countersign.peer.v1.RaftMessage.$Shape
type WireEntry = countersign.peer.v1.RaftEntry.$Properties
type WireAppendReply = countersign.peer.v1.AppendReply.$Shape
type AppendReplyResult = Extract<Message, { kind: 'appendReply' }>['result']

export function messageToWire(message: Message): WireMessage {
  const head = { from: message.from, to: message.to, term: message.term }
  switch (message.kind) {
    case 'preVote':
      return { ...head, preVote: { lastIndex: message.lastIndex, lastTerm: message.lastTerm } }
    case 'preVoteReply':
      return { ...head, preVoteReply: { granted: message.granted } }
    case 'vote': {
      const { lastIndex, lastTerm, transfer } = message
      return { ...head, vote: { lastIndex, lastTerm, transfer } }
    }
    case 'voteReply':
      return { ...head, voteReply: { granted: message.granted } }
    case 'append': {
      const { session, prevIndex, prevTerm, commit } = message
      const entries = message.entries.map(entryToWire)
      return { ...head, append: { session, prevIndex, prevTerm, entries, commit } }
    }
    case 'appendReply':
      return { ...head, appendReply: { session: message.session, ...resultToWire(message.result) } }
    case 'heartbeat': {
      const { session, commit, readToken } = message
      return { ...head, heartbeat: { session, commit, readToken } }
    }
    case 'heartbeatReply': {
      const { session, readToken } = message
      return { ...head, heartbeatReply: { session, readToken } }
    }
    case 'timeoutNow':
      return { ...head, timeoutNow: {} }
    case 'snapshotOffer': {
      const { session, snapshot } = message
      return { ...head, snapshotOffer: { session, snapshot: metaToWire(snapshot) } }
    }
  }
}

export function messageFromWire(wire: WireShape): Message {
  const head = {
    from: nodeId(wire.from, 'from'),
    to: nodeId(wire.to, 'to'),
    term: term(wire.term, 'term'),
  }
  switch (wire.message) {
    case 'preVote':
      return { kind: 'preVote', ...head, ...lastOf(wire.preVote) }
    case 'preVoteReply':
      return { kind: 'preVoteReply', ...head, granted: wire.preVoteReply.granted ?? false }
    case 'vote': {
      const transfer = wire.vote.transfer ?? false
      return { kind: 'vote', ...head, ...lastOf(wire.vote), transfer }
    }
    case 'voteReply':
      return { kind: 'voteReply', ...head, granted: wire.voteReply.granted ?? false }
    case 'append': {
      const prevIndex = index(wire.append.prevIndex, 'prevIndex')
      return {
        kind: 'append',
        ...head,
        session: safeInteger(wire.append.session, 'session'),
        prevIndex,
        prevTerm: term(wire.append.prevTerm, 'prevTerm'),
        entries: entriesFromWire(wire.append.entries ?? [], prevIndex),
        commit: index(wire.append.commit, 'commit'),
      }
    }
    case 'appendReply':
      return {
        kind: 'appendReply',
        ...head,
        session: safeInteger(wire.appendReply.session, 'session'),
        result: resultFromWire(wire.appendReply),
      }
    case 'heartbeat':
      return {
        kind: 'heartbeat',
        ...head,
        session: safeInteger(wire.heartbeat.session, 'session'),
        commit: index(wire.heartbeat.commit, 'commit'),
        readToken: safeInteger(wire.heartbeat.readToken, 'readToken'),
      }
    case 'heartbeatReply':
      return {
        kind: 'heartbeatReply',
        ...head,
        session: safeInteger(wire.heartbeatReply.session, 'session'),
        readToken: safeInteger(wire.heartbeatReply.readToken, 'readToken'),
      }
    case 'timeoutNow':
      return { kind: 'timeoutNow', ...head }
    case 'snapshotOffer':
      return {
        kind: 'snapshotOffer',
        ...head,
        session: safeInteger(wire.snapshotOffer.session, 'session'),
        snapshot: metaFromWire(wire.snapshotOffer.snapshot),
      }
    case undefined:
      throw malformed('The raft message is of no known kind')
  }
}

/** Entries follow `prevIndex` without a gap; an append that says otherwise is refused whole. */
function entriesFromWire(wire: readonly WireEntry[], prevIndex: LogIndex): readonly Entry[] {
  return wire.map((entry, offset) => {
    const decoded = entryFromWire(entry)
    if (decoded.index !== prevIndex + 1 + offset) {
      throw malformed('The entries of an append are not in an unbroken order')
    }
    return decoded
  })
}

function resultToWire(result: AppendReplyResult): countersign.peer.v1.AppendReply.$Properties {
  switch (result.kind) {
    case 'matched':
      return { matched: { matchIndex: result.matchIndex } }
    case 'rejected': {
      const { rejectedIndex, hintIndex, hintTerm } = result
      return { rejected: { rejectedIndex, hintIndex, hintTerm } }
    }
  }
}

function resultFromWire(wire: WireAppendReply): AppendReplyResult {
  switch (wire.result) {
    case 'matched':
      return { kind: 'matched', matchIndex: index(wire.matched.matchIndex, 'matchIndex') }
    case 'rejected':
      return {
        kind: 'rejected',
        rejectedIndex: index(wire.rejected.rejectedIndex, 'rejectedIndex'),
        hintIndex: index(wire.rejected.hintIndex, 'hintIndex'),
        hintTerm: term(wire.rejected.hintTerm, 'hintTerm'),
      }
    case undefined:
      throw malformed('The reply to an append has no result')
  }
}

function lastOf(wire: countersign.peer.v1.PreVote.$Properties): {
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
} {
  return {
    lastIndex: index(wire.lastIndex, 'lastIndex'),
    lastTerm: term(wire.lastTerm, 'lastTerm'),
  }
}
