/** What the transport needs to know, and what it starts from where nothing else is said. */
import type { PeerMember } from '../node/ports.js'
import type { NodeId } from '../raft/index.js'

export interface PeersOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly incarnation: string
  readonly featureLevelMax: number
  /** host:port where this node serves clients; the others hand it on as a hint. */
  readonly clientAddress: string
  /** host:port to listen on. Port 0 takes a free one: {@link GrpcPeers.listeningPort} says which. */
  readonly listen: string
  /** All other nodes at the start, with the incarnations that genesis (or the log) knows. */
  readonly peers: readonly KnownPeer[]
  /** PEM. The certificate carries the DNS name `<nodeId>.node`. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string }
  /** A stream that takes nothing for this long is closed. */
  readonly electionTimeoutMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log?: TransportLog
  readonly timing?: Partial<TransportTiming>
}

export type KnownPeer = PeerMember

/** What is said of oneself, and how it is proved. */
export type Speaker = Pick<
  PeersOptions,
  'clusterId' | 'nodeId' | 'incarnation' | 'featureLevelMax' | 'clientAddress' | 'tls'
>

/** The part of a pino logger that the transport uses. */
export interface TransportLog {
  info(facts: Readonly<Record<string, unknown>>, message: string): void
  warn(facts: Readonly<Record<string, unknown>>, message: string): void
}

export interface TransportTiming {
  /** TCP connect, TLS and Hello together must be done within this time, both ways. */
  readonly helloTimeoutMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  /** HTTP/2 pings on a standing stream: how a host that vanished without a reset is noticed. */
  readonly keepaliveMs: number
  /** A node that is no member any more keeps its streams this long, to hear of it. */
  readonly removedGraceMs: number
  /** A fetch that brings nothing for this long is given up. */
  readonly fetchStallMs: number
}

export const defaultTiming: TransportTiming = {
  helloTimeoutMs: 2000,
  backoffMinMs: 10,
  backoffMaxMs: 1000,
  keepaliveMs: 2000,
  removedGraceMs: 2000,
  fetchStallMs: 5000,
}

/** The version of the peer protocol that this build speaks, as a range. */
export const protocol = { min: 1, max: 1 } as const
