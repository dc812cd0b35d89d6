/**
 * Fetching from a peer: a connection of its own, so that parts never queue before heartbeats. The
 * reader sets the pace; a peer that brings nothing for a while is given up.
 */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import {
  decodeFetchAnswer,
  encodeFetchRequest,
  fetchPath,
  type FetchAnswer,
  type Wanted,
} from '../wire/index.js'
import { asBuffer, asBytes, openClient, refusalOf } from './client.js'
import { certificateNames, ownHello } from './hello.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import { parseAddress } from './probe.js'
import type { Roster } from './roster.js'

type Answers = ClientReadableStream<Uint8Array>

export async function* fetchFrom(
  options: PeersOptions,
  timing: TransportTiming,
  roster: Roster,
  peer: KnownPeer,
  wanted: Wanted,
): AsyncGenerator<FetchAnswer> {
  const address = parseAddress(peer.address)
  if (address === null) throw new CountersignError('UNREACHABLE', `${peer.id} has no address.`)
  const client = openClient(options, timing, peer, address)
  const request = encodeFetchRequest({ hello: ownHello(options), wanted })
  const stream: Answers = client.makeServerStreamRequest(fetchPath, asBuffer, asBytes, request)
  const stall = new StallTimer(timing.fetchStallMs, () => {
    stream.cancel()
  })
  try {
    let isIdentified = false
    for await (const bytes of stream as AsyncIterable<Uint8Array>) {
      stall.stop()
      const answer = decodeFetchAnswer(bytes)
      if (isIdentified) yield answer
      else identify(roster, peer, stream, answer)
      isIdentified = true
      stall.start()
    }
  } catch (thrown) {
    if (stall.hasFired) throw new CountersignError('UNREACHABLE', `${peer.id} sends nothing more.`)
    throw isServiceError(thrown) ? refusalOf(thrown) : CountersignError.from(thrown)
  } finally {
    stall.stop()
    stream.cancel()
    client.close()
  }
}

/** Runs only while the peer is to bring something, not while the reader thinks. */
class StallTimer {
  readonly #ms: number
  readonly #giveUp: () => void
  #timer: NodeJS.Timeout | null = null
  hasFired = false

  constructor(ms: number, giveUp: () => void) {
    this.#ms = ms
    this.#giveUp = giveUp
    this.start()
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.hasFired = true
      this.#giveUp()
    }, this.#ms)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

function identify(roster: Roster, peer: KnownPeer, stream: Answers, answer: FetchAnswer): void {
  if (answer.kind !== 'hello') {
    throw new CountersignError('MALFORMED_REQUEST', `${peer.id} did not say Hello first.`)
  }
  const { hello } = answer
  const names = stream.getAuthContext()?.sslPeerCertificate?.subjectaltname
  const claimed = { hello, certificateNames: certificateNames(names) }
  const identified = roster.identify(peer, claimed)
  if (identified.kind === 'refused') throw identified.error
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'metadata' in thrown && 'details' in thrown
}
