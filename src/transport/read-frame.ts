/** A frame off the wire, or why it is none: a bad frame closes its stream and nothing more. */
import { CountersignError } from '../errors.js'
import { decodeFrame, type Frame } from '../wire/index.js'

export type ReadFrame =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'refused'; readonly error: CountersignError }

export function readFrame(bytes: Uint8Array): ReadFrame {
  try {
    return { kind: 'frame', frame: decodeFrame(bytes) }
  } catch (error) {
    return { kind: 'refused', error: CountersignError.from(error) }
  }
}
