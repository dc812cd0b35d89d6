/**
 * One text for everything that decides a world's future. The core's own objects are walked as they
 * are, so that a field which is added later takes part by itself. Moments count by their distance
 * from now, and only up to where no timeout tells them apart; counters that nothing is decided by
 * are left out. A field that is left out wrongly would hide behaviours: the list is short.
 */
const ageMax = 8

/** Counters for operators, and numbers that only have to differ from each other. */
const undecided = new Set([
  'electionsStarted',
  'electionsWon',
  'preVotesRefused',
  'proposalsRefused',
  'reportedLeadership',
  'options',
  'shown',
  // Writes complete in the order in which they were asked for.
  'token',
  'lastToken',
])

interface Context {
  /** Ticks of the core that is walked. */
  readonly now: number
  /** Its last replication session; those before it count by their distance. */
  readonly lastSession: number
  /** The last session of a node that leads, for messages under way. */
  readonly sessionOf: (node: string) => number
}

/** `sessionOf`: the last replication session that this node has opened. */
export function fingerprint(value: unknown, sessionOf: (node: string) => number): string {
  const parts: string[] = []
  walk(value, { now: 0, lastSession: 0, sessionOf }, parts)
  return parts.join('')
}

function walk(value: unknown, context: Context, parts: string[]): void {
  if (value === null || typeof value !== 'object') {
    parts.push(String(value), ';')
  } else if (value instanceof Uint8Array) {
    parts.push(value.join('.'), ';')
  } else if (Array.isArray(value)) {
    parts.push('[')
    for (const item of value) walk(item, context, parts)
    parts.push(']')
  } else if (value instanceof Map || value instanceof Set) {
    parts.push('(', ...[...value].map((each) => textOf(each, context)).sort(), ')')
  } else {
    walkObject(value as Readonly<Record<string, unknown>>, context, parts)
  }
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
  const { now, lastSession } = value
  const context: Context = {
    now: typeof now === 'number' ? now : outer.now,
    lastSession: typeof lastSession === 'number' ? lastSession : outer.lastSession,
    sessionOf: outer.sessionOf,
  }
  parts.push('{')
  for (const name of Object.keys(value)) {
    const field = value[name]
    if (isUndecided(name, field)) continue
    parts.push(name, ':')
    if (/(At|until|since)Ticks$/.test(name) && typeof field === 'number') {
      parts.push(String(Math.max(-ageMax, Math.min(ageMax, context.now - field))), ';')
    } else if (name === 'session' && typeof field === 'number') {
      parts.push(String(lastSessionOf(value, context) - field), ';')
    } else {
      walk(field, context, parts)
    }
  }
  parts.push('}')
}

function isUndecided(name: string, field: unknown): boolean {
  return (
    undecided.has(name) || name === 'now' || name === 'lastSession' || typeof field === 'function'
  )
}

/** A session belongs to the leader: who sends a request, who is sent a reply. */
function lastSessionOf(value: Readonly<Record<string, unknown>>, context: Context): number {
  const { kind, from, to } = value
  if (typeof kind !== 'string' || typeof from !== 'string' || typeof to !== 'string') {
    return context.lastSession
  }
  return context.sessionOf(kind.endsWith('Reply') ? to : from)
}
