/** The peer service as grpc-js wants it: path, codec, direction. */
import type { Frame } from './frame.js'
import { decodeFrame, encodeFrame } from './frame-codec.js'

/** What a node lacks it fetches: one request, a stream of answers (fetch-codec.ts). */
export const fetchPath = '/countersign.peer.v1.Peer/Fetch'

/** A person's wish for another leader: one request, one answer (transfer-codec.ts). */
export const transferPath = '/countersign.peer.v1.Peer/TransferLeadership'

/**
 * Incoming frames are handed over as bytes: a frame that cannot be decoded then closes its stream
 * with our own words, and is counted, instead of failing inside the library.
 */
export const exchange = {
  path: '/countersign.peer.v1.Peer/Exchange',
  encode: encodeFrame,
  decode: decodeFrame,
} as const satisfies {
  readonly path: string
  readonly encode: (frame: Frame) => Uint8Array
  readonly decode: (bytes: Uint8Array) => Frame
}
