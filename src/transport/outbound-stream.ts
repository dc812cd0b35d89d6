/**
 * One client, one stream, from dialling to its end. The client has a pool of its own: one that has
 * failed answers from its memory for a while, without dialling.
 */
import {
  Client,
  credentials,
  status,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { encodeFrame, exchange, type Hello } from '../wire/index.js'
import { channelOptions } from './channel-options.js'
import { certificateName, certificateNames, identifyPeer, ownHello } from './hello.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import { Outbox } from './outbox.js'
import type { HostPort } from './probe.js'
import { readFrame } from './read-frame.js'

type Stream = ClientDuplexStream<Uint8Array, Uint8Array>

export interface OutboundEvents {
  standing(hello: Hello): void
  /** Called once. `stoodMs` is null when it never stood. */
  ended(error: CountersignError, stoodMs: number | null): void
}

export class OutboundStream {
  readonly #options: PeersOptions
  readonly #peer: KnownPeer
  readonly #events: OutboundEvents
  readonly #client: Client
  readonly #timing: TransportTiming
  #stream: Stream | null = null
  #helloTimer: NodeJS.Timeout | null = null
  #stoodSince: number | null = null
  #ended = false
  /** Null until Hello has passed both ways. */
  outbox: Outbox | null = null

  constructor(
    options: PeersOptions,
    timing: TransportTiming,
    peer: KnownPeer,
    address: HostPort,
    events: OutboundEvents,
  ) {
    this.#options = options
    this.#timing = timing
    this.#peer = peer
    this.#events = events
    const { ca, certificate, key } = options.tls
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    this.#client = new Client(
      `${host}:${String(address.port)}`,
      credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
      {
        ...channelOptions,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.ssl_target_name_override': certificateName(peer.id),
        'grpc.keepalive_time_ms': timing.keepaliveMs,
        'grpc.keepalive_timeout_ms': timing.keepaliveMs,
      },
    )
  }

  start(): void {
    const stream: Stream = this.#client.makeBidiStreamRequest(exchange.path, asBuffer, asBytes)
    this.#stream = stream
    this.#helloTimer = setTimeout(() => {
      this.#end(new CountersignError('UNREACHABLE', 'The peer did not say Hello in time.'))
    }, this.#timing.helloTimeoutMs)
    stream.on('data', (bytes: Uint8Array) => {
      this.#receive(bytes)
    })
    stream.on('error', (error: ServiceError) => {
      this.#end(errorOfStatus(error))
    })
    stream.on('end', () => {
      this.#end(new CountersignError('UNREACHABLE', 'The peer closed the stream.'))
    })
    stream.write(encodeFrame({ kind: 'hello', hello: ownHello(this.#options) }))
  }

  close(): void {
    this.#end(new CountersignError('NODE_STOPPING', 'This node closed the stream.'))
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return
    const read = readFrame(bytes)
    if (read.kind === 'refused') {
      this.#end(read.error)
      return
    }
    if (read.frame.kind !== 'hello' || this.outbox !== null) {
      const message = 'The peer sent more than its Hello on a stream that is not its own.'
      this.#end(new CountersignError('MALFORMED_REQUEST', message))
      return
    }
    const { hello } = read.frame
    const names = this.#stream?.getAuthContext()?.sslPeerCertificate?.subjectaltname
    const claimed = { hello, certificateNames: certificateNames(names) }
    const identified = identifyPeer(this.#options, this.#peer, claimed)
    if (identified.kind === 'refused') {
      this.#end(identified.error)
      return
    }
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer)
    this.#stoodSince = performance.now()
    this.outbox = new Outbox({
      write: (frame, flushed) => {
        this.#stream?.write(frame, flushed)
      },
      stuck: (why) => {
        this.#end(new CountersignError('BUSY', `The stream was closed: ${why}.`))
      },
      stuckAfterMs: this.#options.electionTimeoutMs,
    })
    this.#events.standing(hello)
  }

  #end(error: CountersignError): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer)
    this.outbox?.close()
    this.outbox = null
    this.#stream?.cancel()
    this.#client.close()
    const stoodMs = this.#stoodSince === null ? null : performance.now() - this.#stoodSince
    this.#events.ended(error, stoodMs)
  }
}

/** PERMISSION_DENIED is what the accepting side answers when it refuses our Hello. */
function errorOfStatus(error: ServiceError): CountersignError {
  const code = error.code === status.PERMISSION_DENIED ? 'PEER_REFUSED' : 'UNREACHABLE'
  return new CountersignError(code, error.details, { cause: error })
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function asBytes(bytes: Buffer): Uint8Array {
  return bytes
}
