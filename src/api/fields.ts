/** Fields of requests, checked before the node is asked. INPUT_INVALID names the field. */
import { CountersignError } from '../errors.js'
import { isChangeState } from '../wire/index.js'
import type { ChangeState } from '../approval/index.js'
import { listLimitMax, listStatesMax } from './limits.js'

const segment = /^[A-Za-z0-9._~-]{1,128}$/
const identifier = /^[a-z0-9][a-z0-9-]{0,62}$/
const hex16 = /^[0-9a-f]{32}$/
const pathBytesMax = 512
const segmentsMax = 32

/** The grammar of src/approval/forms/path.ts: nothing else can stand in the config tree. */
export function isPath(text: string): boolean {
  if (text.length > pathBytesMax || !text.startsWith('/')) return false
  const segments = text.slice(1).split('/')
  return (
    segments.length <= segmentsMax &&
    segments.every((part) => segment.test(part) && part !== '.' && part !== '..')
  )
}

export function path(text: string): string {
  if (isPath(text)) return text
  throw invalid('path', 'is not a path of the config tree, such as /prod/timeout_ms')
}

/** A path, a path with `/` behind it, or `/` for everything. */
export function prefix(text: string): string {
  if (text === '/' || isPath(text.endsWith('/') ? text.slice(0, -1) : text)) return text
  throw invalid('prefix', 'is neither a path nor a path that ends in "/"')
}

export function changeId(text: string): string {
  if (hex16.test(text)) return text
  throw invalid('change_id', 'is not 16 bytes in lower-case hex')
}

/** A person's id; empty means nobody. */
export function optionalId(text: string, field: string): string | undefined {
  if (text === '') return undefined
  if (identifier.test(text)) return text
  throw invalid(field, 'is not an id: a to z, 0 to 9 and "-", at most 63')
}

export function states(words: readonly string[]): readonly ChangeState[] {
  if (words.length > listStatesMax) throw invalid('states', 'names too many states')
  return words.map((word) => {
    if (isChangeState(word)) return word
    throw invalid('states', 'names a state that does not exist')
  })
}

/** 0 means the default. */
export function limit(value: number, usual: number): number {
  if (value > listLimitMax) throw invalid('limit', `is not from 1 to ${String(listLimitMax)}`)
  return value === 0 ? usual : value
}

function invalid(field: string, what: string): CountersignError {
  return new CountersignError('INPUT_INVALID', `${field} ${what}.`, { details: { field } })
}
