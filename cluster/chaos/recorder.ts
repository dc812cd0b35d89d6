/** The history of a phase, and what the nodes must still know of it at the end. */
import type { Json, Operation } from '../linearizability/index.js'
import type { Journal } from './journal.js'

/** An acknowledged activation: it must stand in the history of every node. */
export interface Acknowledged {
  readonly path: string
  readonly changeId: string
  readonly activatedAt: number
}

export type Asked = Pick<Operation, 'client' | 'op' | 'key'> & Partial<Operation>

export class Recorder {
  readonly operations: Operation[] = []
  readonly acknowledged: Acknowledged[] = []
  /** Which change carried a put, by its value: values are unique. */
  readonly #changeOfValue = new Map<Json, string>()
  readonly #journal: Journal
  #values = 0

  constructor(journal: Journal) {
    this.#journal = journal
  }

  nowMs(): number {
    return this.#journal.nowMs()
  }

  /** A value that nobody has written before: so a read tells which write it saw. */
  newValue(): number {
    this.#values += 1
    return this.#values
  }

  putBy(changeId: string, value: Json): void {
    this.#changeOfValue.set(value, changeId)
  }

  changeOf(operation: Operation): string | undefined {
    return this.#changeOfValue.get(operation.value ?? null)
  }

  ok(startMs: number, asked: Asked): void {
    this.#journal.answered()
    this.#record(startMs, asked, 'ok')
  }

  fail(startMs: number, asked: Asked): void {
    this.#journal.answered()
    this.#record(startMs, asked, 'fail')
  }

  /** Nobody knows whether it took effect. */
  info(startMs: number, asked: Asked): void {
    this.operations.push({ ...asked, start: startMs, end: null, status: 'info' })
  }

  count(status: Operation['status']): number {
    return this.operations.filter((operation) => operation.status === status).length
  }

  #record(startMs: number, asked: Asked, status: 'ok' | 'fail'): void {
    this.operations.push({ ...asked, start: startMs, end: this.nowMs(), status })
  }
}
