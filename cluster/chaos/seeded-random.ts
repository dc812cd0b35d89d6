/** The plan of a run comes from its seed; what the machine makes of it does not. */
export class SeededRandom {
  #state: number

  constructor(seed: number) {
    // Xorshift never leaves zero.
    this.#state = (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ seed) >>> 0 || 1
    for (let round = 0; round < 16; round += 1) this.next()
  }

  /** Uniform in [0, 1). Xorshift of 32 bits (Marsaglia, 2003). */
  next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) throw new Error('There is nothing to pick from.')
    return item
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.map(() => left.splice(Math.floor(this.next() * left.length), 1)).flat()
  }

  /** An independent stream, so that one part's draws do not shift another's. */
  fork(): SeededRandom {
    return new SeededRandom(Math.floor(this.next() * 2 ** 32))
  }
}
