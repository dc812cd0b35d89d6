/** The shortest beginning of a key's history that is not linearizable: where to look first. */
import { checkKey, type CheckOptions } from './check.js'
import type { Operation } from './operation.js'

export interface BadPrefix {
  /** What had begun by then, in order of start; what had not ended is `info`. */
  readonly operations: readonly Operation[]
  /** The answer that nothing fits any more. */
  readonly last: Operation
}

/**
 * Every longer beginning is bad as well, so that the shortest is found by bisection over the
 * answers. Undefined when the history is linearizable, or not decided.
 */
export function shortestBadPrefix(
  key: string,
  history: readonly Operation[],
  options: CheckOptions = {},
): BadPrefix | undefined {
  const answers = history
    .filter(({ status }) => status === 'ok')
    .sort((a, b) => (a.end ?? 0) - (b.end ?? 0))
  const isBad = (count: number) =>
    checkKey(key, until(history, answers[count - 1]?.end ?? -Infinity), options).verdict ===
    'not linearizable'
  if (!isBad(answers.length)) return undefined
  let good = 0
  let bad = answers.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isBad(middle)) bad = middle
    else good = middle
  }
  const last = answers[bad - 1]
  return last && { operations: until(history, last.end ?? 0), last }
}

/** The history as it was known at a time. */
function until(history: readonly Operation[], time: number): readonly Operation[] {
  return history
    .filter(({ start }) => start <= time)
    .map((operation) => {
      if (operation.status !== 'ok' || (operation.end ?? 0) <= time) return operation
      const { result: _, ...asked } = operation
      return { ...asked, end: null, status: 'info' as const }
    })
    .sort((a, b) => a.start - b.start)
}
