/**
 * The record of what clients did and saw: one operation on one key, as one JSON line.
 *
 * `ok`: it took effect and answered. `fail`: it certainly had no effect. `info`: nobody told the
 * client; it may take effect at any later time, or never.
 */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export type OperationKind = 'put' | 'get' | 'delete' | 'cas'
export type OperationStatus = 'ok' | 'fail' | 'info'

export interface Operation {
  readonly client: string | number
  /** Taken before the request leaves; any unit, the same clock for all clients. */
  readonly start: number
  /** Taken after the answer has arrived; not looked at when the status is `info`. */
  readonly end?: number | null
  readonly op: OperationKind
  readonly key: string
  /** What `put` and `cas` write. Null is absence: `get` of a key that was never written gives null. */
  readonly value?: Json
  /** What `cas` expects to find. */
  readonly old?: Json
  /** What `get` saw; for `cas` whether it took place (absent: it did). */
  readonly result?: Json
  readonly status: OperationStatus
}

/** The history cannot be judged; `line` counts from 1. */
export class BadHistory extends Error {
  override readonly name = 'BadHistory'
  readonly line: number

  constructor(line: number, problem: string) {
    super(`Operation ${String(line)}: ${problem}`)
    this.line = line
  }
}

const kinds: readonly string[] = ['put', 'get', 'delete', 'cas']
const statuses: readonly string[] = ['ok', 'fail', 'info']

/** Reads JSON lines; empty lines are skipped. Throws BadHistory. */
export function parseHistory(text: string): readonly Operation[] {
  const operations: Operation[] = []
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      throw new BadHistory(at + 1, 'is not JSON')
    }
    operations.push(checkOperation(parsed, at + 1))
  }
  return operations
}

export function formatHistory(history: readonly Operation[]): string {
  return history.map((operation) => `${JSON.stringify(operation)}\n`).join('')
}

/** Throws BadHistory, which names the operation by `line`. */
export function checkOperation(value: unknown, line: number): Operation {
  if (typeof value !== 'object' || value === null) throw new BadHistory(line, 'is not an object')
  const { client, start, end, op, key, status, result, ...rest } = value as Record<string, unknown>
  const must = (holds: boolean, problem: string) => {
    if (!holds) throw new BadHistory(line, problem)
  }
  must(typeof client === 'string' || typeof client === 'number', 'has no client')
  must(typeof key === 'string', 'has no key')
  must(typeof op === 'string' && kinds.includes(op), `op must be one of ${kinds.join(', ')}`)
  must(
    typeof status === 'string' && statuses.includes(status),
    `status must be one of ${statuses.join(', ')}`,
  )
  must(typeof start === 'number' && Number.isFinite(start), 'start is no number')
  if (status === 'ok') {
    must(typeof end === 'number' && Number.isFinite(end), 'is ok and has no end')
    must(Number(end) >= Number(start), 'ends before it starts')
    must(op !== 'get' || result !== undefined, 'is a get without a result')
    must(
      op !== 'cas' || result === undefined || typeof result === 'boolean',
      'is a cas whose result is neither true nor false',
    )
  }
  if (op === 'put' || op === 'cas') must('value' in rest, `is a ${op} without a value`)
  if (op === 'cas') must('old' in rest, 'is a cas without an old value')
  return value as Operation
}
