/** The verdict on a whole history: key by key, each with its model. */
import { partition, prepare } from './key-history.js'
import { modelOfKey, type Model } from './models.js'
import { BadHistory, checkOperation, type Operation } from './operation.js'
import { search, type SearchLimits } from './search.js'

export type Verdict = 'linearizable' | 'not linearizable' | 'unknown' | 'bad input'

export interface CheckOptions {
  /** Which model a key follows; default: `change:...` is a change, all else a register. */
  readonly modelOf?: (key: string) => Model
  /** For each key. */
  readonly limits?: Partial<SearchLimits>
}

export interface KeyVerdict {
  readonly key: string
  readonly verdict: Verdict
  readonly operations: number
  /** Steps of the model that the search tried; the measure of its cost. */
  readonly steps: number
}

export interface HistoryVerdict {
  /** The worst of all keys: not linearizable, then unknown. */
  readonly verdict: Verdict
  readonly keys: readonly KeyVerdict[]
  readonly operations: number
  /** What is wrong with a bad input. */
  readonly problem?: string
}

/** About ten seconds of one core and 200 MB; the same history always gets the same verdict. */
const defaultLimits: SearchLimits = { stepsMax: 20_000_000, memoMax: 2_000_000 }

/**
 * Judges a history. Never throws: what cannot be judged is `bad input`. Failed operations are
 * dropped, as are reads without an answer; other unknown ones may take effect at any later time.
 */
export function checkHistory(
  history: readonly Operation[],
  options: CheckOptions = {},
): HistoryVerdict {
  const facts = { operations: history.length }
  try {
    for (const [at, operation] of history.entries()) checkOperation(operation, at + 1)
  } catch (error) {
    if (!(error instanceof BadHistory)) throw error
    return { ...facts, verdict: 'bad input', keys: [], problem: error.message }
  }
  const keys = [...partition(history)].map(([key, operations]) =>
    checkKey(key, operations, options),
  )
  const worst = (['not linearizable', 'unknown'] as const).find((verdict) =>
    keys.some((key) => key.verdict === verdict),
  )
  return { ...facts, verdict: worst ?? 'linearizable', keys }
}

/** All operations must be of this key and well-formed. */
export function checkKey(
  key: string,
  operations: readonly Operation[],
  { modelOf = modelOfKey, limits = {} }: CheckOptions,
): KeyVerdict {
  const model = modelOf(key)
  const result = search(prepare(key, operations, model), model, { ...defaultLimits, ...limits })
  return { key, operations: operations.length, ...result }
}
