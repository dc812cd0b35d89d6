/** Frames of the peer stream to bytes and back. Hostile bytes throw MALFORMED_REQUEST only. */
import { envelopeFromWire, envelopeToWire } from './envelope-codec.js'
import type { Frame } from './frame.js'
import { helloFromWire } from './hello-codec.js'
import { frameMessagesMax } from './limits.js'
import { messageFromWire, messageToWire } from './message-codec.js'
import { countersign, decodeBytes, encodeView, malformed, safeInteger } from './protobuf.js'

const wireFrame = countersign.peer.v1.Frame
type WireFrame = countersign.peer.v1.Frame.$Properties
type WireFrameShape = countersign.peer.v1.Frame.$Shape

/** The bytes may lie in a shared pool: for sending at once, not for keeping. */
export function encodeFrame(frame: Frame): Uint8Array {
  return encodeView(wireFrame, frameToWire(frame))
}

export function decodeFrame(bytes: Uint8Array): Frame {
  const wire: WireFrameShape = decodeBytes(wireFrame, bytes, 'The frame')
  switch (wire.frame) {
    case 'hello':
      return { kind: 'hello', hello: helloFromWire(wire.hello) }
    case 'messages': {
      const messages = wire.messages.messages ?? []
      if (messages.length > frameMessagesMax) throw malformed('The frame holds too many messages')
      return { kind: 'messages', messages: messages.map(messageFromWire) }
    }
    case 'stampRequest':
      return {
        kind: 'stampRequest',
        id: safeInteger(wire.stampRequest.id, 'stampRequest.id'),
        lastIndex: safeInteger(wire.stampRequest.lastIndex, 'stampRequest.lastIndex'),
      }
    case 'stamp':
      return {
        kind: 'stamp',
        id: safeInteger(wire.stamp.id, 'stamp.id'),
        envelope: envelopeFromWire(wire.stamp.envelope, 'The stamp'),
      }
    case undefined:
      throw malformed('The frame is of no known kind')
  }
}

function frameToWire(frame: Frame): WireFrame {
  switch (frame.kind) {
    case 'hello':
      return { hello: frame.hello }
    case 'messages':
      return { messages: { messages: frame.messages.map(messageToWire) } }
    case 'stampRequest':
      return { stampRequest: { id: frame.id, lastIndex: frame.lastIndex } }
    case 'stamp':
      return { stamp: { id: frame.id, envelope: envelopeToWire(frame.envelope) } }
  }
}
