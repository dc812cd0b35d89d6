/**
 * A deep copy that keeps classes: the core's objects are made of fields, arrays, maps and sets only.
 * What never changes after it was made is shared: options, messages, entries, bytes.
 */
export function cloneDeep<Value>(value: Value): Value {
  return copyOf(value, new Map()) as Value
}

function copyOf(value: unknown, copies: Map<object, object>): unknown {
  if (value === null || typeof value !== 'object' || isImmutable(value)) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    const copy: unknown[] = []
    copies.set(value, copy)
    for (const item of value) copy.push(copyOf(item, copies))
    return copy
  }
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>()
    copies.set(value, copy)
    for (const [key, item] of value) copy.set(key, copyOf(item, copies))
    return copy
  }
  if (value instanceof Set) return new Set(value)
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object
  copies.set(value, copy)
  for (const name of Object.keys(value)) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    const isShared = name === 'options' || name === 'bounds'
    ;(copy as Record<string, unknown>)[name] = isShared ? field : copyOf(field, copies)
  }
  return copy
}

function isImmutable(value: object): boolean {
  return value instanceof Uint8Array || 'payload' in value || ('from' in value && 'to' in value)
}
