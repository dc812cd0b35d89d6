/**
 * Which keys a state store was given since an index, from what its writes said of themselves. Each
 * names the applied point that it was made on; a gap between two means that nobody can tell.
 */
import type { WrittenKeys } from './record.js'

/** In log order, none of them wholly below `index`. Null: not known. */
export function keysWrittenSince(
  index: number,
  written: readonly (WrittenKeys | null)[],
  appliedIndex: number,
): ReadonlySet<string> | null {
  const keys = new Set<string>()
  let at = index
  for (const each of written) {
    // The first may begin below `index`: it names a few keys too many.
    if (each === null || each.from > at || each.to <= at) return null
    if (at !== index && each.from !== at) return null
    at = each.to
    for (const key of each.keys) keys.add(key)
  }
  return at === appliedIndex ? keys : null
}
