/** Who is at the other end? Both sides ask this of the first frame, before anything else is read. */
import { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import type { Hello } from '../wire/index.js'
import { type KnownPeer, type Speaker, protocol } from './options.js'

/** The name in the certificate of a node. The ordinary host-name check of TLS is about this name. */
export function certificateName(nodeId: string): string {
  return `${nodeId}.node`
}

/** `peerAddress`: where those find this node who have not heard of it yet. */
export function ownHello(options: Omit<Speaker, 'tls'>, peerAddress = ''): Hello {
  return {
    clusterId: options.clusterId,
    nodeId: options.nodeId,
    incarnation: options.incarnation,
    protocolMin: protocol.min,
    protocolMax: protocol.max,
    featureLevelMax: options.featureLevelMax,
    clientAddress: options.clientAddress,
    peerAddress,
  }
}

export interface ClaimedIdentity {
  readonly hello: Hello
  /** The DNS names in the certificate that the connection was made with. */
  readonly certificateNames: readonly string[]
}

/** Who may be at the other end. */
export interface IdentityRules {
  readonly clusterId: string
  readonly peers: readonly KnownPeer[]
  /** Ids that were used once and are never used again. */
  readonly removed?: readonly NodeId[]
  /** A joining node does not know the members yet: any certificate of the cluster’s CA will do. */
  readonly anyone?: boolean
}

export type Identified = { readonly kind: 'peer'; readonly peer: KnownPeer } | PeerRefused

/**
 * The known peer that this is, or why not: which field, ours, theirs. `expected` is the peer that
 * was dialled; null on the accepting side, where any known peer may come. The certificate proves
 * the name before anything that depends on the name is answered.
 */
export function identifyPeer(
  rules: IdentityRules,
  expected: KnownPeer | null,
  claimed: ClaimedIdentity,
): Identified {
  const { hello, certificateNames } = claimed
  if (hello.clusterId !== rules.clusterId) {
    return refused('clusterId', rules.clusterId, hello.clusterId)
  }
  const known = rules.peers.filter(
    (peer) => expected === null || (peer.id === expected.id && peer.address === expected.address),
  )
  const peer = known.find((candidate) => candidate.id === hello.nodeId)
  const isProven = certificateNames.includes(certificateName(hello.nodeId))
  if (peer === undefined) {
    if (isProven && (rules.removed ?? []).includes(hello.nodeId)) return removed(hello.nodeId)
    if (rules.anyone !== true || expected !== null) {
      return refused('nodeId', known.map((candidate) => candidate.id).join(', '), hello.nodeId)
    }
  }
  if (!isProven) {
    return refused('certificate', certificateName(hello.nodeId), certificateNames.join(', '))
  }
  if (peer !== undefined && hello.incarnation !== peer.incarnation) {
    return refused('incarnation', peer.incarnation, hello.incarnation)
  }
  if (hello.protocolMin > protocol.max || hello.protocolMax < protocol.min) {
    const range = (min: number, max: number): string => `${String(min)}-${String(max)}`
    const theirs = range(hello.protocolMin, hello.protocolMax)
    return refused('protocol', range(protocol.min, protocol.max), theirs)
  }
  const { nodeId: id, incarnation } = hello
  return { kind: 'peer', peer: peer ?? { id, address: '', incarnation } }
}

export interface PeerRefused {
  readonly kind: 'refused'
  readonly error: CountersignError
}

function removed(nodeId: string): PeerRefused {
  const message = `${quoted(nodeId)} was removed from the cluster; an id is never used twice.`
  return {
    kind: 'refused',
    error: new CountersignError('NODE_REMOVED', message, { details: { nodeId } }),
  }
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
