/**
 * Values by number, with all their renamings. Of each family one value is kept as an object; the
 * others are known by their text, and by which naming leads to them.
 */
import { fingerprint } from './fingerprint.js'
import type { Names } from './names.js'

interface Variant {
  readonly family: number
  readonly naming: number
}

export class Orbits<Value> {
  private readonly names: Names
  private readonly numbers = new Map<string, number>()
  private readonly variants: Variant[] = []
  /** Of a family: its value as it came, and the numbers of its renamings. */
  private readonly families: { readonly value: Value; readonly numbers: readonly number[] }[] = []

  constructor(names: Names) {
    this.names = names
  }

  /** How many values are known, renamed ones too. */
  get count(): number {
    return this.variants.length
  }

  numberOf(value: Value): number {
    const known = this.numbers.get(fingerprint(value, this.names, 0))
    if (known !== undefined) return known
    const family = this.families.length
    const numbers = this.names.namings.map((_, naming) => {
      const text = fingerprint(value, this.names, naming)
      const before = this.numbers.get(text)
      if (before !== undefined) return before
      const number = this.variants.length
      this.numbers.set(text, number)
      this.variants.push({ family, naming })
      return number
    })
    this.families.push({ value, numbers })
    return numbers[0] ?? 0
  }

  renamed(number: number, naming: number): number {
    const { family, naming: before } = this.variant(number)
    return this.family(family).numbers[this.names.product(naming, before)] ?? 0
  }

  familyOf(number: number): number {
    return this.variant(number).family
  }

  /** The value that is kept of its family, and the naming that makes this one of it. */
  kept(number: number): { readonly value: Value; readonly naming: number } {
    const { family, naming } = this.variant(number)
    return { value: this.family(family).value, naming }
  }

  private variant(number: number): Variant {
    const variant = this.variants[number]
    if (variant === undefined) throw new Error(`no value has the number ${String(number)}`)
    return variant
  }

  private family(number: number): { readonly value: Value; readonly numbers: readonly number[] } {
    const family = this.families[number]
    if (family === undefined) throw new Error(`no family has the number ${String(number)}`)
    return family
  }
}
