/** The peer service as grpc-js wants it: path, codec, direction. */
import type { Frame } from './frame.js'
import { decodeFrame, encodeFrame } from './frame-codec.js'

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
