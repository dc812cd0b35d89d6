/**
 * The search for a linearization of the history of one key: Wing and Gong, *Testing and Verifying
 * Concurrent Objects* (1993), with the linked list of events and the memo of Lowe, *Testing for
 * Linearizability* (2017).
 *
 * Calls and returns stand in one list by time. A call before the first return may take effect next;
 * then it and its return are lifted out of the list. If none fits, the last one is put back and the
 * next is tried. What was reached before (the same operations in the same state) is not tried again.
 */
import type { KeyHistory } from './key-history.js'
import { absent, type Model } from './models.js'

export interface SearchLimits {
  /** Steps of the model that may be tried. */
  readonly stepsMax: number
  /** Configurations that may be remembered; each takes about 100 bytes. */
  readonly memoMax: number
}

export interface SearchResult {
  readonly verdict: 'linearizable' | 'not linearizable' | 'unknown'
  /** Steps of the model that were tried. */
  readonly steps: number
}

export function search(
  { operations, textOf }: KeyHistory,
  model: Model,
  limits: SearchLimits,
): SearchResult {
  const list = new EventList(operations)
  const seen = new Set<string>()
  const taken: Taken[] = []
  let state = absent
  /** The greatest operation that has taken effect; only holes before it are worth remembering. */
  let furthest = -1
  let steps = 0

  const stepOf = (operation: number): number | undefined => {
    const step = operations[operation]
    steps += 1
    return step === undefined ? undefined : model.step(state, step, textOf)
  }
  const take = (operation: number, next: number, isForced: boolean) => {
    taken.push({ operation, state, furthest, isForced })
    state = next
    furthest = Math.max(furthest, operation)
  }
  /** A read that fits now can be taken at once: wherever else it stood, it would change nothing. */
  const takeFittingReads = () => {
    let at = list.first
    while (list.isCall(at)) {
      const operation = list.operationAt(at)
      const isRead = operations[operation]?.readsOnly ?? false
      if (isRead && stepOf(operation) === state) {
        list.lift(operation)
        take(operation, state, true)
        at = list.first
      } else {
        at = list.after(at)
      }
    }
  }
  /** The call after the last one that was a choice; undefined when every choice was tried. */
  const backtrack = (): number | undefined => {
    for (;;) {
      const last = taken.pop()
      if (last === undefined) return undefined
      list.putBack(last.operation)
      ;({ state, furthest } = last)
      if (!last.isForced) return list.after(list.callOf(last.operation))
    }
  }

  takeFittingReads()
  let at = list.first
  while (list.returnsLeft > 0) {
    if (steps > limits.stepsMax || seen.size > limits.memoMax) return { verdict: 'unknown', steps }
    if (!list.isCall(at)) {
      const next = backtrack()
      if (next === undefined) return { verdict: 'not linearizable', steps }
      at = next
      continue
    }
    const operation = list.operationAt(at)
    const next = stepOf(operation)
    if (next !== undefined) {
      list.lift(operation)
      const reached = `${list.holesBefore(Math.max(furthest, operation))}${String(next)}`
      if (!seen.has(reached)) {
        seen.add(reached)
        take(operation, next, false)
        takeFittingReads()
        at = list.first
        continue
      }
      list.putBack(operation)
    }
    at = list.after(at)
  }
  return { verdict: 'linearizable', steps }
}

interface Taken {
  readonly operation: number
  /** Before it took effect. */
  readonly state: number
  readonly furthest: number
  /** There was no choice: going back to it is no use. */
  readonly isForced: boolean
}

const none = -1

/**
 * Doubly linked list of events. Event 0 is the head, 1 + 2n the call of operation n, 2 + 2n its
 * return; an operation without an answer has no return.
 */
class EventList {
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #hasReturn: Uint8Array
  #returnsLeft = 0

  constructor(operations: readonly { readonly start: number; readonly end: number }[]) {
    this.#next = new Int32Array(1 + 2 * operations.length).fill(none)
    this.#previous = new Int32Array(1 + 2 * operations.length).fill(none)
    this.#hasReturn = new Uint8Array(operations.length)
    const events: { readonly event: number; readonly time: number }[] = []
    operations.forEach(({ start, end }, n) => {
      events.push({ event: 1 + 2 * n, time: start })
      if (end === Infinity) return
      events.push({ event: 2 + 2 * n, time: end })
      this.#hasReturn[n] = 1
      this.#returnsLeft += 1
    })
    // At the same instant calls come first: who cannot be told apart is concurrent.
    events.sort((a, b) => a.time - b.time || (b.event % 2) - (a.event % 2) || a.event - b.event)
    let last = 0
    for (const { event } of events) {
      this.#next[last] = event
      this.#previous[event] = last
      last = event
    }
  }

  get first(): number {
    return this.after(0)
  }

  /** Operations that must still take effect. */
  get returnsLeft(): number {
    return this.#returnsLeft
  }

  after(event: number): number {
    return this.#next[event] ?? none
  }

  callOf(operation: number): number {
    return 1 + 2 * operation
  }

  isCall(event: number): boolean {
    return event !== none && event % 2 === 1
  }

  operationAt(event: number): number {
    return (event - 1) >> 1
  }

  lift(operation: number): void {
    this.#unlink(1 + 2 * operation)
    if (this.#hasReturn[operation] !== 1) return
    this.#unlink(2 + 2 * operation)
    this.#returnsLeft -= 1
  }

  /** Only in the reverse order of the lifts: the neighbours are then those of that time. */
  putBack(operation: number): void {
    if (this.#hasReturn[operation] === 1) {
      this.#link(2 + 2 * operation)
      this.#returnsLeft += 1
    }
    this.#link(1 + 2 * operation)
  }

  /**
   * Which operations have taken effect, exactly and in few characters: the furthest one, and those
   * before it that have not.
   */
  holesBefore(furthest: number): string {
    let text = `${String(furthest)}:`
    for (let at = this.first; this.isCall(at); at = this.after(at)) {
      const operation = this.operationAt(at)
      if (operation > furthest) break
      text += `${String(operation)},`
    }
    return `${text};`
  }

  #unlink(event: number): void {
    const before = this.#previous[event] ?? none
    const after = this.#next[event] ?? none
    this.#next[before] = after
    if (after !== none) this.#previous[after] = before
  }

  #link(event: number): void {
    const before = this.#previous[event] ?? none
    const after = this.#next[event] ?? none
    this.#next[before] = event
    if (after !== none) this.#previous[after] = event
  }
}
