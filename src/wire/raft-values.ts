/** Numbers and names of the consensus core, off the wire: checked once, here. */
import type { LogIndex, Term } from '../raft/index.js'
import { wordLengthMax } from './limits.js'
import { malformed, safeInteger } from './protobuf.js'

// The room may use types of raft/ only, so the brands are put on here, once, after the check.
export function termFromWire(value: number | null | undefined, field: string): Term {
  return safeInteger(value, field) as Term
}

export function indexFromWire(value: number | null | undefined, field: string): LogIndex {
  return safeInteger(value, field) as LogIndex
}

export function nodeIdFromWire(value: string | null | undefined, field: string): string {
  const id = value ?? ''
  if (id === '' || id.length > wordLengthMax) throw malformed(`${field} names no node`)
  return id
}
