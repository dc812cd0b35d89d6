import { EventEmitter, once } from 'node:events'
import type { Test } from 'tap'
import type { CountersignError } from '../../src/errors.js'
import {
  authorityPem,
  issueNodeCertificate,
  makeAuthority,
  type Authority,
} from '../../src/cli/founding/authority.js'
import type { LeaderKnown, PeerEvents, PeerHello, PeerMember } from '../../src/node/ports.js'
import { logIndex, term, type Message } from '../../src/raft/index.js'
import type { Envelope } from '../../src/signing/index.js'
import type { FetchAnswer, Wanted } from '../../src/wire/index.js'
import { createPeers, type GrpcPeers, type PeersOptions } from '../../src/transport/index.js'

export const clusterId = 'c1'.repeat(32)

/** A loopback address for each test process, so that ports never collide. */
let lastHost = 0
export function freshHost(): string {
  lastHost += 1
  return `127.${String((process.pid >> 8) & 255)}.${String(process.pid & 255)}.${String(lastHost)}`
}

export async function newAuthority(name: string): Promise<Authority> {
  return makeAuthority(name, { wallMs: Date.now() })
}

export async function tlsOf(authority: Authority, id: string): Promise<PeersOptions['tls']> {
  const [ca, pair] = await Promise.all([
    authorityPem(authority),
    issueNodeCertificate(authority, { id, names: [] }),
  ])
  return { ca: ca.certificate, certificate: pair.certificate, key: pair.privateKey }
}

/** A busy machine takes its time to answer: that must not look like a dead peer. */
export const patient = { backoffMaxMs: 100, keepaliveMs: 30_000, helloTimeoutMs: 30_000 }

/** Options of `count` nodes that know each other; not started. */
export async function group(count: number): Promise<PeersOptions[]> {
  const authority = await newAuthority('transport')
  const places = Array.from({ length: count }, (_, number) => ({
    id: `node-${String(number + 1)}`,
    incarnation: String(number + 1).repeat(32),
    address: `${freshHost()}:7100`,
  }))
  return Promise.all(
    places.map(async (place) => ({
      clusterId,
      nodeId: place.id,
      incarnation: place.incarnation,
      featureLevelMax: 1,
      clientAddress: `${place.id}.example:7200`,
      listen: place.address,
      peers: places.filter((other) => other !== place),
      tls: await tlsOf(authority, place.id),
      electionTimeoutMs: 1000,
      random: () => 0.5,
      timing: patient,
    })),
  )
}

/** Remembers what the transport said, in order. */
export class Recorder implements PeerEvents {
  readonly received: Message[] = []
  /** Lengths of the drains in which messages came. */
  readonly drains: number[] = []
  readonly happened: string[] = []
  readonly hellos = new Map<string, PeerHello>()
  readonly reasons: CountersignError[] = []
  readonly stampRequests: { from: string; id: number; lastIndex: number }[] = []
  readonly stamps: { from: string; id: number; envelope: Envelope }[] = []
  readonly fetches: { from: string; wanted: Wanted }[] = []
  /** What a peer that fetches is answered. */
  answers: (wanted: Wanted) => AsyncIterable<FetchAnswer> = nothing
  /** What the wish for another leader is answered. */
  leaderKnown: () => Promise<LeaderKnown> = () =>
    Promise.resolve({ asked: false, leader: null, term: term(0), address: null })
  readonly #changed = new EventEmitter()

  messages(_from: string, messages: readonly Message[]): void {
    this.received.push(...messages)
    this.drains.push(messages.length)
    this.#changed.emit('changed')
  }

  connected(peer: string, hello: PeerHello): void {
    this.hellos.set(peer, hello)
    this.#note(`connected ${peer}`)
  }

  introduced({ id, address, incarnation }: PeerMember): void {
    this.#note(`introduced ${id} at ${address} as ${incarnation}`)
  }

  disconnected(peer: string, why: CountersignError): void {
    this.reasons.push(why)
    this.#note(`disconnected ${peer}`)
  }

  refused(peer: string): void {
    this.#note(`refused ${peer}`)
  }

  stampRequested(from: string, request: { id: number; lastIndex: number }): void {
    this.stampRequests.push({ from, ...request })
    this.#changed.emit('changed')
  }

  stampReceived(from: string, stamp: { id: number; envelope: Envelope }): void {
    this.stamps.push({ from, ...stamp })
    this.#changed.emit('changed')
  }

  fetched(from: string, wanted: Wanted): AsyncIterable<FetchAnswer> {
    this.fetches.push({ from, wanted })
    return this.answers(wanted)
  }

  removedBy(peer: string): void {
    this.#note(`removed by ${peer}`)
  }

  count(event: string): number {
    return this.happened.filter((one) => one === event).length
  }

  /** Waits for the events that make it true; the test's own time limit ends a wait in vain. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await once(this.#changed, 'changed')
  }

  transferAsked(to: string | null): Promise<LeaderKnown> {
    this.#note(`transfer to ${to ?? 'anybody'}`)
    return this.leaderKnown()
  }

  #note(event: string): void {
    this.happened.push(event)
    this.#changed.emit('changed')
  }
}

async function* nothing(wanted: Wanted): AsyncIterable<FetchAnswer> {
  await Promise.resolve()
  if (wanted.kind === 'holding') yield { kind: 'holding', holding: 'unknown' }
}

export interface Started {
  readonly peers: GrpcPeers
  readonly seen: Recorder
}

/** Starts one node, and stops it when the test ends. */
export async function startPeers(t: Test, options: PeersOptions): Promise<Started> {
  const peers = createPeers(options)
  const seen = new Recorder()
  t.teardown(() => peers.stop())
  await peers.start(seen)
  return { peers, seen }
}

export function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new Error(`nothing at ${String(index)}`)
  return item
}

export function heartbeat(from: string, to: string, readToken: number): Message {
  return { kind: 'heartbeat', from, to, term: term(3), session: 1, commit: logIndex(0), readToken }
}

export function appendOf(from: string, to: string, index: number, payload: Uint8Array): Message {
  return {
    kind: 'append',
    from,
    to,
    term: term(3),
    session: 1,
    prevIndex: logIndex(index - 1),
    prevTerm: term(3),
    entries: [{ index: logIndex(index), term: term(3), kind: 'command', payload }],
    commit: logIndex(0),
  }
}

/** Waits until something outside the recorded events is true; polls, for state without events. */
export async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5))
}
