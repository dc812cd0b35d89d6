import fc from 'fast-check'
import t from 'tap'
import {
  judgeAfterState,
  matchRules,
  overlay,
  type Genesis,
  type Governed,
  type GovernedDocument,
  type Id,
  type PolicyDocument,
  type Rule,
} from '../../src/approval/index.js'
import {
  agent,
  examplePeople,
  examplePolicies,
  genesisOf,
  governed,
  group,
  human,
  keyOf,
  policy,
  type Company,
} from './example.js'
import '../property-seed.js'

const { floor } = genesisOf()
const judge = (company: Company, at: Genesis['floor'] = floor): string => {
  const fault = judgeAfterState(governed(company), at, 'policy', 1)
  return fault === null ? 'ok' : `${fault.code} ${fault.message}`
}

const lines = (...all: readonly (readonly [number, Id])[]): { count: number; group: Id }[] =>
  all.map(([count, name]) => ({ count, group: name }))
const extra = (...rules: readonly Rule[]): Readonly<Record<Id, PolicyDocument>> => ({
  ...examplePolicies,
  extra: policy(...rules),
})
const rule: Rule = { id: 'x', paths: ['/x/**'] }
const four = [...examplePeople, human('dan')]
const abcd = group('operators', 'alice', 'bob', 'carol', 'dan')

await t.test('the example stands, and has no slack', (t) => {
  t.equal(judge({}), 'ok')
  const operators = (...members: readonly Id[]): Company => ({
    groups: [group('operators', ...members)],
  })
  for (const out of ['alice', 'bob', 'carol']) {
    const rest = ['alice', 'bob', 'carol'].filter((one) => one !== out)
    t.match(judge(operators(...rest)), /POLICY_UNSATISFIABLE .*seat of operators/, out)
  }
  t.equal(judge({ people: four, groups: [abcd] }), 'ok')
  t.end()
})

await t.test('a lost key or person strands what has no slack', (t) => {
  const before = governed()
  const bob = before.person('bob')
  if (bob === undefined) throw new Error('no bob')
  const documents: Record<string, GovernedDocument> = {
    suspended: { kind: 'person', person: { ...bob, status: 'suspended' } },
    revoked: { kind: 'key', key: { ...keyOf('bob', ['approve', 'propose']), status: 'revoked' } },
    'approve taken away': { kind: 'key', key: keyOf('bob', ['propose']) },
    'group emptied': { kind: 'group', name: 'operators', group: group('operators') },
    'group gone': { kind: 'group', name: 'operators', group: 'deleted' },
  }
  for (const [name, document] of Object.entries(documents)) {
    const fault = judgeAfterState(overlay(before, [document]), floor, 'identity', 1)
    t.match(fault, { code: 'WOULD_STRAND_QUORUM' }, name)
  }
  // Revoke and register in one change replaces a lost key.
  const replaced: readonly GovernedDocument[] = [
    documents['revoked'] as GovernedDocument,
    { kind: 'key', key: keyOf('bob', ['approve', 'propose'], 'bob 2') },
  ]
  t.equal(judgeAfterState(overlay(before, replaced), floor, 'identity', 1), null)
  t.end()
})

await t.test('the governance of the manual cannot be satisfied by three people', (t) => {
  const strict: Rule = {
    id: 'governance',
    paths: ['/sys/**'],
    propose: { groups: ['operators'] },
    need: lines([3, 'operators'], [1, 'audit']),
  }
  const company = { policies: { ...examplePolicies, governance: policy(strict) } }
  const three = [group('operators', 'alice', 'bob', 'carol'), group('audit', 'carol')]
  t.match(judge({ ...company, groups: three }), /POLICY_UNSATISFIABLE/)
  const people = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => human(id))
  const operators = group('operators', 'a', 'b', 'c', 'd')
  t.equal(judge({ ...company, people, groups: [operators, group('audit', 'e', 'f')] }), 'ok')
  t.match(judge({ ...company, people, groups: [operators, group('audit', 'a')] }), /seat of/)
  t.end()
})

await t.test('rule by rule', (t) => {
  const groups = [abcd, group('ops', 'alice', 'bob'), group('solo', 'dan'), group('none')]
  const rows: Record<string, readonly [Rule, RegExp]> = {
    'only adds, with slack': [{ ...rule, need: lines([3, 'operators']) }, /^ok/],
    'only adds, without slack': [{ ...rule, need: lines([2, 'ops']) }, /seat of ops.*when alice/],
    'an unknown group': [{ ...rule, need: lines([1, 'ghosts']) }, /ghosts, which does not exist/],
    'an unknown veto group': [{ ...rule, veto: lines([1, 'ghosts']) }, /ghosts/],
    'an empty group': [{ ...rule, need: lines([1, 'none']) }, /seat of none/],
    'a group of one, who may not author': [
      { ...rule, propose: { groups: ['ops'] }, need: lines([1, 'solo'], [1, 'operators']) },
      /^ok/,
    ],
    'a group of one, who may author': [
      { ...rule, propose: { groups: ['solo', 'ops'] }, need: lines([1, 'solo'], [1, 'operators']) },
      /seat of solo.*when dan/,
    ],
    'a tier that nobody fills': [
      { ...rule, need: lines([1, 'operators']), risk: { high: { need: lines([5, 'operators']) } } },
      /at tier high/,
    ],
    'a ratification that nobody fills': [
      {
        ...rule,
        kind: 'emergency',
        propose: { groups: ['ops'] },
        need: lines([1, 'operators']),
        ttl: '1h',
        ratify: { need: lines([4, 'operators']), within: '1h', else: 'inverse' },
      },
      /to ratify/,
    ],
    'below the floor': [
      { ...rule, propose: { groups: ['ops'] }, need: lines([1, 'operators']) },
      /^POLICY_BELOW_FLOOR .*floor is 2, but has 1/,
    ],
    'a rule without propose may ask for less': [{ ...rule, need: lines([1, 'operators']) }, /^ok/],
    'a rule without propose may ask for nothing': [{ ...rule, open: '1h' }, /^ok/],
    'rollback by humans': [
      { ...rule, rollback: { plan: 'inverse', by: lines([1, 'ops']) } },
      /^ok/,
    ],
    'rollback by nobody': [
      { ...rule, rollback: { plan: 'inverse', by: lines([1, 'none']) } },
      /no line of humans/,
    ],
  }
  for (const [name, [one, expected]] of Object.entries(rows)) {
    t.match(judge({ people: four, groups, policies: extra(one) }), expected, name)
  }
  t.end()
})

await t.test('who may use the grant: humans or services, never mixed, never one machine', (t) => {
  const services = ['d1', 'd2', 'd3'].map((id) => human(id, { kind: 'service' }))
  const people = [...four, ...services]
  const by = (...all: readonly (readonly [number, Id])[]): Readonly<Record<Id, PolicyDocument>> =>
    extra({ ...rule, rollback: { plan: 'inverse', by: lines(...all) } })
  const groups = [
    abcd,
    group('detectors', 'd1', 'd2', 'd3'),
    group('mixed', 'alice', 'd1'),
    group('bots', 'agent'),
  ]
  const say = (policies: Readonly<Record<Id, PolicyDocument>>): string =>
    judge({ people, groups, policies })
  t.equal(say(by([2, 'detectors'], [1, 'operators'])), 'ok')
  t.match(say(by([1, 'detectors'], [1, 'operators'])), /services count at least 2/)
  t.match(say(by([2, 'detectors'])), /no line of humans/)
  t.match(say(by([1, 'mixed'])), /either humans or services/)
  t.match(say(by([1, 'bots'], [1, 'operators'])), /either humans or services/)
  t.end()
})

await t.test('agents and services fill no seat, a sponsor is missed like an author', (t) => {
  const people = [human('ana'), human('ben'), human('cat'), human('dan'), agent('bot', 'dan')]
  const groups = [
    group('operators', 'ana', 'ben', 'cat', 'dan'),
    group('pair', 'cat', 'dan'),
    group('team', 'ana', 'ben', 'bot'),
    group('proposers', 'ana'),
  ]
  const open = (name: Id, agents: 'never' | 'sponsored'): Rule => ({
    ...rule,
    propose: { groups: ['proposers'], agents },
    need: lines([2, name]),
  })
  const say = (one: Rule): string => judge({ people, groups, policies: extra(one) })
  t.match(say(open('team', 'never')), /seat of team/)
  t.equal(say(open('pair', 'never')), 'ok')
  t.match(say(open('pair', 'sponsored')), /when dan/)
  t.end()
})

await t.test('distinct: global is tested with the rules that it may meet', (t) => {
  const people = ['a', 'b', 'c', 'd'].map((id) => human(id))
  const groups = [group('operators', 'a', 'b', 'c', 'd')]
  const wide: Rule = { id: 'wide', paths: ['/x/**'], need: lines([2, 'operators']) }
  const narrow = (path: string): Rule => ({
    id: 'narrow',
    paths: [path],
    need: lines([2, 'operators']),
    distinct: 'global',
  })
  const say = (one: Rule): string => judge({ people, groups, policies: extra(wide, one) })
  t.match(say(narrow('/x/y')), /POLICY_UNSATISFIABLE/)
  t.equal(say(narrow('/y/x')), 'ok')
  t.equal(say({ ...narrow('/x/y'), distinct: 'rule' }), 'ok')
  t.end()
})

await t.test('/sys/ stays open, and to somebody', (t) => {
  const { prod } = examplePolicies
  const governance = examplePolicies.governance.rules[0] as Rule
  const sys = (...rules: readonly Rule[]): Company => ({
    people: four,
    groups: [abcd, group('ops', 'alice', 'bob'), group('none')],
    policies: { prod, governance: policy(...rules) },
  })
  const opens = (id: Id, paths: readonly string[], name: Id = 'operators'): Rule => ({
    ...governance,
    id,
    paths,
    propose: { groups: [name] },
  })
  t.match(judge({ policies: { prod } }), /nobody|no rule would let anybody propose on \/sys/)
  t.match(judge(sys(opens('g', ['/sys/policies/**']))), /propose on \/sys\/people\/\*/)
  const families = ['policies', 'people', 'keys', 'groups', 'freezes', 'cluster']
  t.equal(
    judge(
      sys(
        opens(
          'g',
          families.map((name) => `/sys/${name}/*`),
        ),
      ),
    ),
    'ok',
  )
  t.equal(judge(sys(opens('g', ['/**']))), 'ok')
  t.match(judge(sys(opens('g', ['/sys/**'], 'none'))), /no active human could propose/)
  const closed = opens('h', ['/sys/policies/governance'], 'none')
  t.match(judge(sys(governance, closed)), /propose on \/sys\/policies\/governance/)
  t.match(judge(sys({ ...governance, kind: 'rollback' })), /no rule would let anybody/)
  t.end()
})

await t.test('limits of rules and seats', (t) => {
  const need = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ count: 16, group: name }))
  const people = Array.from({ length: 90 }, (_, i) => human(`p${i}`))
  const all = people.map((one) => one.id)
  const groups = ['a', 'b', 'c', 'd', 'e', 'operators'].map((name) => group(name, ...all))
  const say = (one: Rule): string => judge({ people, groups, policies: extra(one) })
  t.match(say({ ...rule, need }), /^TOO_LARGE .*80 seats/)
  t.equal(say({ ...rule, need: need.slice(0, 4) }), 'ok')
  const full = policy(...Array.from({ length: 64 }, (_, i) => ({ ...rule, id: `r${i}` })))
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`p${i}`, full]))
  t.match(judge({ policies: { ...examplePolicies, ...many } }), /^TOO_LARGE .*1000 rules/)
  t.end()
})

const persons = ['a', 'b', 'c', 'd', 'e']
const names = ['g', 'h', 'i']

await t.test('property: what is accepted can pass with any one possible author taken out', (t) => {
  const line = fc.record({
    count: fc.integer({ min: 1, max: 2 }),
    group: fc.constantFrom(...names),
  })
  const need = fc.uniqueArray(line, { selector: (one) => one.group, minLength: 1, maxLength: 3 })
  const members = fc.subarray(persons, { minLength: 2 })
  let [accepted, refused] = [0, 0]
  fc.assert(
    fc.property(need, members, members, members, fc.constantFrom(...names), (need, g, h, i, by) => {
      const one: Rule = { ...rule, propose: { groups: [by] }, need }
      const company: Company = {
        people: persons.map((id) => human(id)),
        groups: [
          group('operators', ...persons),
          group('g', ...g),
          group('h', ...h),
          group('i', ...i),
        ],
        policies: extra(one),
      }
      const state: Governed = governed(company)
      const seats = need.reduce((sum, { count }) => sum + count, 0)
      const holds = (person: Id, name: Id): boolean =>
        state.group(name)?.members.includes(person) ?? false
      const canPass = ['', ...(state.group(by)?.members ?? [])].every((author) =>
        matchRules(
          [{ policy: 'extra', rule: one }],
          'low',
          persons.filter((person) => person !== author),
          holds,
        ).every((seat) => seat.filledBy !== undefined),
      )
      const fault = judgeAfterState(state, floor, 'policy', 1)
      t.equal(fault === null, canPass && seats >= floor.config, JSON.stringify(fault))
      if (fault === null) accepted++
      else refused++
    }),
    { numRuns: 300 },
  )
  t.ok(accepted > 30 && refused > 30, 'the property was not idle')
  t.end()
})
