import fc from 'fast-check'
import { logIndex, term, type SnapshotMeta } from '../../src/raft/index.js'

/** Pure noise, and good bytes with a few of them changed, cut off, or doubled. */
export function hostileBytes(good: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const noise = fc.uint8Array({ maxLength: 200 })
  const flipped = fc
    .tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([bytes, edits]) => {
      const changed = new Uint8Array(bytes)
      for (const [position, value] of edits) {
        if (changed.length > 0) changed[position % changed.length] = value
      }
      return changed
    })
  const cut = fc
    .tuple(good, fc.nat())
    .map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1)))
  const doubled = fc.tuple(good, good).map(([first, second]) => {
    return new Uint8Array([...first, ...second])
  })
  return fc.oneof(noise, flipped, cut, doubled)
}

/** A record with the usual prototype, so that it can equal what a decoder makes. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

const ids = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
  .map((numbers) => numbers.map((number) => `node-${String(number)}`).sort())

export const snapshotMeta: fc.Arbitrary<SnapshotMeta> = record({
  index: fc.maxSafeNat().map(logIndex),
  term: fc.maxSafeNat().map(term),
  configuration: record({
    voters: ids,
    outgoing: ids,
    learners: ids,
    target: fc.option(ids),
  }),
  configurationIndex: fc.maxSafeNat().map(logIndex),
})
