/** Signed envelopes between their wire form and ours. The signed bytes pass through untouched. */
import type { Envelope } from '../signing/index.js'
import { type countersign, malformed } from './protobuf.js'

type WireEnvelope = countersign.v1.Envelope.$Properties

export function envelopeToWire(envelope: Envelope): WireEnvelope {
  return {
    payloadType: envelope.type,
    body: envelope.body,
    signature: envelope.signature,
    keyId: envelope.keyId,
  }
}

/** Copies the bytes: a view would keep the whole received message in memory. */
export function envelopeFromWire(wire: WireEnvelope | null | undefined, what: string): Envelope {
  if (wire === null || wire === undefined) throw malformed(`${what} has no envelope`)
  return {
    type: wire.payloadType ?? '',
    body: ownBytes(wire.body),
    signature: ownBytes(wire.signature),
    keyId: wire.keyId ?? '',
  }
}

export function ownBytes(bytes: Uint8Array | null | undefined): Uint8Array {
  return bytes ? new Uint8Array(bytes) : new Uint8Array(0)
}
