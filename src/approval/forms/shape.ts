/**
 * Shapes: the typed decoder of signed JSON. A check says why a value has not the shape, or null;
 * the value itself is used as it is, never copied, so that what was signed is what is judged. The
 * first fault is named with its place (`ops[3].path`).
 */
import { refusal, type Refusal } from '../../errors.js'
import { compareCodeUnits, type Json, type JsonObject } from '../../signing/index.js'

export type Check = (value: Json, at: string) => Refusal | null

interface Field {
  readonly check: Check
  readonly presence: 'required' | 'optional'
}
interface RequiredField extends Field {
  readonly presence: 'required'
}
interface OptionalField extends Field {
  readonly presence: 'optional'
}

/** One field for each member of T, optional exactly where T has `?`: the compiler holds it. */
export type FieldsOf<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? OptionalField : RequiredField
}

export const required = (check: Check): RequiredField => ({ check, presence: 'required' })
export const optional = (check: Check): OptionalField => ({ check, presence: 'optional' })

/** Exactly the given fields; an unknown one is refused by name. */
export function object<T>(
  fields: FieldsOf<T>,
  also?: (value: T, at: string) => Refusal | null,
): Check {
  const byName = new Map<string, Field>(Object.entries(fields))
  return (value, at) => {
    if (!isObject(value)) return invalid(at, 'must be an object')
    for (const name of Object.keys(value)) {
      if (!byName.has(name)) return invalid(within(at, name), 'is not a known field')
    }
    for (const [name, field] of byName) {
      // Own members only: an inherited one was never signed.
      const member = Object.hasOwn(value, name) ? value[name] : undefined
      if (member === undefined) {
        if (field.presence === 'required') return invalid(within(at, name), 'is missing')
        continue
      }
      const fault = field.check(member, within(at, name))
      if (fault !== null) return fault
    }
    return also?.(value as T, at) ?? null
  }
}

export interface CountBounds {
  readonly min?: number
  readonly max: number
}

/** A list that stays as written. */
export function listOf(check: Check, { min = 0, max }: CountBounds): Check {
  return (value, at) => {
    if (!isList(value)) return invalid(at, 'must be an array')
    if (value.length < min) return invalid(at, `must hold at least ${min}`)
    if (value.length > max) return invalid(at, `must hold at most ${max}`)
    for (let i = 0; i < value.length; i++) {
      const fault = check(value[i] as Json, `${at}[${i}]`)
      if (fault !== null) return fault
    }
    return null
  }
}

/** Names an element that has passed its check. */
export type KeyOf = (element: Json) => string

export const itself: KeyOf = (element) => element as string

/** By a field that the element's own check requires to be text. */
export function by(field: string): KeyOf {
  return (element) => (element as JsonObject)[field] as string
}

/** A list in which no two elements have the same key. */
export function uniqueListOf(check: Check, keyOf: KeyOf, bounds: CountBounds): Check {
  const list = listOf(check, bounds)
  return (value, at) => {
    const fault = list(value, at)
    if (fault !== null) return fault
    const seen = new Set<string>()
    for (const element of value as readonly Json[]) {
      const key = keyOf(element)
      if (seen.has(key)) return invalid(at, `names ${key} twice`)
      seen.add(key)
    }
    return null
  }
}

/** An array that is a set: sorted by code units of the key, without duplicates. NON_CANONICAL. */
export function setOf(check: Check, keyOf: KeyOf, bounds: CountBounds): Check {
  const list = listOf(check, bounds)
  return (value, at) => {
    const fault = list(value, at)
    if (fault !== null) return fault
    const keys = (value as readonly Json[]).map(keyOf)
    for (let i = 1; i < keys.length; i++) {
      const order = compareCodeUnits(keys[i - 1] as string, keys[i] as string)
      if (order < 0) continue
      const why = order === 0 ? 'has a duplicate' : 'is not sorted by code units'
      return refusal('NON_CANONICAL', `${at} ${why} at ${keys[i] as string}`, { field: at })
    }
    return null
  }
}

/** A set of plain strings. */
export const setOfStrings = (check: Check, bounds: CountBounds): Check =>
  setOf(check, itself, bounds)

export function oneOf(...words: readonly string[]): Check {
  return (value, at) =>
    typeof value === 'string' && words.includes(value)
      ? null
      : invalid(at, `must be one of ${words.join(', ')}`)
}

export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER } = {}): Check {
  return (value, at) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? null
      : invalid(at, `must be an integer from ${min} to ${max}`)
}

/** The first check whose discriminating field fits; see its callers. */
export function choose(pick: (value: JsonObject) => Check | null, hint: string): Check {
  return (value, at) => {
    const check = isObject(value) ? pick(value) : null
    return check === null ? invalid(at, hint) : check(value, at)
  }
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

export function invalid(at: string, why: string): Refusal {
  return refusal('BODY_INVALID', `${at} ${why}`, { field: at })
}

export function within(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}
