import fc from 'fast-check'
import t from 'tap'
import {
  floorOf,
  isVetoed,
  judgeQuorum,
  seatGroups,
  type EffectiveRule,
  type Genesis,
  type Governed,
  type Id,
  type Line,
  type Rule,
  type Tier,
} from '../../src/approval/index.js'
import { floorOfRule } from '../../src/approval/rules/quorum.js'
import { governed, group, human } from './example.js'
import '../property-seed.js'

const floor: Genesis['floor'] = { config: 3, sys: 4, lowRisk: ['/prod/flags/**', '/dev/**'] }

await t.test('the floor of a change', (t) => {
  const rows: readonly (readonly [string, readonly string[], 'human' | 'agent', number])[] = [
    ['config', ['/prod/a'], 'human', 3],
    ['config', ['/prod/a'], 'agent', 3],
    ['config', ['/prod/flags/x'], 'human', 1],
    ['config', ['/prod/flags/x', '/dev/y'], 'human', 1],
    ['config', ['/prod/flags/x', '/prod/a'], 'human', 3],
    ['config', ['/prod/flags/x'], 'agent', 3],
    ['policy', ['/sys/policies/p'], 'human', 4],
    ['rollback', ['/sys/policies/p'], 'human', 4],
    ['rollback', ['/prod/a'], 'human', 3],
    ['emergency', ['/prod/a'], 'human', 1],
  ]
  for (const [kind, paths, author, need] of rows) {
    const change = { kind: kind as 'config', paths }
    t.equal(floorOf(floor, change, author), need, `${kind} ${paths.join()} ${author}`)
  }
  t.end()
})

await t.test('the floor of a rule is the highest of what it opens', (t) => {
  const rows: readonly (readonly [string, Partial<Rule>, number])[] = [
    ['/prod/**', {}, 3],
    ['/sys/**', {}, 4],
    ['/**', {}, 4],
    ['/*/x', {}, 4],
    ['/s*/policies/x', {}, 4],
    ['/system/**', {}, 3],
    ['/dev/**', {}, 1],
    ['/dev/a/*', {}, 1],
    ['/dev/**', { propose: { groups: ['g'], agents: 'sponsored' } }, 3],
    ['/prod/**', { kind: 'emergency' }, 1],
  ]
  for (const [glob, more, need] of rows) {
    t.equal(floorOfRule(floor, { id: 'r', paths: [glob], ...more }), need, glob)
  }
  t.equal(floorOfRule(floor, { id: 'r', paths: ['/dev/**', '/prod/x'] }), 3)
  t.end()
})

const persons = ['ana', 'ben', 'cat', 'dan']
const names = ['a', 'b', 'c']
const company = (members: Readonly<Record<Id, readonly Id[]>>): Governed =>
  governed({
    people: persons.map((id) => human(id)),
    groups: names.map((name) => group(name, ...(members[name] ?? []))),
  })

const effective = (id: Id, more: Partial<Rule>): EffectiveRule => ({
  policy: 'p',
  rule: { id, paths: ['/**'], ...more },
})

await t.test('the floor counts different holders of any seat group, seats do not', (t) => {
  const state = company({ a: ['ana', 'ben'], b: ['cat'], c: ['dan'] })
  const rules = [effective('r', { need: [{ count: 1, group: 'a' }] })]
  const judge = (approvers: readonly Id[], floorNeed: number): unknown =>
    judgeQuorum({ rules, tier: 'low', governed: state, approvers, floorNeed })
  t.match(judge(['ana'], 2), { reached: false, floor: { need: 2, have: 1, by: ['ana'] } })
  t.match(judge(['ana', 'ana'], 2), { reached: false, floor: { have: 1 } })
  t.match(judge(['dan', 'ana'], 2), { reached: false, floor: { have: 1 } })
  t.match(judge(['ben', 'ana'], 2), { reached: true, floor: { have: 2, by: ['ana', 'ben'] } })
  t.match(judge(['ben', 'ana'], 3), { reached: false })
  t.same(seatGroups(rules, 'low'), ['a'])
  t.end()
})

await t.test('a veto: any filled line of any rule', (t) => {
  const state = company({ a: ['ana', 'ben'], b: ['cat'] })
  const rules = [
    effective('one', { veto: [{ count: 2, group: 'a' }] }),
    effective('two', { veto: [{ count: 1, group: 'b' }] }),
  ]
  t.notOk(isVetoed(rules, state, []))
  t.notOk(isVetoed(rules, state, ['ana', 'ana', 'dan']))
  t.ok(isVetoed(rules, state, ['ana', 'ben']))
  t.ok(isVetoed(rules, state, ['cat']))
  t.end()
})

const line = fc.record({ count: fc.integer({ min: 1, max: 2 }), group: fc.constantFrom(...names) })
const lines = fc.uniqueArray(line, { selector: ({ group }) => group, maxLength: 3 })
const rules = fc.array(
  fc
    .record({ need: lines, medium: lines, high: lines, global: fc.boolean() })
    .map(({ need, medium, high, global }): Partial<Rule> => ({
      need,
      risk: { medium: { need: medium }, high: { need: high } },
      ...(global ? { distinct: 'global' } : {}),
    })),
  { minLength: 1, maxLength: 3 },
)
const some = fc.subarray(persons, { minLength: 2 })
const memberships = fc.record({ a: some, b: some, c: some })
const tiers: readonly Tier[] = ['low', 'medium', 'high']

interface Case {
  readonly rules: readonly Partial<Rule>[]
  readonly tier: number
  readonly approvers: readonly Id[]
}

function reached(state: Governed, { rules, tier, approvers }: Case): boolean {
  const bound = rules.map((one, i) => effective(`r${i}`, one))
  const floorNeed = 1
  return judgeQuorum({
    rules: bound,
    tier: tiers[tier] as Tier,
    governed: state,
    approvers,
    floorNeed,
  }).reached
}

const cases = fc.record({
  rules,
  tier: fc.nat(2),
  approvers: fc.subarray(persons),
})

const raise = (need: readonly Line[] = []): readonly Line[] =>
  need.map((one, i) => (i === 0 ? { ...one, count: one.count + 1 } : one))

await t.test('property: monotone in approvals, rules, lines, counts and tiers', (t) => {
  let passed = 0
  fc.assert(
    fc.property(
      cases,
      memberships,
      fc.constantFrom(...persons),
      line,
      (one, members, extra, added) => {
        const state = company(members)
        if (reached(state, one)) {
          passed++
          t.ok(reached(state, { ...one, approvers: [...one.approvers, extra] }), 'more approvals')
          return
        }
        const harder: Record<string, Case> = {
          'another line': { ...one, rules: [...one.rules, { need: [added] }] },
          'a higher count': {
            ...one,
            rules: one.rules.map((r) => ({ ...r, need: raise(r.need) })),
          },
          'a higher tier': { ...one, tier: Math.min(2, one.tier + 1) },
          global: { ...one, rules: one.rules.map((r) => ({ ...r, distinct: 'global' })) },
        }
        // The floor counts whoever holds a seat's group, so another rule may widen it; the seats of
        // the rules that were there still fail.
        const seatsFail = !judgeQuorum({
          rules: one.rules.map((r, i) => effective(`r${i}`, r)),
          tier: tiers[one.tier] as Tier,
          governed: state,
          approvers: one.approvers,
          floorNeed: 0,
        }).reached
        if (!seatsFail) return
        for (const [name, more] of Object.entries(harder)) t.notOk(reached(state, more), name)
      },
    ),
    { numRuns: 800 },
  )
  t.ok(passed > 50, 'the property was not idle')
  t.end()
})

await t.test('property: the recorded seats do not depend on the order of arrival', (t) => {
  fc.assert(
    fc.property(cases, memberships, fc.nat(5), (one, members, rotation) => {
      const state = company(members)
      const bound = one.rules.map((r, i) => effective(`r${i}`, r))
      const judge = (approvers: readonly Id[]): unknown =>
        judgeQuorum({ rules: bound, tier: 'high', governed: state, approvers, floorNeed: 2 })
      const at = rotation % (one.approvers.length + 1)
      const rotated = [...one.approvers.slice(at), ...one.approvers.slice(0, at)].reverse()
      t.same(judge(rotated), judge(one.approvers))
    }),
    { numRuns: 200 },
  )
  t.end()
})
