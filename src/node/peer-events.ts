/** What the peers say, handed to the parts of the node that it concerns. */
import type { Logger } from 'pino'
import type { Event, Message, NodeId } from '../raft/index.js'
import type { FetchAnswer, Wanted } from '../wire/index.js'
import type { Health } from './health.js'
import type { LeaderHint } from './leader-hint.js'
import type { LogClock } from './log-clock.js'
import type { LeaderKnown, PeerEvents, PeerMember } from './ports.js'

export interface PeerEventParts {
  readonly log: Logger
  readonly health: Health
  readonly hint: LeaderHint
  readonly logClock: LogClock
  readonly push: (event: Event) => void
  readonly answers: (peer: NodeId, wanted: Wanted) => AsyncIterable<FetchAnswer>
  readonly introduced: (peer: PeerMember) => void
  /** A peer that knows more says that this node is no member any more. */
  readonly removed: () => void
  readonly transferAsked: (to: NodeId | null) => Promise<LeaderKnown>
}

export function createPeerEvents(parts: PeerEventParts): PeerEvents {
  const { log, health, hint, logClock, push } = parts
  return {
    messages: (_from, messages: readonly Message[]) => {
      for (const message of messages) {
        if (message.kind === 'append') health.appendHeard(message)
        push({ kind: 'receive', message })
      }
    },
    connected: (peer, hello) => {
      hint.heard(hello)
      log.debug({ peer }, 'peer connected')
      push({ kind: 'peerConnected', peer })
    },
    introduced: (peer) => {
      log.info({ peer: peer.id, address: peer.address }, 'a node that is not known here')
      parts.introduced(peer)
    },
    disconnected: (peer, why) => {
      log.info({ peer, code: why.code, why: why.message }, 'peer disconnected')
    },
    refused: (peer) => {
      log.debug({ peer }, 'peer refuses connections')
      push({ kind: 'peerRefused', peer })
    },
    stampRequested: (from, request) => {
      logClock.stampRequested(from, request)
    },
    stampReceived: (from, stamp) => {
      logClock.stampReceived(from, stamp)
    },
    fetched: (peer, wanted) => {
      log.info({ peer, ...wanted }, 'a peer fetches')
      return parts.answers(peer, wanted)
    },
    removedBy: (peer) => {
      log.debug({ peer }, 'the peer says that this node was removed')
      parts.removed()
    },
    transferAsked: (to) => parts.transferAsked(to),
  }
}
