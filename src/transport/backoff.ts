/** Waiting times between attempts: doubled up to a maximum, with full jitter over the upper half. */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #attempts = 0

  constructor(options: {
    readonly minMs: number
    readonly maxMs: number
    readonly random: () => number
  }) {
    this.#minMs = options.minMs
    this.#maxMs = options.maxMs
    this.#random = options.random
  }

  nextMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempts)
    this.#attempts = Math.min(this.#attempts + 1, 30)
    return ceiling * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#attempts = 0
  }
}
