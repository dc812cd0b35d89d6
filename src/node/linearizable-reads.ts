/** Reads that wait for a ReadIndex round of the core (dissertation 6.4). */
import type { CountersignError } from '../errors.js'
import type { NodeId, ReadOutcome } from '../raft/index.js'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: CountersignError) => void
}

export class LinearizableReads {
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  get size(): number {
    return this.#waiting.size
  }

  /** Resolves when the applied state of this node is at least as new as the call. */
  wait(ask: (id: number) => void): Promise<void> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      ask(id)
    })
  }

  outcome(outcome: ReadOutcome, failed: (leader: NodeId | null) => CountersignError): void {
    const waiting = this.#waiting.get(outcome.id)
    if (waiting === undefined) return
    this.#waiting.delete(outcome.id)
    if (outcome.kind === 'ready') waiting.resolve()
    else waiting.reject(failed(outcome.leader))
  }

  close(error: () => CountersignError): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of all) reject(error())
  }
}
