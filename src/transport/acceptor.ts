/**
 * The streams that other nodes dialled: Hello first, then their messages. What we have to say to
 * them goes out on our own streams; here only our Hello, or a refusal, goes back.
 */
import { Server, ServerCredentials, type ConnectionInjector } from '@grpc/grpc-js'
import type { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import type { PeerEvents } from '../node/ports.js'
import { exchange, type Frame, type Hello } from '../wire/index.js'
import { channelOptions } from './channel-options.js'
import { Doorkeeper } from './doorkeeper.js'
import { InboundStream, type Call } from './inbound-stream.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'

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
  readonly #events: AcceptorEvents
  readonly #server: Server
  readonly #injector: ConnectionInjector
  readonly #doorkeeper: Doorkeeper
  /** The standing stream of each peer; a newer one takes the place of an older. */
  readonly #streams = new Map<NodeId, InboundStream>()
  #hellosRefused = 0
  #framesRefused = 0

  constructor(options: PeersOptions, timing: TransportTiming, events: AcceptorEvents) {
    this.#options = options
    this.#events = events
    this.#server = new Server({
      ...channelOptions,
      // One is used; the second leaves room for a client that is told why it is refused.
      'grpc.max_concurrent_streams': 2,
      'grpc.keepalive_time_ms': timing.keepaliveMs,
      'grpc.keepalive_timeout_ms': timing.keepaliveMs,
    })
    this.#server.register(exchange.path, this.#exchange.bind(this), asBuffer, asBytes, 'bidi')
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
    const stream = new InboundStream(call, this.#options, {
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
    if (why.code === 'PEER_REFUSED') this.#hellosRefused += 1
    else this.#framesRefused += 1
    const facts = { remote, code: why.code, reason: why.message }
    this.#options.log?.warn(facts, 'peer stream refused')
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function asBytes(bytes: Buffer): Uint8Array {
  return bytes
}
