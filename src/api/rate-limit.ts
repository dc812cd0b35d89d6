/**
 * Token buckets by name. Full buckets are forgotten and the number of buckets is bounded, so that
 * whoever invents names cannot make the node grow.
 */
import type { Allowance } from './limits.js'

const bucketsMax = 10_000

interface Bucket {
  tokens: number
  atMs: number
}

export class RateLimit {
  readonly #allowance: Allowance
  readonly #nowMs: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(allowance: Allowance, nowMs: () => number = () => performance.now()) {
    this.#allowance = allowance
    this.#nowMs = nowMs
  }

  /** Milliseconds until this name may try again; 0 when it may now. Takes nothing. */
  waitMs(name: string): number {
    const tokens = this.#tokens(name)
    if (tokens >= 1) return 0
    return Math.ceil(((1 - tokens) / this.#allowance.perSecond) * 1000)
  }

  /** Takes one token. */
  charge(name: string): void {
    const tokens = Math.max(0, this.#tokens(name) - 1)
    // Re-inserted, so that the map stays in order of last use.
    this.#buckets.delete(name)
    this.#buckets.set(name, { tokens, atMs: this.#nowMs() })
    if (this.#buckets.size > bucketsMax) this.#forgetOldest()
  }

  get size(): number {
    return this.#buckets.size
  }

  #tokens(name: string): number {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) return this.#allowance.burst
    const refilled =
      bucket.tokens + ((this.#nowMs() - bucket.atMs) / 1000) * this.#allowance.perSecond
    if (refilled < this.#allowance.burst) return refilled
    this.#buckets.delete(name)
    return this.#allowance.burst
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name)
      return
    }
  }
}
