/** Waiting between attempts: jittered, doubled with each round over the addresses. */
import { setTimeout as delay } from 'node:timers/promises'

export interface BackoffBounds {
  readonly min: number
  readonly max: number
}

export class Backoff {
  readonly #bounds: BackoffBounds
  readonly #perRound: number
  #attempts = 0

  constructor(bounds: BackoffBounds, perRound: number) {
    this.#bounds = bounds
    this.#perRound = Math.max(1, perRound)
  }

  reset(): void {
    this.#attempts = 0
  }

  /** Resolves early, and without a word, when the signal aborts. */
  async wait(signal: AbortSignal, atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const round = Math.floor(this.#attempts / this.#perRound)
    this.#attempts += 1
    const ceiling = Math.min(this.#bounds.max, this.#bounds.min * 2 ** Math.min(round, 20))
    const ms = ceiling / 2 + (Math.random() * ceiling) / 2
    await pause(Math.min(ms, atMostMs), signal)
  }
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
