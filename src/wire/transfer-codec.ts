/**
 * The wish to hand leadership over, and its answer, as bytes and back. Hostile bytes throw
 * MALFORMED_REQUEST only.
 */
import type { NodeId, Term } from '../raft/index.js'
import type { Hello } from './frame.js'
import { helloFromWire, word } from './hello-codec.js'
import { countersign, decodeBytes, encodeView, malformed } from './protobuf.js'
import { termFromWire } from './raft-values.js'

const { TransferRequest, TransferAnswer } = countersign.peer.v1

export interface TransferWish {
  readonly hello: Hello
  /** Null: the voter that is furthest. */
  readonly to: NodeId | null
}

export interface TransferOutcome {
  readonly hello: Hello
  /** The answering node led and was asked; false: ask the leader, if one is named. */
  readonly asked: boolean
  /** Null when the answering node knows of no leader. */
  readonly leader: NodeId | null
  readonly term: Term
  /** host:port of the leader's peer port; null when it is not known. */
  readonly address: string | null
}

export function encodeTransferRequest({ hello, to }: TransferWish): Uint8Array {
  return encodeView(TransferRequest, { hello, to: to ?? '' })
}

export function decodeTransferRequest(bytes: Uint8Array): TransferWish {
  const { hello, to } = decodeBytes(TransferRequest, bytes, 'The request')
  if (!hello) throw malformed('The request does not say who asks')
  return { hello: helloFromWire(hello), to: word(to, 'to') || null }
}

export function encodeTransferAnswer(outcome: TransferOutcome): Uint8Array {
  const { hello, asked, leader, term, address } = outcome
  return encodeView(TransferAnswer, {
    hello,
    asked,
    leader: leader ?? '',
    term,
    leaderAddress: address ?? '',
  })
}

export function decodeTransferAnswer(bytes: Uint8Array): TransferOutcome {
  const wire = decodeBytes(TransferAnswer, bytes, 'The answer')
  if (!wire.hello) throw malformed('The answer does not say who answers')
  return {
    hello: helloFromWire(wire.hello),
    asked: wire.asked,
    leader: word(wire.leader, 'leader') || null,
    term: termFromWire(wire.term, 'term'),
    address: word(wire.leaderAddress, 'leaderAddress') || null,
  }
}
