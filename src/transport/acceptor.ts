/**
 * The streams that other nodes dialled: Hello first, then their messages. What we have to say to
 * them goes out on our own streams; here only our Hello, or a refusal, goes back.
 */
import { Server, ServerCredentials, type ConnectionInjector } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import type { PeerEvents } from '../node/ports.js'
import { exchange, fetchPath, transferPath, type Frame, type Hello } from '../wire/index.js'
import { channelOptions } from './channel-options.js'
import { asBuffer, asBytes } from './client.js'
import { Doorkeeper } from './doorkeeper.js'
import { FetchService, type FetchCall } from './fetch-service.js'
import { InboundStream, type Call } from './inbound-stream.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import type { Roster } from './roster.js'
import { serveTransfer, type TransferCall, type TransferReply } from './transfer-service.js'

export interface AcceptorEvents {
  readonly peer: PeerEvents
  /** A known peer has opened its stream. */
  readonly arrived: (peer: NodeId, hello: Hello) => void
  /** The stream of a known peer has ended. */
  readonly left: (peer: NodeId) => void
}

export interface AcceptorCounters {
  /** Connections that were cut before they proved who they are. */
  readonly strangersCut: number
  /** Streams refused for what their Hello or certificate says. */
  readonly hellosRefused: number
  /** Streams closed for a frame that cannot be decoded or names another sender. */
  readonly framesRefused: number
}

export class Acceptor {
  readonly #options: PeersOptions
  readonly #roster: Roster
  readonly #fetches = new FetchService()
  readonly #events: AcceptorEvents
  readonly #server: Server
  readonly #injector: ConnectionInjector
  readonly #doorkeeper: Doorkeeper
  /** The standing stream of each peer; a newer one takes the place of an older. */
  readonly #streams = new Map<NodeId, InboundStream>()
  #hellosRefused = 0
  #framesRefused = 0

  constructor(
    options: PeersOptions,
    timing: TransportTiming,
    roster: Roster,
    events: AcceptorEvents,
  ) {
    this.#options = options
    this.#roster = roster
    this.#events = events
    this.#server = new Server({
      ...channelOptions,
      // One is used; the second leaves room for a client that is told why it is refused.
      'grpc.max_concurrent_streams': 2,
      'grpc.keepalive_time_ms': timing.keepaliveMs,
      'grpc.keepalive_timeout_ms': timing.keepaliveMs,
    })
    this.#server.register(exchange.path, this.#exchange.bind(this), asBuffer, asBytes, 'bidi')
    const fetch = this.#fetch.bind(this)
    this.#server.register(fetchPath, fetch, asBuffer, asBytes, 'serverStream')
    this.#server.register(transferPath, this.#transfer.bind(this), asBuffer, asBytes, 'unary')
    const { ca, certificate, key } = options.tls
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }
    this.#injector = this.#server.createConnectionInjector(
      ServerCredentials.createSsl(Buffer.from(ca), [pair], true),
    )
    this.#doorkeeper = new Doorkeeper({
      listen: options.listen,
      admitWithinMs: timing.helloTimeoutMs,
      opened: (socket) => {
        this.#injector.injectConnection(socket)
      },
    })
  }

  listen(): Promise<void> {
    return this.#doorkeeper.listen()
  }

  get port(): number {
    return this.#doorkeeper.port
  }

  counters(): AcceptorCounters {
    return {
      strangersCut: this.#doorkeeper.cut,
      hellosRefused: this.#hellosRefused,
      framesRefused: this.#framesRefused,
    }
  }

  /** Ends the streams of those who are no members any more, but of those who are spared. */
  dismissStrangers(isSpared: (peer: NodeId) => boolean): void {
    for (const stream of [...this.#streams.values()]) {
      const { peer } = stream
      if (peer === null || this.#roster.admits(peer) || isSpared(peer.id)) continue
      const isRemoved = this.#roster.isRemoved(peer)
      const message = isRemoved
        ? `${peer.id} was removed from the cluster; an id is never used twice.`
        : `${peer.id} is not the member of that name any more.`
      stream.dismiss(new CountersignError(isRemoved ? 'NODE_REMOVED' : 'PEER_REFUSED', message))
    }
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams.values()) stream.forget()
    this.#streams.clear()
    this.#injector.destroy()
    this.#server.forceShutdown()
    await this.#doorkeeper.close()
  }

  #exchange(call: Call): void {
    // Asked now: after a reset the connection does not know its own address any more.
    const remote = call.getPeer()
    const stream = new InboundStream(call, this.#options, this.#roster, {
      identified: (peer, hello) => {
        this.#doorkeeper.admit(remote)
        this.#streams.get(peer.id)?.replace()
        this.#streams.set(peer.id, stream)
        this.#events.arrived(peer.id, hello)
      },
      frame: (peer, frame) => {
        this.#deliver(peer, frame)
      },
      ended: (peer, why) => {
        this.#doorkeeper.dismiss(remote)
        if (why !== null) this.#count(why, remote)
        if (peer === null || this.#streams.get(peer.id) !== stream) return
        this.#streams.delete(peer.id)
        this.#events.left(peer.id)
      },
    })
    stream.start()
  }

  #fetch(call: FetchCall): void {
    const remote = call.getPeer()
    const served = this.#fetches.serve(call, {
      options: this.#options,
      roster: this.#roster,
      answers: (from, wanted) => this.#events.peer.fetched(from, wanted),
      identified: () => {
        this.#doorkeeper.admit(remote)
      },
    })
    void served.then((why) => {
      // One that was served closes its connection itself: what it has not read is still in there.
      if (why === null) return
      this.#doorkeeper.dismiss(remote)
      this.#count(why, remote)
    })
  }

  #transfer(call: TransferCall, reply: TransferReply): void {
    const remote = call.getPeer()
    const served = serveTransfer(call, reply, {
      options: this.#options,
      roster: this.#roster,
      transfer: (to) => this.#events.peer.transferAsked(to),
      identified: () => {
        this.#doorkeeper.admit(remote)
      },
    })
    void served.then((why) => {
      if (why !== null) this.#count(why, remote)
    })
  }

  #deliver(from: KnownPeer, frame: Frame): void {
    switch (frame.kind) {
      case 'messages':
        this.#events.peer.messages(from.id, frame.messages)
        break
      case 'stampRequest':
        this.#events.peer.stampRequested(from.id, { id: frame.id, lastIndex: frame.lastIndex })
        break
      case 'stamp':
        this.#events.peer.stampReceived(from.id, { id: frame.id, envelope: frame.envelope })
        break
      case 'hello':
        break
    }
  }

  #count(why: CountersignError, remote: string): void {
    if (why.code === 'PEER_REFUSED' || why.code === 'NODE_REMOVED') this.#hellosRefused += 1
    else if (why.code === 'MALFORMED_REQUEST') this.#framesRefused += 1
    const facts = { remote, code: why.code, reason: why.message }
    this.#options.log?.warn(facts, 'peer stream refused')
  }
}
