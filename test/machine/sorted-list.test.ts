import fc from 'fast-check'
import t from 'tap'
import { SortedList } from '../../src/machine/sorted-list.js'
import '../property-seed.js'

const steps = fc.array(
  fc.record({
    // Wider than what is put in its place one by one.
    item: fc.integer({ min: 0, max: 300 }),
    what: fc.constantFrom('add', 'add', 'add', 'remove', 'look'),
  }),
  { maxLength: 400 },
)

await t.test('a list filled in any order is that of the distinct items, sorted', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const list = new SortedList<number>()
      const expected = new Set<number>()
      const sorted = (): number[] => [...expected].sort((a, b) => a - b)
      for (const { item, what } of all) {
        if (what === 'look') {
          const at = sorted().findIndex((each) => each >= item)
          if (list.firstAtOrAfter(item) !== (at < 0 ? expected.size : at)) return false
          continue
        }
        if (what === 'add') {
          list.add(item)
          expected.add(item)
        } else {
          list.remove(item)
          expected.delete(item)
        }
      }
      return JSON.stringify(list.items) === JSON.stringify(sorted())
    }),
  )
  t.end()
})
