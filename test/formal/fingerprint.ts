/**
 * One text for everything that decides a node's future. The core's own objects are walked as they
 * are, so that a field which is added later takes part by itself. Moments count by their distance
 * from now, and only up to where no timeout tells them apart; counters that nothing is decided by
 * are left out. A field that is left out wrongly would hide behaviours: the list is short.
 */
import { ticks } from './model.js'
import type { Names } from './names.js'

/** One more than the longest time that the core compares with. */
const ageMax = ticks.electionMax + 1

/** Counters for operators, and numbers that only have to differ from each other. */
const undecided = new Set([
  'now',
  'electionsStarted',
  'electionsWon',
  'preVotesRefused',
  'proposalsRefused',
  'reportedLeadership',
  // Decides only when to campaign after a refused redial, which is no event of the model.
  'withheldFrom',
  'options',
  // Compares what the core is with what it was.
  'checker',
  // Writes complete in the order in which they were asked for.
  'token',
  'lastToken',
  // One leadership has one session with each node here: replica.ts hands it in.
  'session',
  'lastSession',
])

interface Context {
  /** Ticks of the core that is walked. */
  readonly now: number
  readonly names: Names
  readonly naming: number
}

/** With the nodes renamed. */
export function fingerprint(value: unknown, names: Names, naming: number): string {
  const parts: string[] = []
  walk(value, { now: 0, names, naming }, parts)
  return parts.join('')
}

function walk(value: unknown, context: Context, parts: string[]): void {
  if (typeof value === 'string' && context.names.isName(value)) {
    parts.push(context.names.renamed(value, context.naming), ';')
  } else if (value === null || typeof value !== 'object') {
    parts.push(String(value), ';')
  } else if (value instanceof Uint8Array) {
    parts.push(value.join('.'), ';')
  } else if (Array.isArray(value)) {
    // The order of voters decides only who is written to first.
    const items = value.map((each) => textOf(each, context))
    parts.push('[', ...(isOfNames(value, context.names) ? items.sort() : items), ']')
  } else if (value instanceof Map || value instanceof Set) {
    parts.push('(', ...[...value].map((each) => pairText(each, context)).sort(), ')')
  } else {
    walkObject(value as Readonly<Record<string, unknown>>, context, parts)
  }
}

function isOfNames(value: readonly unknown[], names: Names): boolean {
  return value.every((each) => typeof each === 'string' && names.isName(each))
}

/** Of an entry of a map, or an element of a set. */
function pairText(value: unknown, context: Context): string {
  return Array.isArray(value)
    ? value.map((each) => textOf(each, context)).join('=')
    : textOf(value, context)
}

function textOf(value: unknown, context: Context): string {
  const parts: string[] = []
  walk(value, context, parts)
  return parts.join('')
}

function walkObject(
  value: Readonly<Record<string, unknown>>,
  outer: Context,
  parts: string[],
): void {
  const { now } = value
  const context = typeof now === 'number' ? { ...outer, now } : outer
  parts.push('{')
  for (const name of Object.keys(value)) {
    const field = value[name]
    if (undecided.has(name) || typeof field === 'function') continue
    parts.push(name, ':')
    if (/(At|until|since)Ticks$/.test(name) && typeof field === 'number') {
      parts.push(String(Math.max(-ageMax, Math.min(ageMax, context.now - field))), ';')
    } else {
      walk(field, context, parts)
    }
  }
  parts.push('}')
}
