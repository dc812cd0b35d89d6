/** Where a call has been, and which of the failures says most about why it got no result. */
import { CountersignError } from '../errors.js'
import type { Failure } from './from-grpc.js'

export class Tried {
  /** Address to the words about its latest failure. */
  readonly #words = new Map<string, string>()
  #answer: { readonly address: string; readonly error: CountersignError } | null = null
  #misfit: CountersignError | null = null
  #lost: CountersignError | null = null
  /** Addresses whose latest failure is that. */
  readonly #misfits = new Set<string>()

  get isNowhere(): boolean {
    return this.#words.size === 0
  }

  /** Nobody at these addresses is a node of this cluster: to wait would change nothing. */
  fitsNowhere(addresses: readonly string[]): boolean {
    return this.#answer === null && addresses.every((address) => this.#misfits.has(address))
  }

  failed(address: string, failure: Failure): void {
    const { kind, error } = failure
    this.#misfits.delete(address)
    if (kind === 'refused') {
      this.#words.set(address, error.code)
      this.#answer = { address, error }
      return
    }
    this.#words.set(address, error.message)
    if (error.code === 'CERTIFICATE_MISFIT') {
      this.#misfits.add(address)
      this.#misfit = error
    } else {
      this.#lost = error
    }
    // A node that answered once and is gone by now answers no more. One that is only silent, at the
    // end of the time for example, still stands for what it said.
    if (!failure.wasSent && this.#answer?.address === address) this.#answer = null
  }

  silent(address: string): void {
    this.#misfits.delete(address)
    this.#words.set(address, 'silent')
  }

  /**
   * What a node said tells more than that another is none of this cluster, and that more than that
   * others could not be reached, whichever came last.
   */
  outOfTime(facts: {
    readonly isOutcomeOpen: boolean
    readonly deadlineMs: number
  }): CountersignError {
    const told = this.#answer?.error ?? this.#misfit ?? this.#lost ?? undefined
    const { deadlineMs } = facts
    const details = { ...told?.details, tried: Object.fromEntries(this.#words), deadlineMs }
    const names = [...this.#words.keys()].join(', ')
    const options = { details, cause: told }
    if (facts.isOutcomeOpen) {
      return new CountersignError(
        'UNKNOWN_OUTCOME',
        `No answer within ${String(deadlineMs)} ms (tried ${names}); the command may or may not be committed. Send the same bytes again: it is applied once.`,
        options,
      )
    }
    if (told === undefined || told.code === 'UNREACHABLE') {
      return new CountersignError(
        'UNREACHABLE',
        `No node answered. Tried ${names === '' ? 'none' : names}. Check that the cluster runs and the addresses are right.`,
        options,
      )
    }
    if (told.code === 'CERTIFICATE_MISFIT') {
      return new CountersignError(told.code, `${told.message} (Tried ${names}.)`, options)
    }
    return new CountersignError(
      told.code,
      `${told.message} (Gave up after ${String(deadlineMs)} ms; tried ${names}.)`,
      options,
    )
  }
}
