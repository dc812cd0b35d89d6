/** Reading documents that people wrote: each refusal names the place and what is wanted there. */
import type { Json, JsonObject } from '../signing/index.js'
import { badInput } from './failures.js'

/** One object, with a name for messages. Every field must be asked for; `end` refuses the rest. */
export class Fields {
  readonly #where: string
  readonly #object: JsonObject
  readonly #asked = new Set<string>()

  constructor(value: Json | undefined, where: string) {
    this.#where = where
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badInput(`${where} must be a mapping of names to values.`)
    }
    // Array.isArray does not narrow a readonly array away.
    this.#object = value as JsonObject
  }

  names(): string[] {
    return Object.keys(this.#object)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  /** Any value; undefined when absent. */
  any(name: string): Json | undefined {
    this.#asked.add(name)
    return this.has(name) ? this.#object[name] : undefined
  }

  text(name: string): string {
    const value = this.textOrNone(name)
    if (value === undefined) throw badInput(`${this.place(name)} is missing.`)
    return value
  }

  textOrNone(name: string): string | undefined {
    const value = this.any(name)
    if (value === undefined || typeof value === 'string') return value
    throw badInput(`${this.place(name)} must be a text${quoteHint(value)}.`)
  }

  /** Those of the texts that are given. */
  givenTexts<Name extends string>(names: readonly Name[]): Partial<Record<Name, string>> {
    const found: Partial<Record<Name, string>> = {}
    for (const name of names) {
      const value = this.textOrNone(name)
      if (value !== undefined) found[name] = value
    }
    return found
  }

  wholeOrNone(name: string): number | undefined {
    const value = this.any(name)
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) {
      return value
    }
    throw badInput(`${this.place(name)} must be a whole number.`)
  }

  whole(name: string): number {
    const value = this.wholeOrNone(name)
    if (value === undefined) throw badInput(`${this.place(name)} is missing.`)
    return value
  }

  list(name: string): readonly Json[] {
    const value = this.any(name)
    if (value === undefined) return []
    if (Array.isArray(value)) return value as readonly Json[]
    throw badInput(`${this.place(name)} must be a list.`)
  }

  texts(name: string): string[] {
    return this.list(name).map((item, index) => {
      if (typeof item === 'string') return item
      throw badInput(`${this.place(name)}[${String(index)}] must be a text${quoteHint(item)}.`)
    })
  }

  /** Refuses names that nobody asked for: most often a spelling mistake. */
  end(): void {
    const unknown = this.names().filter((name) => !this.#asked.has(name))
    if (unknown.length === 0) return
    const known = [...this.#asked].sort().join(', ')
    throw badInput(`${this.place(unknown[0] ?? '')} is not a known field.`, `Known here: ${known}.`)
  }

  place(name: string): string {
    return this.#where === '' ? name : `${this.#where}.${name}`
  }
}

function quoteHint(value: Json): string {
  return typeof value === 'number' || typeof value === 'boolean'
    ? `; put ${String(value)} in quotes`
    : ''
}
