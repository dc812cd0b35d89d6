/** Who speaks: the Hello of a peer, to its wire form and back. */
import type { Hello } from './frame.js'
import { wordLengthMax } from './limits.js'
import { type countersign, malformed } from './protobuf.js'

export function helloFromWire(wire: countersign.peer.v1.Hello.$Properties): Hello {
  return {
    clusterId: word(wire.clusterId, 'hello.clusterId'),
    nodeId: word(wire.nodeId, 'hello.nodeId'),
    incarnation: word(wire.incarnation, 'hello.incarnation'),
    protocolMin: wire.protocolMin ?? 0,
    protocolMax: wire.protocolMax ?? 0,
    featureLevelMax: wire.featureLevelMax ?? 0,
    clientAddress: word(wire.clientAddress, 'hello.clientAddress'),
    peerAddress: word(wire.peerAddress, 'hello.peerAddress'),
  }
}

/** An id or an address: never long. */
export function word(value: string | null | undefined, field: string): string {
  const text = value ?? ''
  if (text.length > wordLengthMax) throw malformed(`${field} is too long`)
  return text
}
