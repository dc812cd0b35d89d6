/**
 * What a node fetches from a peer, and the answers, as bytes and back. Hostile bytes throw
 * MALFORMED_REQUEST only.
 */
import type { Entry, LogIndex, Term } from '../raft/index.js'
import { ownBytes } from './envelope-codec.js'
import { entryFromWire, entryToWire } from './entry-codec.js'
import type { Hello } from './frame.js'
import { helloFromWire } from './hello-codec.js'
import { fetchedPartBytesMax } from './limits.js'
import { countersign, decodeBytes, encodeView, malformed, safeInteger } from './protobuf.js'
import { indexFromWire, termFromWire } from './raft-values.js'
import {
  descriptionFromWire,
  descriptionToWire,
  type SnapshotDescription,
} from './snapshot-codec.js'

const { FetchRequest, FetchAnswer } = countersign.peer.v1
type WireRequest = countersign.peer.v1.FetchRequest.$Shape
type WireAnswer = countersign.peer.v1.FetchAnswer.$Shape

export type Wanted =
  /** The file of a snapshot from `offset` on; index 0 is the newest. */
  | { readonly kind: 'snapshot'; readonly index: number; readonly offset: number }
  /** Durable entries, both ends included. */
  | { readonly kind: 'entries'; readonly from: LogIndex; readonly to: LogIndex }
  /** Was an entry of this index and term ever held? Null: an entry of this index, of any term. */
  | { readonly kind: 'holding'; readonly index: LogIndex; readonly term: Term | null }

export type Holding = 'held' | 'never' | 'unknown'

export type FetchAnswer =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'snapshot'; readonly snapshot: SnapshotDescription }
  | { readonly kind: 'part'; readonly part: Uint8Array }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'holding'; readonly holding: Holding }

const holdings = ['held', 'never', 'unknown'] as const

export function encodeFetchRequest(request: {
  readonly hello: Hello
  readonly wanted: Wanted
}): Uint8Array {
  const { hello, wanted } = request
  switch (wanted.kind) {
    case 'snapshot':
      return encodeView(FetchRequest, {
        hello,
        snapshot: { index: wanted.index, offset: wanted.offset },
      })
    case 'entries':
      return encodeView(FetchRequest, { hello, entries: { from: wanted.from, to: wanted.to } })
    case 'holding':
      return encodeView(FetchRequest, {
        hello,
        holding: { index: wanted.index, term: wanted.term ?? 0 },
      })
  }
}

export function decodeFetchRequest(bytes: Uint8Array): {
  readonly hello: Hello
  readonly wanted: Wanted
} {
  const wire: WireRequest = decodeBytes(FetchRequest, bytes, 'The request')
  if (!wire.hello) throw malformed('The request does not say who asks')
  return { hello: helloFromWire(wire.hello), wanted: wantedFromWire(wire) }
}

function wantedFromWire(wire: WireRequest): Wanted {
  switch (wire.wanted) {
    case 'snapshot':
      return {
        kind: 'snapshot',
        index: safeInteger(wire.snapshot.index, 'snapshot.index'),
        offset: safeInteger(wire.snapshot.offset, 'snapshot.offset'),
      }
    case 'entries': {
      const from = indexFromWire(wire.entries.from, 'entries.from')
      const to = indexFromWire(wire.entries.to, 'entries.to')
      if (from < 1 || to < from) throw malformed('The range of entries is none')
      return { kind: 'entries', from, to }
    }
    case 'holding':
      return {
        kind: 'holding',
        index: indexFromWire(wire.holding.index, 'holding.index'),
        // No entry has term 0.
        term: termFromWire(wire.holding.term, 'holding.term') || null,
      }
    case undefined:
      throw malformed('The request wants nothing known')
  }
}

export function encodeFetchAnswer(answer: FetchAnswer): Uint8Array {
  switch (answer.kind) {
    case 'hello':
      return encodeView(FetchAnswer, { hello: answer.hello })
    case 'snapshot':
      return encodeView(FetchAnswer, { snapshot: descriptionToWire(answer.snapshot) })
    case 'part':
      return encodeView(FetchAnswer, { part: answer.part })
    case 'entry':
      return encodeView(FetchAnswer, { entry: entryToWire(answer.entry) })
    case 'holding':
      return encodeView(FetchAnswer, { holding: holdings.indexOf(answer.holding) + 1 })
  }
}

export function decodeFetchAnswer(bytes: Uint8Array): FetchAnswer {
  const wire: WireAnswer = decodeBytes(FetchAnswer, bytes, 'The answer')
  switch (wire.answer) {
    case 'hello':
      return { kind: 'hello', hello: helloFromWire(wire.hello) }
    case 'snapshot':
      return { kind: 'snapshot', snapshot: descriptionFromWire(wire.snapshot) }
    case 'part':
      if (wire.part.byteLength > fetchedPartBytesMax) throw malformed('The part is too long')
      return { kind: 'part', part: ownBytes(wire.part) }
    case 'entry':
      return { kind: 'entry', entry: entryFromWire(wire.entry) }
    case 'holding': {
      const holding = holdings[wire.holding - 1]
      if (holding === undefined) throw malformed('The answer is none of held, never, unknown')
      return { kind: 'holding', holding }
    }
    case undefined:
      throw malformed('The answer is of no known kind')
  }
}
