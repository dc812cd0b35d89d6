/**
 * Canonical JSON: RFC 8785 over the I-JSON subset (RFC 7493), strictly. What is signed is exactly
 * these bytes, so bytes that are not canonical are refused, never fixed up.
 *
 * Decoding parses, encodes again and compares. JSON.parse alone keeps the last of two equal names,
 * rounds 9007199254740993, reads `-0` as -0 and `1e400` as Infinity; the comparison finds them all.
 */
import { CountersignError, refusal, type Refusal } from '../errors.js'
import { compareCodeUnits } from './code-units.js'
import type { Json, JsonObject } from './types.js'

/** Arrays and objects inside each other in a config value: the documented limit for values. */
export const valueDepthMax = 32

/** The same for a whole document, which holds values a few levels down. Bounds the recursion. */
export const documentDepthMax = 64

export interface CanonicalOptions {
  /** Default: {@link documentDepthMax}. */
  readonly depthMax?: number
}

export type Decoded =
  | { readonly kind: 'ok'; readonly value: Json }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const encoder = new TextEncoder()
/** A leading BOM survives, so that the parser refuses it. Keeps no state between two calls. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The canonical text of a value; throws VALUE_NOT_CANONICAL for what I-JSON cannot say. */
export function canonicalText(value: Json, options: CanonicalOptions = {}): string {
  const depthMax = options.depthMax ?? documentDepthMax
  if (isInOrder(value, depthMax)) {
    const text = JSON.stringify(value)
    if (!text.includes('\\ud')) return text
  }
  return textOf(value, depthMax)
}

/** UTF-8 bytes of {@link canonicalText}. */
export function encodeCanonical(value: Json, options: CanonicalOptions = {}): Uint8Array {
  return encoder.encode(canonicalText(value, options))
}

/** NON_CANONICAL when encoding again gives other bytes, VALUE_NOT_CANONICAL outside I-JSON. */
export function decodeCanonical(bytes: Uint8Array, options: CanonicalOptions = {}): Decoded {
  const parsed = parse(bytes)
  if (parsed === null) return refused('NON_CANONICAL', 'the bytes are not JSON in UTF-8')
  const { text, value } = parsed
  try {
    // Strict UTF-8 decoding is one to one, so equal text means equal bytes.
    if (canonicalText(value, options) === text) return { kind: 'ok', value }
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown
    return { kind: 'refused', refusal: refusal(thrown.code, thrown.message) }
  }
  return refused('NON_CANONICAL', 'encoding the value again gives other bytes (RFC 8785)')
}

/** Levels of arrays and objects inside each other; a string or number has none. */
export function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner))
  return deepest + 1
}

/** No lone surrogate. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdfff) continue
    if (unit > 0xdbff) return false
    const next = text.charCodeAt(i + 1)
    if (!(next >= 0xdc00 && next <= 0xdfff)) return false
    i++
  }
  return true
}

function parse(bytes: Uint8Array): { readonly text: string; readonly value: Json } | null {
  try {
    const text = decoder.decode(bytes)
    return { text, value: JSON.parse(text) as Json }
  } catch {
    return null
  }
}

/**
 * True when JSON.stringify alone gives the canonical text, but for lone surrogates: names in order,
 * nothing that is no I-JSON. Almost every value is so, and asking costs a third of writing the text
 * piece by piece. False means only that the slow way shall say.
 */
function isInOrder(value: Json | undefined, depthLeft: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return isNumberInRange(value)
    case 'object':
      if (value === null) return true
      if (depthLeft === 0) return false
      return isArray(value)
        ? isArrayInOrder(value, depthLeft - 1)
        : isObjectInOrder(value, depthLeft - 1)
    default:
      return false
  }
}

function isArrayInOrder(values: readonly Json[], depthLeft: number): boolean {
  for (let i = 0; i < values.length; i++) if (!isInOrder(values[i], depthLeft)) return false
  return true
}

function isObjectInOrder(members: JsonObject, depthLeft: number): boolean {
  let last = ''
  for (const name of Object.keys(members)) {
    if (name < last || !isInOrder(members[name], depthLeft)) return false
    last = name
  }
  return true
}

function textOf(value: Json, depthLeft: number): string {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return numberText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depthLeft === 0) throw notIJson('arrays and objects are nested too deep')
      return isArray(value) ? arrayText(value, depthLeft - 1) : objectText(value, depthLeft - 1)
    default:
      throw notIJson(`a ${typeof value} is not JSON`)
  }
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

function arrayText(values: readonly Json[], depthLeft: number): string {
  let text = '['
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ','
    // A hole in a sparse array reads as undefined and is refused below.
    text += textOf(values[i] as Json, depthLeft)
  }
  return text + ']'
}

function objectText(members: JsonObject, depthLeft: number): string {
  let text = '{'
  for (const name of sortedNames(members)) {
    if (text.length > 1) text += ','
    text += stringText(name) + ':' + textOf(members[name] as Json, depthLeft)
  }
  return text + '}'
}

/** What came from canonical bytes is in order already, but for integer-like names. */
function sortedNames(members: JsonObject): string[] {
  const names = Object.keys(members)
  for (let i = 1; i < names.length; i++) {
    if ((names[i - 1] as string) > (names[i] as string)) return names.sort(compareCodeUnits)
  }
  return names
}

function stringText(text: string): string {
  const quoted = JSON.stringify(text)
  // A lone surrogate is the only thing that JSON.stringify writes as an escape \ud...
  if (quoted.includes('\\ud') && !isWellFormed(text))
    throw notIJson('a string has a lone surrogate')
  return quoted
}

function numberText(value: number): string {
  if (!isNumberInRange(value)) {
    throw notIJson('a number is beyond 2^53-1; write it as a string')
  }
  // ECMAScript's shortest form is what RFC 8785 3.2.2.3 asks for; -0 becomes 0.
  return String(value)
}

/** NaN fails the comparison too. */
const isNumberInRange = (value: number): boolean => Math.abs(value) <= Number.MAX_SAFE_INTEGER

function notIJson(message: string): CountersignError {
  return new CountersignError('VALUE_NOT_CANONICAL', message)
}

function refused(code: 'NON_CANONICAL', message: string): Decoded {
  return { kind: 'refused', refusal: refusal(code, message) }
}
