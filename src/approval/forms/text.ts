/** Checks of plain strings. No regular expression runs in apply, so these walk the characters. */
import { fromBase64, isWellFormed, type Json } from '../../signing/index.js'
import { limits } from '../limits.js'
import { invalid, type Check } from './shape.js'

/** `[a-z0-9][a-z0-9-]{0,62}` */
export function isId(text: string): boolean {
  if (text.length < 1 || text.length > limits.idLengthMax || text.startsWith('-')) return false
  return every(text, (c) => isLower(c) || isDigit(c) || c === hyphen)
}

export const id: Check = (value, at) =>
  typeof value === 'string' && isId(value)
    ? null
    : invalid(at, `must be an id: a-z, 0-9 and -, at most ${limits.idLengthMax}, not - first`)

export const hex16 = hexOf(16)
export const hex32 = hexOf(32)

export function isHex(text: string, bytes: number): boolean {
  return text.length === 2 * bytes && every(text, (c) => isDigit(c) || (c >= 0x61 && c <= 0x66))
}

function hexOf(bytes: number): Check {
  return (value, at) =>
    typeof value === 'string' && isHex(value, bytes)
      ? null
      : invalid(at, `must be ${bytes} bytes in lower-case hex`)
}

export const hex32OrNone: Check = (value, at) =>
  value === 'none' || (typeof value === 'string' && isHex(value, 32))
    ? null
    : invalid(at, 'must be 32 bytes in lower-case hex, or "none"')

/** Strict base64 (RFC 4648 section 4, with padding). */
export const base64: Check = (value, at) =>
  typeof value === 'string' && fromBase64(value) !== null
    ? null
    : invalid(at, 'must be strict base64 with padding')

/** Well-formed Unicode of at most `bytesMax` UTF-8 bytes. */
export function text(bytesMax: number, { min = 0 } = {}): Check {
  return (value, at) => {
    if (typeof value !== 'string' || !isWellFormed(value)) return invalid(at, 'must be text')
    const bytes = utf8Length(value)
    if (bytes < min) return invalid(at, 'must not be empty')
    return bytes <= bytesMax ? null : invalid(at, `must be at most ${bytesMax} bytes of UTF-8`)
  }
}

/** Text counted in code points, as JSON Schema's maxLength counts. */
export function note(charactersMax: number): Check {
  return (value, at) =>
    typeof value === 'string' && isWellFormed(value) && Array.from(value).length <= charactersMax
      ? null
      : invalid(at, `must be text of at most ${charactersMax} characters`)
}

export const anyJson: Check = (_value: Json) => null

const hyphen = 0x2d

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39
}

export function isLower(c: number): boolean {
  return c >= 0x61 && c <= 0x7a
}

export function every(text: string, holds: (charCode: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!holds(text.charCodeAt(i))) return false
  return true
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}
