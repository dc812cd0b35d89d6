/** Who is at the other end? Both sides ask this of the first frame, before anything else is read. */
import { CountersignError } from '../errors.js'
import type { Hello } from '../wire/index.js'
import { type KnownPeer, type PeersOptions, protocol } from './options.js'

/** The name in the certificate of a node. The ordinary host-name check of TLS is about this name. */
export function certificateName(nodeId: string): string {
  return `${nodeId}.node`
}

export function ownHello(options: PeersOptions): Hello {
  return {
    clusterId: options.clusterId,
    nodeId: options.nodeId,
    incarnation: options.incarnation,
    protocolMin: protocol.min,
    protocolMax: protocol.max,
    featureLevelMax: options.featureLevelMax,
    clientAddress: options.clientAddress,
  }
}

export interface ClaimedIdentity {
  readonly hello: Hello
  /** The DNS names in the certificate that the connection was made with. */
  readonly certificateNames: readonly string[]
}

/**
 * The known peer that this is, or why not: which field, ours, theirs. `expected` is the peer that
 * was dialled; null on the accepting side, where any known peer may come.
 */
export function identifyPeer(
  options: PeersOptions,
  expected: KnownPeer | null,
  claimed: ClaimedIdentity,
): { readonly kind: 'peer'; readonly peer: KnownPeer } | PeerRefused {
  const { hello, certificateNames } = claimed
  if (hello.clusterId !== options.clusterId) {
    return refused('clusterId', options.clusterId, hello.clusterId)
  }
  const known = options.peers.filter((peer) => expected === null || peer === expected)
  const peer = known.find((candidate) => candidate.id === hello.nodeId)
  if (peer === undefined) {
    return refused('nodeId', known.map((candidate) => candidate.id).join(', '), hello.nodeId)
  }
  if (!certificateNames.includes(certificateName(peer.id))) {
    return refused('certificate', certificateName(peer.id), certificateNames.join(', '))
  }
  if (hello.incarnation !== peer.incarnation) {
    return refused('incarnation', peer.incarnation, hello.incarnation)
  }
  if (hello.protocolMin > protocol.max || hello.protocolMax < protocol.min) {
    const range = (min: number, max: number): string => `${String(min)}-${String(max)}`
    const theirs = range(hello.protocolMin, hello.protocolMax)
    return refused('protocol', range(protocol.min, protocol.max), theirs)
  }
  return { kind: 'peer', peer }
}

export interface PeerRefused {
  readonly kind: 'refused'
  readonly error: CountersignError
}

function refused(field: string, ours: string, theirs: string): PeerRefused {
  const message = `The peer was refused: ${field} is ${quoted(theirs)}, here it is ${quoted(ours)}.`
  return {
    kind: 'refused',
    error: new CountersignError('PEER_REFUSED', message, { details: { field, ours, theirs } }),
  }
}

/** What a peer says is shown in a status text and in logs: printable ASCII only, and not long. */
function quoted(text: string): string {
  const printable = text.slice(0, 100).replace(/[^ -~]/gu, '?')
  return `"${printable}"`
}

/**
 * DNS names of Node's text form, `DNS:a, DNS:b, IP Address:...`. Node puts a name with unusual
 * characters in double quotes; a certificate of ours has none, so such a text yields no names.
 */
export function certificateNames(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return []
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length))
}
