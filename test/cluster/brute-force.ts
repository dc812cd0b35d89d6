/** Linearizability of a register by trying every order: the definition, for a handful of operations. */
import type { Json, Operation } from '../../cluster/linearizability/index.js'

/** All operations must be on one key. Its time grows with the factorial of their number. */
export function isLinearizable(history: readonly Operation[]): boolean {
  return orders(
    history.filter(({ op, status }) => status !== 'fail' && !(status === 'info' && op === 'get')),
    'null',
  )
}

const endOf = ({ end, status }: Operation) => (status === 'ok' ? (end ?? Infinity) : Infinity)
const textOf = (value: Json | undefined) => JSON.stringify(value ?? null)

function orders(left: readonly Operation[], state: string): boolean {
  if (left.every(({ status }) => status === 'info')) return true
  return left.some((operation) => {
    if (left.some((other) => endOf(other) < operation.start)) return false
    const rest = left.filter((other) => other !== operation)
    return statesAfter(operation, state).some((next) => orders(rest, next))
  })
}

function statesAfter(operation: Operation, state: string): readonly string[] {
  const { op, value, old, result, status } = operation
  if (op === 'put') return [textOf(value)]
  if (op === 'delete') return ['null']
  if (op === 'get') return textOf(result) === state ? [state] : []
  const isHit = state === textOf(old)
  if (status === 'info') return [isHit ? textOf(value) : state]
  if (result === false) return isHit ? [] : [state]
  return isHit ? [textOf(value)] : []
}
