/** Which paths the clients use: many, and none so often that its history cannot be judged. */
import type { SeededRandom } from './seeded-random.js'

export const keysMin = 24
/** Clients at the same time; each may meet any key. */
export const clientsMax = 8
const operationsMax = 3500

export class Keys {
  readonly #prefix: string
  readonly #current: string[]
  readonly #all = new Set<string>()
  readonly #uses = new Map<string, number>()

  /** `prefix` ends in `/`. */
  constructor(prefix: string) {
    this.#prefix = prefix
    this.#current = Array.from({ length: keysMin }, (_, at) => this.#name(at))
  }

  get all(): readonly string[] {
    return [...this.#all]
  }

  pick(random: SeededRandom): string {
    const at = Math.floor(random.next() * this.#current.length)
    return this.use(this.#current[at] ?? this.#name(at))
  }

  /** One more operation on this key; a key that is used up is replaced. */
  use(key: string): string {
    const uses = (this.#uses.get(key) ?? 0) + 1
    this.#uses.set(key, uses)
    const at = this.#current.indexOf(key)
    if (uses >= operationsMax && at >= 0) this.#current[at] = this.#name(at)
    return key
  }

  #name(at: number): string {
    const key = `${this.#prefix}k${at}-${this.#all.size}`
    this.#all.add(key)
    return key
  }
}
