/**
 * The port `Peers` over gRPC with mutual TLS. Each node dials every other and sends its own
 * messages on the stream that it dialled, so each direction is FIFO and every node notices by
 * itself when another is gone. Who the others are changes while it runs.
 */
import type { Message, NodeId } from '../raft/index.js'
import type { KnownMembers, PeerEvents, PeerLink, PeerMember, Peers } from '../node/ports.js'
import { CountersignError } from '../errors.js'
import { invariant } from '../invariant.js'
import { Acceptor, type AcceptorCounters } from './acceptor.js'
import { Dialer } from './dialer.js'
import { fetchFrom } from './fetch-client.js'
import { defaultTiming, type PeersOptions, type TransportTiming } from './options.js'
import { parseAddress } from './probe.js'
import { Roster } from './roster.js'

export interface GrpcPeers extends Peers {
  /** The port of the listening socket, for those who listened on port 0. */
  listeningPort(): number
  counters(): AcceptorCounters
}

/** Throws CONFIG_INVALID for an address or key material that cannot be used. */
export function createPeers(options: PeersOptions): GrpcPeers {
  const timing: TransportTiming = { ...defaultTiming, ...options.timing }
  const roster = new Roster(options)
  const dialers = new Map<NodeId, Dialer>()
  const leaving = new Map<NodeId, NodeJS.Timeout>()
  let acceptor: Acceptor | null = null
  let listening: PeerEvents | null = null

  async function start(events: PeerEvents): Promise<void> {
    invariant(acceptor === null, 'The peer transport is started once.')
    for (const peer of roster.members) addDialer(peer, events)
    acceptor = createAcceptor(events)
    await acceptor.listen()
    listening = events
    for (const dialer of dialers.values()) dialer.start()
  }

  function createAcceptor(events: PeerEvents): Acceptor {
    try {
      return new Acceptor(options, timing, roster, {
        peer: events,
        arrived: (peer, hello) => {
          if (!roster.knows(peer) && parseAddress(hello.peerAddress) !== null) {
            const { incarnation, peerAddress: address } = hello
            events.introduced({ id: peer, address, incarnation })
          }
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

  function addDialer(peer: PeerMember, events: PeerEvents): Dialer {
    const dialer = new Dialer(options, timing, roster, peer, events)
    dialers.set(peer.id, dialer)
    return dialer
  }

  function removeDialer(id: NodeId): void {
    dialers.get(id)?.stop()
    dialers.delete(id)
  }

  function setMembers(known: KnownMembers): void {
    roster.set(known)
    if (listening === null) return
    const present = new Map(roster.members.map((member) => [member.id, member]))
    for (const [id, dialer] of dialers) {
      const member = present.get(id)
      if (member === undefined) leaveLater(id)
      else if (!isSame(member, dialer.peer)) removeDialer(id)
    }
    for (const member of present.values()) {
      clearTimeout(leaving.get(member.id))
      leaving.delete(member.id)
      if (!dialers.has(member.id)) addDialer(member, listening).start()
    }
    dismissStrangers()
  }

  function dismissStrangers(): void {
    acceptor?.dismissStrangers((id) => leaving.has(id))
  }

  /** It may still learn from us that it is gone; then nothing more passes. */
  function leaveLater(id: NodeId): void {
    if (leaving.has(id)) return
    const leave = (): void => {
      leaving.delete(id)
      removeDialer(id)
      dismissStrangers()
    }
    leaving.set(id, setTimeout(leave, timing.removedGraceMs))
  }

  return {
    start,
    setMembers,
    send(to: NodeId, messages: readonly Message[]) {
      dialers.get(to)?.send(messages)
    },
    requestStamp(to, request) {
      dialers.get(to)?.sendApart({ kind: 'stampRequest', ...request })
    },
    sendStamp(to, stamp) {
      dialers.get(to)?.sendApart({ kind: 'stamp', ...stamp })
    },
    fetch(from, wanted) {
      const peer = roster.members.find(({ id }) => id === from)
      if (peer === undefined) {
        throw new CountersignError('UNREACHABLE', `${from} is no member that is known here.`)
      }
      return fetchFrom(options, timing, roster, peer, wanted)
    },
    links(): readonly PeerLink[] {
      return [...dialers.values()].map((dialer) => dialer.link())
    },
    async stop() {
      for (const timer of leaving.values()) clearTimeout(timer)
      leaving.clear()
      for (const dialer of dialers.values()) dialer.stop()
      await acceptor?.stop()
    },
    listeningPort: () => acceptor?.port ?? 0,
    counters: () => acceptor?.counters() ?? { strangersCut: 0, hellosRefused: 0, framesRefused: 0 },
  }
}

function isSame(a: PeerMember, b: PeerMember): boolean {
  return a.address === b.address && a.incarnation === b.incarnation
}
