import fc from 'fast-check'
import t from 'tap'
import {
  isFrozenBy,
  nextOpening,
  termsOf,
  type EffectiveRule,
  type Freeze,
  type Ms,
  type Rule,
  type Window,
} from '../../src/approval/index.js'
import '../property-seed.js'

const bind = (...rules: readonly Partial<Rule>[]): readonly EffectiveRule[] =>
  rules.map((rule, i) => ({ policy: 'p', rule: { id: `r${i}`, paths: ['/**'], ...rule } }))
const hour = 3_600_000
const defaults = { open: '72h', use: '8h' }

await t.test('terms: the shortest deadlines, the longest delay and bake', (t) => {
  t.match(termsOf(bind({}), defaults), {
    openMs: 72 * hour,
    useMs: 8 * hour,
    weakeningDelayMs: 0,
    bakeMs: 0,
    watch: [],
    asksRisk: false,
    grantBy: null,
    freezeMs: null,
  })
  const rules = bind(
    { open: '100h', use: '3h', bake: { for: '5m', watch: ['b', 'a'] } },
    { open: '90h', weakeningDelay: '2h', bake: { for: '10m', watch: ['c', 'a'] } },
    { weakeningDelay: '1h', risk: { high: { need: [{ count: 1, group: 'g' }] } } },
  )
  t.match(termsOf(rules, defaults), {
    openMs: 90 * hour,
    useMs: 3 * hour,
    weakeningDelayMs: 2 * hour,
    bakeMs: 600_000,
    watch: ['a', 'b', 'c'],
    asksRisk: true,
  })
  t.match(termsOf(rules, defaults, { open: '1h', use: '5h' }), { openMs: hour, useMs: 3 * hour })
  t.match(termsOf(bind({ ttl: '2h' }), defaults), { openMs: 2 * hour, useMs: 2 * hour })
  t.end()
})

await t.test('terms: a line of each rule with a grant, and none wins', (t) => {
  const by = (group: string) => [{ count: 1, group }]
  const one: Partial<Rule> = { rollback: { plan: 'inverse', by: by('a'), freeze: '2h' } }
  const two: Partial<Rule> = { rollback: { plan: 'inverse', by: by('b'), freeze: '1h' } }
  t.match(termsOf(bind(one, two, {}), defaults), { grantBy: [by('a'), by('b')], freezeMs: hour })
  const none = termsOf(bind(one, { rollback: { plan: 'none' } }), defaults)
  t.match(none, { grantBy: null, freezeMs: null })
  t.end()
})

const monday = Date.UTC(2026, 10, 23)
const workdays: Window = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '8h', to: '15h' }

await t.test('windows: union in a rule, intersection between rules, weekends between', (t) => {
  const at = (day: number, hours: number): Ms => monday + day * 24 * hour + hours * hour
  const rules = bind({ windows: [workdays] })
  t.equal(nextOpening(bind({}), at(0, 3)), at(0, 3), 'no windows: always open')
  t.equal(nextOpening(rules, at(0, 3)), at(0, 8))
  t.equal(nextOpening(rules, at(0, 8)), at(0, 8))
  t.equal(nextOpening(rules, at(0, 15) - 1), at(0, 15) - 1)
  t.equal(nextOpening(rules, at(0, 15)), at(1, 8), 'the end is outside')
  t.equal(nextOpening(rules, at(4, 16)), at(7, 8), 'over the weekend')
  const late: Window = { days: ['sat', 'fri'], from: '14h', to: '24h' }
  t.equal(nextOpening(bind({ windows: [workdays, late] }), at(4, 16)), at(4, 16))
  t.equal(nextOpening(bind({ windows: [workdays] }, { windows: [late] }), at(0, 0)), at(4, 14))
  const never: Window = { days: ['sun'], from: '0h', to: '24h' }
  t.equal(nextOpening(bind({ windows: [workdays] }, { windows: [never] }), at(0, 0)), null)
  t.end()
})

await t.test('property: the opening is the first minute that is inside every rule', (t) => {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
  const window = fc
    .record({
      days: fc.subarray([...names], { minLength: 1, maxLength: 3 }),
      from: fc.nat(23),
      length: fc.integer({ min: 1, max: 24 }),
    })
    .map(({ days, from, length }) => ({ days, from, to: Math.min(24, from + length) }))
  const windows = fc.array(window, { minLength: 1, maxLength: 2 })
  fc.assert(
    fc.property(fc.array(windows, { maxLength: 3 }), fc.nat(7 * 24), (rules, offset) => {
      const from = monday + offset * hour
      const isOpen = (at: Ms): boolean =>
        rules.every((all) =>
          all.some((one) => {
            const date = new Date(at)
            const name = names[date.getUTCDay()] ?? 'sun'
            const hours = date.getUTCHours()
            return one.days.includes(name) && hours >= one.from && hours < one.to
          }),
        )
      const hours = Array.from({ length: 8 * 24 }, (_, i) => from + i * hour)
      const expected = hours.find(isOpen) ?? null
      const written = rules.map((all) => ({
        windows: all.map(({ days, from, to }) => ({ days, from: `${from}h`, to: `${to}h` })),
      }))
      t.equal(nextOpening(bind(...written), from), expected)
    }),
    { numRuns: 300 },
  )
  t.end()
})

await t.test('freezes', (t) => {
  const freeze: Freeze = { paths: ['/prod/**', '/x'], from: 10, until: 20, reason: 'x' }
  const config = { kind: 'config', paths: ['/a', '/prod/b'] } as const
  t.ok(isFrozenBy(freeze, config, 10))
  t.ok(isFrozenBy(freeze, config, 19))
  t.notOk(isFrozenBy(freeze, config, 9))
  t.notOk(isFrozenBy(freeze, config, 20), 'the end is outside')
  t.notOk(isFrozenBy(freeze, { ...config, paths: ['/a'] }, 10))
  t.notOk(isFrozenBy({ ...freeze, paths: ['/**'] }, { ...config, kind: 'freeze' }, 10))
  t.notOk(isFrozenBy(freeze, { ...config, kind: 'emergency' }, 10))
  t.ok(isFrozenBy({ ...freeze, stops: ['emergency'] }, { ...config, kind: 'emergency' }, 10))
  t.notOk(isFrozenBy({ ...freeze, stops: ['emergency'] }, config, 10))
  t.ok(
    isFrozenBy(
      { ...freeze, paths: ['/sys/**'] },
      { kind: 'policy', paths: ['/sys/policies/p'] },
      10,
    ),
  )
  t.end()
})
