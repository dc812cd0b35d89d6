/** `say 2->1 vote term 3 last 4/2`: a message that the scenario itself puts into a node's mouth. */
import {
  configurationOf,
  logIndex,
  term,
  type Message,
  type NodeId,
} from '../../../src/raft/index.js'
import type { Wire } from '../world/wire.js'
import { entryOf } from '../world/world.js'
import { messageKinds } from './message-kinds.js'
import type { Position, Words } from './words.js'

/** Everything that a line can say about a message; each kind takes what is its own. */
interface Said {
  term: number
  last: Position
  prev: Position
  hint: Position
  entries: readonly Position[]
  commit: number
  token: number
  session: number | null
  granted: boolean
  transfer: boolean
  matched: number | null
  rejected: number
  at: Position
  voters: readonly NodeId[]
}

const nowhere: Position = { index: logIndex(0), term: term(0) }

export function spokenMessage(words: Words): (wire: Wire) => Message {
  const { from, to } = words.direction()
  const kind = words.oneOf('a kind of message', messageKinds)
  const said = partsOf(words)
  return (wire) => {
    // A leader speaks in its own session, a follower answers in that of the leader.
    const answers = kind === 'appendReply' || kind === 'heartbeatReply'
    const session = said.session ?? (answers ? wire.sessionOf(to, from) : wire.sessionOf(from, to))
    return messageOf({ kind, from, to, term: term(said.term) }, said, session)
  }
}

function partsOf(words: Words): Said {
  const said: Said = {
    term: 0,
    last: nowhere,
    prev: nowhere,
    hint: nowhere,
    entries: [],
    commit: 0,
    token: 0,
    session: null,
    granted: false,
    transfer: false,
    matched: null,
    rejected: 0,
    at: nowhere,
    voters: [],
  }
  const parts: Readonly<Record<string, () => void>> = {
    term: () => (said.term = words.term()),
    last: () => (said.last = words.position()),
    prev: () => (said.prev = words.position()),
    hint: () => (said.hint = words.position()),
    entries: () => (said.entries = words.positions()),
    commit: () => (said.commit = words.index()),
    token: () => (said.token = words.number('a token')),
    session: () => (said.session = words.number('a session')),
    granted: () => (said.granted = true),
    refused: () => (said.granted = false),
    transfer: () => (said.transfer = true),
    matched: () => (said.matched = words.index()),
    rejected: () => (said.rejected = words.index()),
    at: () => (said.at = words.position()),
    voters: () => (said.voters = words.nodes()),
  }
  while (!words.isAtEnd) {
    const name = words.oneOf('a part of the message', Object.keys(parts))
    parts[name]?.()
  }
  return said
}

function messageOf(
  head: {
    readonly kind: Message['kind']
    readonly from: NodeId
    readonly to: NodeId
    readonly term: Message['term']
  },
  said: Said,
  session: number,
): Message {
  const { kind, ...addressed } = head
  const lastOf = { lastIndex: said.last.index, lastTerm: said.last.term }
  switch (kind) {
    case 'preVote':
      return { ...addressed, kind, ...lastOf }
    case 'vote':
      return { ...addressed, kind, ...lastOf, transfer: said.transfer }
    case 'preVoteReply':
    case 'voteReply':
      return { ...addressed, kind, granted: said.granted }
    case 'append':
      return {
        ...addressed,
        kind,
        session,
        prevIndex: said.prev.index,
        prevTerm: said.prev.term,
        entries: said.entries.map(entryOf),
        commit: logIndex(said.commit),
      }
    case 'appendReply':
      return { ...addressed, kind, session, result: resultOf(said) }
    case 'heartbeat':
      return { ...addressed, kind, session, commit: logIndex(said.commit), readToken: said.token }
    case 'heartbeatReply':
      return { ...addressed, kind, session, readToken: said.token }
    case 'timeoutNow':
      return { ...addressed, kind }
    case 'snapshotOffer':
      return {
        ...addressed,
        kind,
        session,
        snapshot: {
          ...said.at,
          configuration: configurationOf(said.voters),
          configurationIndex: logIndex(0),
        },
      }
  }
}

function resultOf(said: Said): Extract<Message, { kind: 'appendReply' }>['result'] {
  if (said.matched !== null) return { kind: 'matched', matchIndex: logIndex(said.matched) }
  return {
    kind: 'rejected',
    rejectedIndex: logIndex(said.rejected),
    hintIndex: said.hint.index,
    hintTerm: said.hint.term,
  }
}
