/** A stream that another node dialled: who is it, what does it say, and when to close it. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { encodeFrame, type Frame, type Hello } from '../wire/index.js'
import { refusalStatus } from './client.js'
import { certificateNames, ownHello } from './hello.js'
import type { KnownPeer, PeersOptions } from './options.js'
import { readFrame } from './read-frame.js'
import type { Roster } from './roster.js'

export type Call = ServerDuplexStream<Uint8Array, Uint8Array>

export interface InboundEvents {
  identified(peer: KnownPeer, hello: Hello): void
  frame(from: KnownPeer, frame: Frame): void
  /** Called once; `why` is null when the stream ended without a fault of the other side. */
  ended(peer: KnownPeer | null, why: CountersignError | null): void
}

export class InboundStream {
  readonly #call: Call
  readonly #options: PeersOptions
  readonly #roster: Roster
  readonly #events: InboundEvents
  #peer: KnownPeer | null = null
  #ended = false

  constructor(call: Call, options: PeersOptions, roster: Roster, events: InboundEvents) {
    this.#call = call
    this.#options = options
    this.#roster = roster
    this.#events = events
  }

  start(): void {
    this.#call.on('data', (bytes: Uint8Array) => {
      this.#receive(bytes)
    })
    for (const end of ['end', 'cancelled', 'close', 'error'] as const) {
      this.#call.on(end, () => {
        this.#end(null)
      })
    }
  }

  replace(): void {
    this.#end(null, new CountersignError('BUSY', 'A newer stream of the same node took over.'))
  }

  /** The cluster has changed, and this peer is none any more. */
  dismiss(why: CountersignError): void {
    this.#end(null, why)
  }

  get peer(): KnownPeer | null {
    return this.#peer
  }

  /** Ends without a word to anybody: the whole server goes. */
  forget(): void {
    this.#ended = true
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return
    const read = readFrame(bytes)
    if (read.kind === 'refused') {
      this.#refuse(read.error)
    } else if (this.#peer === null) {
      this.#identify(read.frame)
    } else if (read.frame.kind === 'hello') {
      this.#refuse(new CountersignError('MALFORMED_REQUEST', 'A second Hello on one stream.'))
    } else {
      this.#receiveFrom(this.#peer, read.frame)
    }
  }

  #identify(frame: Frame): void {
    if (frame.kind !== 'hello') {
      this.#refuse(new CountersignError('MALFORMED_REQUEST', 'The first frame is not a Hello.'))
      return
    }
    const { sslPeerCertificate } = this.#call.getAuthContext()
    const names = certificateNames(sslPeerCertificate?.subjectaltname)
    const claimed = { hello: frame.hello, certificateNames: names }
    const identified = this.#roster.identify(null, claimed)
    if (identified.kind === 'refused') {
      this.#refuse(identified.error)
      return
    }
    this.#peer = identified.peer
    this.#call.write(
      encodeFrame({ kind: 'hello', hello: ownHello(this.#options, this.#roster.ownAddress) }),
    )
    this.#events.identified(identified.peer, frame.hello)
  }

  #receiveFrom(peer: KnownPeer, frame: Frame): void {
    if (frame.kind === 'messages') {
      const { nodeId } = this.#options
      if (frame.messages.some((message) => message.from !== peer.id || message.to !== nodeId)) {
        const why = 'A message names another sender or receiver than the stream.'
        this.#refuse(new CountersignError('MALFORMED_REQUEST', why))
        return
      }
    }
    this.#events.frame(peer, frame)
  }

  #refuse(why: CountersignError): void {
    this.#end(why, why)
  }

  #end(fault: CountersignError | null, told: CountersignError | null = null): void {
    if (this.#ended) return
    this.#ended = true
    if (told === null) this.#call.end()
    else this.#call.emit('error', refusalStatus(told))
    this.#events.ended(this.#peer, fault)
  }
}
