/** A signed message on its way in: fits the call, fits the limits. What it says is for the machine. */
import { CountersignError } from '../errors.js'
import type { Command } from '../machine/index.js'
import { payloadWord, type PayloadWord } from '../signing/index.js'
import type { SignedMessage } from '../wire/index.js'
import {
  bodyBytesMax,
  commandBytesMax,
  detachedPartsMax,
  keyIdLength,
  payloadTypeBytesMax,
  signatureBytes,
} from './limits.js'

/** Types that a call takes. `ratify` is let through: the machine says which level it needs. */
export const wordsOf = {
  propose: ['propose'],
  decide: ['approve', 'reject', 'revoke', 'ratify'],
  withdraw: ['withdraw'],
  activate: ['activate'],
  acknowledge: ['ack'],
} as const satisfies Record<string, readonly PayloadWord[]>

/** Every type that a person submits: for the stream and for previews. */
export const anyWord: readonly PayloadWord[] = Object.values(wordsOf).flat()

/** Throws TOO_LARGE, BODY_INVALID, BAD_TYPE. */
export function commandOf(message: SignedMessage, words: readonly PayloadWord[]): Command {
  const { envelope, detached } = message
  if (envelope.type.length > payloadTypeBytesMax) throw badType('an unknown type', words)
  withinLimit('body', envelope.body.length, bodyBytesMax)
  withinLimit('detached', detached.length, detachedPartsMax)
  const bytes = detached.reduce((sum, part) => sum + part.length, envelope.body.length)
  withinLimit('command', bytes, commandBytesMax)
  if (envelope.keyId.length !== keyIdLength) {
    throw new CountersignError('BODY_INVALID', 'key_id is not 32 bytes in lower-case hex.', {
      details: { field: 'key_id' },
    })
  }
  if (envelope.signature.length !== signatureBytes) {
    throw new CountersignError('BAD_SIGNATURE', 'signature is not 64 bytes.', {
      details: { field: 'signature', bytes: envelope.signature.length },
    })
  }
  const word = payloadWord(envelope.type)
  if (word === null) throw badType('an unknown type', words)
  if (!words.includes(word)) throw badType(`a message of type ${word}`, words)
  return { kind: 'submit', envelope, detached }
}

function withinLimit(field: string, size: number, limit: number): void {
  if (size <= limit) return
  throw new CountersignError(
    'TOO_LARGE',
    `${field} is ${String(size)}, above the limit of ${String(limit)}.`,
    { details: { field, size, limit } },
  )
}

function badType(what: string, words: readonly PayloadWord[]): CountersignError {
  return new CountersignError(
    'BAD_TYPE',
    `This call takes ${words.join(', ')}, and the envelope says ${what}.`,
    { details: { takes: words } },
  )
}
