/**
 * The port `Peers` over gRPC with mutual TLS. Each node dials every other and sends its own
 * messages on the stream that it dialled, so each direction is FIFO and every node notices by
 * itself when another is gone.
 */
import type { Message, NodeId } from '../raft/index.js'
import type { PeerEvents, PeerLink, Peers } from '../node/ports.js'
import { CountersignError } from '../errors.js'
import { invariant } from '../invariant.js'
import { Acceptor, type AcceptorCounters } from './acceptor.js'
import { Dialer } from './dialer.js'
import { defaultTiming, type PeersOptions, type TransportTiming } from './options.js'

export interface GrpcPeers extends Peers {
  /** The port of the listening socket, for those who listened on port 0. */
  listeningPort(): number
  counters(): AcceptorCounters
}

/** Throws CONFIG_INVALID for an address or key material that cannot be used. */
export function createPeers(options: PeersOptions): GrpcPeers {
  const timing: TransportTiming = { ...defaultTiming, ...options.timing }
  const dialers = new Map<NodeId, Dialer>()
  let acceptor: Acceptor | null = null

  async function start(events: PeerEvents): Promise<void> {
    invariant(acceptor === null, 'The peer transport is started once.')
    for (const peer of options.peers) {
      dialers.set(peer.id, new Dialer(options, timing, peer, events))
    }
    acceptor = createAcceptor(events)
    await acceptor.listen()
    for (const dialer of dialers.values()) dialer.start()
  }

  function createAcceptor(events: PeerEvents): Acceptor {
    try {
      return new Acceptor(options, timing, {
        peer: events,
        arrived: (peer, hello) => {
          dialers.get(peer)?.heard(hello)
          dialers.get(peer)?.hurry()
        },
        left: (peer) => {
          dialers.get(peer)?.hurry()
        },
      })
    } catch (cause) {
      const message = 'The TLS key, certificate or CA of the peer port cannot be used.'
      throw new CountersignError('CONFIG_INVALID', message, { cause })
    }
  }

  return {
    start,
    send(to: NodeId, messages: readonly Message[]) {
      dialers.get(to)?.send(messages)
    },
    requestStamp(to, request) {
      dialers.get(to)?.sendApart({ kind: 'stampRequest', ...request })
    },
    sendStamp(to, stamp) {
      dialers.get(to)?.sendApart({ kind: 'stamp', ...stamp })
    },
    links(): readonly PeerLink[] {
      return [...dialers.values()].map((dialer) => dialer.link())
    },
    async stop() {
      for (const dialer of dialers.values()) dialer.stop()
      await acceptor?.stop()
    },
    listeningPort: () => acceptor?.port ?? 0,
    counters: () => acceptor?.counters() ?? { strangersCut: 0, hellosRefused: 0, framesRefused: 0 },
  }
}
