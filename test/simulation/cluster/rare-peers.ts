/** `Peers` and the events from it, with the rare paths of a transport (rare-paths.ts). */
import { CountersignError } from '../../../src/errors.js'
import type { PeerEvents, Peers } from '../../../src/node/ports.js'
import type { Message } from '../../../src/raft/index.js'
import type { Chance, RarePath } from './rare-paths.js'

const lossOf: Readonly<Record<Message['kind'], RarePath>> = {
  preVote: 'peers: a vote is lost',
  vote: 'peers: a vote is lost',
  append: 'peers: an append is lost',
  heartbeat: 'peers: a heartbeat is lost',
  timeoutNow: 'peers: a TimeoutNow is lost',
  snapshotOffer: 'peers: a snapshot offer is lost',
  preVoteReply: 'peers: a reply is lost',
  voteReply: 'peers: a reply is lost',
  appendReply: 'peers: a reply is lost',
  heartbeatReply: 'peers: a reply is lost',
}

export function withRarePaths(
  peers: Peers,
  chance: Chance,
  /** Resolves after a while of the node's time. */
  pause: () => Promise<void>,
): Peers {
  return {
    start: (events) => peers.start(rareEvents(events, chance)),
    send: (to, messages) => {
      const left = messages.filter(({ kind }) => !chance(lossOf[kind]))
      if (left.length === 0) return
      if (chance('peers: a frame is split')) {
        for (const message of left) peers.send(to, [message])
      } else {
        peers.send(to, left)
      }
      if (chance('peers: a frame is sent twice')) peers.send(to, left)
    },
    requestStamp: (to, request) => {
      if (!chance('peers: a request for a stamp is lost')) peers.requestStamp(to, request)
    },
    sendStamp: (to, stamp) => {
      if (!chance('peers: a stamp is lost')) peers.sendStamp(to, stamp)
    },
    setMembers: (known) => {
      if (!chance('peers: members are told late')) {
        peers.setMembers(known)
        return
      }
      void pause().then(() => {
        peers.setMembers(known)
      })
    },
    fetch: async function* (from, wanted) {
      if (chance('peers: a fetch is refused')) throw unreachable()
      for await (const answer of peers.fetch(from, wanted)) {
        if (chance('peers: a fetch breaks off')) throw unreachable()
        if (chance('peers: a fetch is slow')) await pause()
        yield answer
      }
    },
    links: () => peers.links(),
    stop: () => peers.stop(),
  }
}

function rareEvents(events: PeerEvents, chance: Chance): PeerEvents {
  return {
    messages: (from, messages) => {
      if (chance('events: a refusal is imagined')) events.refused(from)
      if (chance('events: messages come one by one')) {
        for (const message of messages) events.messages(from, [message])
      } else {
        events.messages(from, messages)
      }
      if (chance('events: a message comes twice')) events.messages(from, messages.slice(0, 1))
    },
    connected: (peer, hello) => {
      events.connected(peer, hello)
      if (chance('events: a connection is told twice')) events.connected(peer, hello)
    },
    introduced: (peer) => {
      events.introduced(peer)
    },
    disconnected: (peer, why) => {
      if (!chance('events: a broken stream is not heard of')) events.disconnected(peer, why)
    },
    refused: (peer) => {
      if (!chance('events: a refusal is not heard')) events.refused(peer)
    },
    stampRequested: (from, request) => {
      events.stampRequested(from, request)
      if (chance('events: a request for a stamp comes twice')) events.stampRequested(from, request)
    },
    stampReceived: (from, stamp) => {
      events.stampReceived(from, stamp)
      if (chance('events: a stamp comes twice')) events.stampReceived(from, stamp)
    },
    fetched: async function* (from, wanted) {
      if (chance('events: what a peer fetches is gone')) {
        throw new CountersignError('FETCH_GONE', 'simulated: it is gone.')
      }
      for await (const answer of events.fetched(from, wanted)) {
        yield answer
        if (chance('events: what a peer fetches ends early')) return
      }
    },
    removedBy: (peer) => {
      events.removedBy(peer)
    },
    transferAsked: (to) => events.transferAsked(to),
  }
}

function unreachable(): CountersignError {
  return new CountersignError('UNREACHABLE', 'simulated: the connection broke.')
}
