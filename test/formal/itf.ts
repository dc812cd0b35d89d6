/**
 * Reads the traces that Quint writes (Informal Trace Format): JSON with tagged numbers, sets, maps
 * and tuples. Decoded, a number is a number, a set or a tuple an array, a map a Map.
 */
export interface TraceState {
  /** Value of a variable of the specification, by its own name, without those of modules. */
  readonly variable: (name: string) => unknown
}

type Json = Readonly<Record<string, unknown>>

/** Throws when the text is no trace. */
export function readTrace(text: string): readonly TraceState[] {
  const { states } = record(JSON.parse(text))
  return list(states).map((state) => stateOf(record(state)))
}

export function record(value: unknown): Json {
  if (value === null || typeof value !== 'object') throw new TypeError('an object is missing')
  return value as Json
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list is missing')
  return value
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is missing')
  return value
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('a whole number is missing')
  return value as number
}

export function mapping(value: unknown): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw new TypeError('a map is missing')
  return value
}

function stateOf(state: Json): TraceState {
  const variables = new Map(
    Object.entries(state).map(([name, value]) => [name.split('::').at(-1), decode(value)]),
  )
  return {
    variable: (name) => {
      if (!variables.has(name)) throw new TypeError(`the trace has no variable "${name}"`)
      return variables.get(name)
    },
  }
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (value === null || typeof value !== 'object') return value
  const tagged = value as Json
  if ('#bigint' in tagged) return Number(tagged['#bigint'])
  if ('#set' in tagged) return list(tagged['#set']).map(decode)
  if ('#tup' in tagged) return list(tagged['#tup']).map(decode)
  if ('#map' in tagged) {
    return new Map(
      list(tagged['#map']).map((pair) => [decode(list(pair)[0]), decode(list(pair)[1])]),
    )
  }
  return Object.fromEntries(Object.entries(tagged).map(([name, field]) => [name, decode(field)]))
}
