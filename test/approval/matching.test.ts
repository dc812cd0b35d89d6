import fc from 'fast-check'
import t from 'tap'
import {
  allFilled,
  linesAt,
  matchRules,
  matchSeats,
  seatsOf,
  type EffectiveRule,
  type Id,
  type Rule,
  type Seat,
} from '../../src/approval/index.js'
import { createMatching } from '../../src/approval/rules/matching.js'
import '../property-seed.js'

const seat = (group: Id, line = 0): Seat => ({ policy: 'p', rule: 'r', line, group })

type Memberships = Readonly<Record<Id, readonly Id[]>>
const holdsBy =
  (groups: Memberships) =>
  (person: Id, group: Id): boolean =>
    groups[group]?.includes(person) ?? false

await t.test('greedy filling would say no: Ana must move to make room for Ben', (t) => {
  const holds = holdsBy({ platform: ['ana', 'ben'], security: ['ana'] })
  const filled = matchSeats([seat('platform'), seat('security', 1)], ['ana', 'ben'], holds)
  t.same(
    filled.map((one) => one.filledBy),
    ['ben', 'ana'],
  )
  t.end()
})

await t.test('two seats, one person: one stays empty', (t) => {
  const holds = holdsBy({ a: ['ana'], b: ['ana'] })
  const filled = matchSeats([seat('a'), seat('b', 1)], ['ana'], holds)
  t.same(
    filled.map((one) => one.filledBy),
    ['ana', undefined],
  )
  t.notOk(allFilled(filled))
  t.ok(allFilled(matchSeats([], [], holds)))
  t.end()
})

const rule = (id: Id, more: Partial<Rule>): EffectiveRule => ({
  policy: 'p',
  rule: { id, paths: ['/**'], ...more },
})

await t.test('persons serve in several rules, unless one says global', (t) => {
  const holds = holdsBy({ a: ['ana', 'ben'], b: ['ana'] })
  const one = rule('one', { need: [{ count: 1, group: 'a' }] })
  const two = rule('two', { need: [{ count: 1, group: 'b' }] })
  t.ok(allFilled(matchRules([one, two], 'low', ['ana'], holds)))
  const strict = rule('two', { ...two.rule, distinct: 'global' })
  t.notOk(allFilled(matchRules([one, strict], 'low', ['ana'], holds)))
  const both = matchRules([one, strict], 'low', ['ana', 'ben'], holds)
  t.same(
    both.map(({ rule, filledBy }) => [rule, filledBy]),
    [
      ['one', 'ben'],
      ['two', 'ana'],
    ],
  )
  t.end()
})

await t.test('effective seats: per group the largest count up to the tier', (t) => {
  const payments = rule('payments', {
    need: [
      { count: 1, group: 'payments' },
      { count: 1, group: 'security' },
    ],
    risk: {
      medium: { need: [{ count: 2, group: 'payments' }] },
      high: {
        need: [
          { count: 1, group: 'payments' },
          { count: 3, group: 'legal' },
        ],
      },
    },
  }).rule
  t.same(linesAt(payments, 'low'), payments.need)
  t.same(linesAt(payments, 'medium'), [
    { count: 2, group: 'payments' },
    { count: 1, group: 'security' },
  ])
  t.same(linesAt(payments, 'high'), [
    { count: 2, group: 'payments' },
    { count: 1, group: 'security' },
    { count: 3, group: 'legal' },
  ])
  t.same(
    seatsOf({ policy: 'p', rule: payments }, 'high').map(({ line, group }) => `${line} ${group}`),
    ['0 payments', '0 payments', '1 security', '2 legal', '2 legal', '2 legal'],
  )
  t.end()
})

const persons = ['ana', 'ben', 'cat', 'dan', 'eve']
const groups = ['a', 'b', 'c', 'd']
const memberships = fc.record(
  Object.fromEntries(groups.map((name) => [name, fc.subarray(persons)])),
) as fc.Arbitrary<Memberships>
const seats = fc
  .array(fc.constantFrom(...groups), { maxLength: 5 })
  .map((names) => names.map((name, line) => seat(name, line)))

/** Every assignment of different persons to the seats is tried. */
function fillable(
  open: readonly Seat[],
  free: readonly Id[],
  holds: ReturnType<typeof holdsBy>,
): boolean {
  const [first, ...rest] = open
  if (first === undefined) return true
  return free.some(
    (person) =>
      holds(person, first.group) &&
      fillable(
        rest,
        free.filter((other) => other !== person),
        holds,
      ),
  )
}

await t.test('property: agrees with brute force over all assignments', (t) => {
  let yes = 0
  fc.assert(
    fc.property(seats, memberships, fc.subarray(persons), (open, members, present) => {
      const holds = holdsBy(members)
      const filled = matchSeats(open, present, holds)
      const expected = fillable(open, present, holds)
      if (expected && open.length > 1) yes++
      t.equal(allFilled(filled), expected)
      const used = filled.flatMap(({ filledBy }) => (filledBy === undefined ? [] : [filledBy]))
      t.equal(new Set(used).size, used.length, 'nobody sits twice')
      for (const { group, filledBy } of filled) {
        if (filledBy !== undefined) t.ok(holds(filledBy, group) && present.includes(filledBy))
      }
    }),
    { numRuns: 600 },
  )
  t.ok(yes > 30, 'the property was not idle')
  t.end()
})

await t.test('property: taking one person out agrees with matching anew', (t) => {
  let critical = 0
  fc.assert(
    fc.property(seats, memberships, fc.constantFrom(...persons), (open, members, out) => {
      const holds = holdsBy(members)
      const matching = createMatching(open, persons, holds)
      if (!allFilled(matching.seats)) return
      const others = persons.filter((person) => person !== out)
      const without = allFilled(matchSeats(open, others, holds))
      if (!without) critical++
      t.equal(matching.emptyWithout(out) === null, without)
    }),
    { numRuns: 1000 },
  )
  t.ok(critical > 20, 'the property was not idle')
  t.end()
})
