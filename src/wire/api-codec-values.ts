/** What several answers share: signed messages, refusals, contents, rules. */
import { isErrorCode, errorTable, refusal, type Refusal } from '../errors.js'
import type { ChangeView, EntryView, HistoryView } from '../machine/index.js'
import { decodeCanonical, encodeCanonical } from '../signing/index.js'
import type { ChangeState, SignedMessage } from './api-codec-types.js'
import { envelopeFromWire, envelopeToWire, ownBytes } from './envelope-codec.js'
import { countersign, decodeBytes, encodeBytes, malformed, safeInteger } from './protobuf.js'

type V1Content = countersign.v1.EntryContent.$Properties
type V1SignedMessage = countersign.v1.SignedMessage.$Properties
type V1Refusal = countersign.v1.Refusal.$Properties

/** What stands at a path, or that nothing does any more. */
export type Content = HistoryView['content']
export type StandingContent = EntryView['content']
type Rules = ChangeView['rules']
type Json = Extract<StandingContent, { kind: 'value' }>['value']

type Optional<T> = T | null | undefined

export function text(value: Optional<string>): string {
  return value ?? ''
}

/** 0 on the wire means "none" for these numbers: the field is left out. */
export function someNumber<K extends string>(
  name: K,
  value: Optional<number>,
): { readonly [name in K]?: number } {
  const number = safeInteger(value, name)
  return number === 0 ? {} : ({ [name]: number } as { readonly [name in K]?: number })
}

/** Empty on the wire means "none" for these words: the field is left out. */
export function someText<K extends string>(
  name: K,
  value: Optional<string>,
): { readonly [name in K]?: string } {
  const word = text(value)
  return word === '' ? {} : ({ [name]: word } as { readonly [name in K]?: string })
}

/** A word out of a closed list; a newer node may say more, and then this build says so. */
export function oneOf<T extends string>(
  words: readonly T[],
  value: Optional<string>,
  field: string,
): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw malformed(`${field} is not one of ${words.join(', ')}`)
  return found
}

export function present<T>(value: Optional<T>, what: string): T {
  if (value === null || value === undefined) throw malformed(`${what} is missing`)
  return value
}

export const changeStates: readonly ChangeState[] = [
  'OPEN',
  'APPROVED',
  'ACTIVE',
  'REJECTED',
  'WITHDRAWN',
  'EXPIRED',
  'STALE',
  'SUPERSEDED',
  'VOIDED',
]

export function isChangeState(word: string): word is ChangeState {
  return changeStates.some((state) => state === word)
}

// ---- signed messages ----------------------------------------------------------------------

export function signedMessageToWire(message: SignedMessage): V1SignedMessage {
  return { envelope: envelopeToWire(message.envelope), detached: [...message.detached] }
}

export function signedMessageFromWire(wire: Optional<V1SignedMessage>): SignedMessage {
  const message = present(wire, 'The signed message')
  return {
    envelope: envelopeFromWire(message.envelope, 'The signed message'),
    detached: (message.detached ?? []).map(ownBytes),
  }
}

// ---- refusals -----------------------------------------------------------------------------

export function refusalToWire(refused: Refusal): V1Refusal {
  return {
    code: refused.code,
    message: refused.message,
    detailsJson: refused.details === undefined ? '' : JSON.stringify(refused.details),
    retryable: errorTable[refused.code].retryable,
  }
}

/** A code of a newer node becomes INTERNAL, with the unknown code in the details. */
export function refusalFromWire(wire: V1Refusal): Refusal {
  const code = text(wire.code)
  const details = detailsFromJson(text(wire.detailsJson))
  if (!isErrorCode(code)) return refusal('INTERNAL', text(wire.message), { ...details, code })
  return details === undefined
    ? refusal(code, text(wire.message))
    : refusal(code, text(wire.message), details)
}

function detailsFromJson(json: string): Record<string, unknown> | undefined {
  if (json === '') return undefined
  try {
    const details: unknown = JSON.parse(json)
    if (typeof details === 'object' && details !== null && !Array.isArray(details)) {
      return details as Record<string, unknown>
    }
  } catch (error) {
    throw malformed('The details of a refusal are not JSON', error)
  }
  throw malformed('The details of a refusal are not an object')
}

/** The bytes of the trailer `countersign-refusal-bin`. */
export function encodeRefusal(refused: Refusal): Uint8Array {
  return encodeBytes(countersign.v1.Refusal, refusalToWire(refused))
}

export function decodeRefusal(bytes: Uint8Array): Refusal {
  return refusalFromWire(decodeBytes(countersign.v1.Refusal, bytes, 'The refusal'))
}

// ---- contents and rules -------------------------------------------------------------------

export function contentToWire(content: Content): V1Content {
  switch (content.kind) {
    case 'value':
      return { valueJson: encodeCanonical(content.value) }
    case 'detached': {
      const { digest, size, value } = content
      return { detached: { digest, size, valueJson: encodeCanonical(value) } }
    }
    case 'sealed':
      return {
        sealed: { ciphertext: content.ciphertext, keyReference: content.keyReference },
      }
    case 'deleted':
      return { deleted: true }
  }
}

export function contentFromWire(wire: Optional<V1Content>, what: string): Content {
  const content = present(wire, what)
  if (content.valueJson) return { kind: 'value', value: jsonFrom(content.valueJson, what) }
  if (content.detached) {
    return {
      kind: 'detached',
      digest: text(content.detached.digest),
      size: safeInteger(content.detached.size, 'detached.size'),
      value: jsonFrom(present(content.detached.valueJson, what), what),
    }
  }
  if (content.sealed) {
    return {
      kind: 'sealed',
      ciphertext: text(content.sealed.ciphertext),
      keyReference: text(content.sealed.keyReference),
    }
  }
  if (content.deleted === true) return { kind: 'deleted' }
  throw malformed(`${what} is of no known kind`)
}

export function standingContentFromWire(wire: Optional<V1Content>, what: string): StandingContent {
  const content = contentFromWire(wire, what)
  if (content.kind === 'deleted') throw malformed(`${what} is deleted`)
  return content
}

export function rulesToWire(rules: Rules): Uint8Array {
  return encodeCanonical(rules as unknown as Json)
}

/** The text of the rules as the node gave it. Whoever signs computes its digest again. */
export function rulesFromWire(bytes: Optional<Uint8Array>): Rules {
  const json: unknown = jsonFrom(present(bytes, 'rules_json'), 'rules_json')
  if (!isRules(json)) throw malformed('rules_json is not a list of rules with their policies')
  return json
}

function isRules(json: unknown): json is Rules {
  return Array.isArray(json) && json.every(isEffectiveRule)
}

function isEffectiveRule(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { policy, rule } = value as { policy?: unknown; rule?: unknown }
  return typeof policy === 'string' && typeof rule === 'object' && rule !== null
}

function jsonFrom(bytes: Uint8Array, what: string): Json {
  const decoded = decodeCanonical(bytes)
  if (decoded.kind === 'refused') throw malformed(`${what}: ${decoded.refusal.message}`)
  return decoded.value
}
