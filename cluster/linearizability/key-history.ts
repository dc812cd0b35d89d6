/**
 * The history of one key, made ready for the search. Linearizability is local (Herlihy and Wing,
 * 1990, theorem 1): a history is linearizable if the history of each key is.
 */
import { absent, type Model, type Step } from './models.js'
import type { Json, Operation } from './operation.js'

export interface PreparedOperation extends Step {
  readonly source: Operation
  readonly start: number
  /** Infinity while the outcome is not known. */
  readonly end: number
  /** It leaves the state alone wherever it takes effect. */
  readonly readsOnly: boolean
}

export interface KeyHistory {
  readonly key: string
  /** By start. */
  readonly operations: readonly PreparedOperation[]
  /** An interned value as JSON. */
  readonly textOf: (value: number) => string
}

/** Operations by key, in order of their first operation. */
export function partition(history: readonly Operation[]): ReadonlyMap<string, Operation[]> {
  const keys = new Map<string, Operation[]>()
  for (const operation of history) {
    const of = keys.get(operation.key)
    if (of === undefined) keys.set(operation.key, [operation])
    else of.push(operation)
  }
  return keys
}

/**
 * Drops what had no effect and what nobody saw the effect of, and gives the rest of the unknown
 * ones an end where one can be known.
 */
export function prepare(key: string, history: readonly Operation[], model: Model): KeyHistory {
  const texts = ['null']
  const numbers = new Map([['null', absent]])
  const intern = (value: Json | undefined): number => {
    const text = JSON.stringify(value ?? null)
    const known = numbers.get(text)
    if (known !== undefined) return known
    numbers.set(text, texts.length)
    return texts.push(text) - 1
  }
  const operations = history
    .filter(({ op, status }) => status === 'ok' || (status === 'info' && op !== 'get'))
    .map((source) => prepareOperation(source, intern))
    .sort((a, b) => a.start - b.start)
  return {
    key,
    operations: model.valuesProveWrites ? sharpen(operations) : operations,
    textOf: (value) => texts[value] ?? 'null',
  }
}

function prepareOperation(
  source: Operation,
  intern: (value: Json | undefined) => number,
): PreparedOperation {
  const { op, start, status } = source
  const isKnown = status === 'ok'
  const outcome = isKnown ? (source.result === false ? 'refused' : 'done') : 'not known'
  return {
    ...{ source, op, start, outcome },
    end: isKnown ? (source.end ?? Infinity) : Infinity,
    value: intern(op === 'delete' ? null : source.value),
    old: intern(source.old),
    result: op === 'get' ? intern(source.result) : absent,
    readsOnly: op === 'get' || (op === 'cas' && outcome === 'refused'),
  }
}

/**
 * Unknown puts are what makes the search explode. When exactly one operation wrote a value, whoever
 * saw the value proves that the operation had taken effect by then, and a put whose value nobody
 * saw can be left out: an operation without an answer need not take effect. Neither holds where a
 * cas may have seen the value without telling.
 */
function sharpen(operations: readonly PreparedOperation[]): readonly PreparedOperation[] {
  if (operations.every(({ end }) => end !== Infinity)) return operations
  const writers = new Map<number, number>([[absent, 1]])
  const seenBy = new Map<number, number>()
  for (const { op, value, old, result, outcome, end } of operations) {
    if (op === 'cas' && outcome !== 'done') return operations
    if (op !== 'get') writers.set(value, (writers.get(value) ?? 0) + 1)
    const seen = op === 'get' ? result : op === 'cas' ? old : undefined
    if (seen !== undefined) seenBy.set(seen, Math.min(end, seenBy.get(seen) ?? Infinity))
  }
  return operations.flatMap((operation) => {
    if (operation.end !== Infinity || operation.op !== 'put') return [operation]
    const end = seenBy.get(operation.value)
    if (end === undefined) return []
    // Seen before it began: the search finds that nothing fits.
    const isProof = writers.get(operation.value) === 1 && end >= operation.start
    return [isProof ? { ...operation, end } : operation]
  })
}
