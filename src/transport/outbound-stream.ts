/** One client, one stream, from dialling to its end. */
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { encodeFrame, exchange, type Hello } from '../wire/index.js'
import { asBuffer, asBytes, openClient, refusalOf } from './client.js'
import { certificateNames, ownHello } from './hello.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import { Outbox } from './outbox.js'
import type { HostPort } from './probe.js'
import { readFrame } from './read-frame.js'
import type { Roster } from './roster.js'

type Stream = ClientDuplexStream<Uint8Array, Uint8Array>

export interface OutboundEvents {
  standing(hello: Hello): void
  /** Called once. `stoodMs` is null when it never stood. */
  ended(error: CountersignError, stoodMs: number | null): void
}

export class OutboundStream {
  readonly #options: PeersOptions
  readonly #roster: Roster
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
    roster: Roster,
    peer: KnownPeer,
    address: HostPort,
    events: OutboundEvents,
  ) {
    this.#options = options
    this.#timing = timing
    this.#roster = roster
    this.#peer = peer
    this.#events = events
    this.#client = openClient(options, timing, peer, address)
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
      this.#end(refusalOf(error))
    })
    stream.on('end', () => {
      this.#end(new CountersignError('UNREACHABLE', 'The peer closed the stream.'))
    })
    stream.write(
      encodeFrame({ kind: 'hello', hello: ownHello(this.#options, this.#roster.ownAddress) }),
    )
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
    const identified = this.#roster.identify(this.#peer, claimed)
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
