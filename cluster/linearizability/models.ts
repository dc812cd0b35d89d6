/**
 * What one key may do. Values are interned as small integers before the search; 0 is absence. A
 * model says which state follows when an operation takes effect, or that it cannot.
 */
import type { OperationKind } from './operation.js'

/** An operation with interned values. */
export interface Step {
  readonly op: OperationKind
  readonly value: number
  readonly old: number
  readonly result: number
  /** Of a `cas`: whether it took place, as far as anybody was told. */
  readonly outcome: 'done' | 'refused' | 'not known'
}

export interface Model {
  readonly name: string
  /** Only a write of a value leads to a state in which it is seen, so that a value proves its write. */
  readonly valuesProveWrites: boolean
  /** The state after the step; undefined when it does not fit. `textOf` gives an interned value. */
  step(state: number, step: Step, textOf: (value: number) => string): number | undefined
}

export const absent = 0

function compareAndSet(state: number, { old, value, outcome }: Step): number | undefined {
  const fits = state === old
  switch (outcome) {
    case 'done':
      return fits ? value : undefined
    case 'refused':
      return fits ? undefined : state
    case 'not known':
      return fits ? value : state
  }
}

/** A register that anybody may put, get, delete, or compare and set. */
export const registerModel: Model = {
  name: 'register',
  valuesProveWrites: true,
  step(state, step) {
    switch (step.op) {
      case 'put':
        return step.value
      case 'delete':
        return absent
      case 'get':
        return step.result === state ? state : undefined
      case 'cas':
        return compareAndSet(state, step)
    }
  },
}

/** Where a message may take a change (docs/approval-model.md). What is closed stays as it is. */
const following: Readonly<Record<string, readonly string[]>> = {
  null: ['"OPEN"', '"APPROVED"', '"ACTIVE"'],
  '"OPEN"': ['"APPROVED"', '"ACTIVE"', '"REJECTED"', '"WITHDRAWN"'],
  '"APPROVED"': ['"OPEN"', '"ACTIVE"', '"REJECTED"', '"WITHDRAWN"'],
}

/**
 * Where the cluster takes it by itself: its base moved, its time came or is over. A state that is
 * reached in this way is one that nothing leaves.
 */
const byItself: Readonly<Record<string, readonly string[]>> = {
  '"OPEN"': ['"STALE"', '"EXPIRED"', '"VOIDED"'],
  '"APPROVED"': ['"ACTIVE"', '"STALE"', '"EXPIRED"', '"VOIDED"'],
}

const isIn = (table: Readonly<Record<string, readonly string[]>>, from: string, to: string) =>
  table[from]?.includes(to) ?? false

/**
 * The state of a change. `put` is its proposal, once; `cas` is a decision that moved it from one
 * state to another; `get` may find it closed by the cluster, which nobody asked for.
 */
export const changeModel: Model = {
  name: 'change',
  valuesProveWrites: false,
  step(state, step, textOf) {
    switch (step.op) {
      case 'put':
        return state === absent && isIn(following, 'null', textOf(step.value))
          ? step.value
          : undefined
      case 'delete':
        return undefined
      case 'get': {
        const isSeen = step.result === state
        return isSeen || isIn(byItself, textOf(state), textOf(step.result))
          ? step.result
          : undefined
      }
      case 'cas': {
        const next = compareAndSet(state, step)
        const moved = next !== undefined && next !== state
        return moved && !isIn(following, textOf(state), textOf(next)) ? undefined : next
      }
    }
  },
}

/** Keys of changes begin with this; all others are registers. */
export const changePrefix = 'change:'

export function modelOfKey(key: string): Model {
  return key.startsWith(changePrefix) ? changeModel : registerModel
}
