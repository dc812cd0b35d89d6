import t from 'tap'
import {
  isWeakening,
  type Genesis,
  type GovernedDocument,
  type Id,
  type Person,
  type Rule,
} from '../../src/approval/index.js'
import { tightensPolicy } from '../../src/approval/rules/weakening.js'
import { agent, governed, group, human, keyOf, policy } from './example.js'

const defaults: Genesis['defaults'] = { open: '72h', use: '8h' }
const base: Rule = { id: 'r', paths: ['/prod/**'] }
const emergency: Rule = {
  ...base,
  kind: 'emergency',
  propose: { groups: ['oncall'] },
  need: [{ count: 1, group: 'oncall' }],
  ttl: '2h',
  ratify: { need: [{ count: 2, group: 'ops' }], within: '24h', else: 'inverse' },
}
const lines = (...all: readonly (readonly [number, Id])[]): { count: number; group: Id }[] =>
  all.map(([count, name]) => ({ count, group: name }))
const ratify = emergency.ratify as NonNullable<Rule['ratify']>
const office = { days: ['mon', 'tue'], from: '8h', to: '16h' } as const
const always = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  from: '0h',
  to: '24h',
} as const
const inverse = { plan: 'inverse', by: lines([1, 'ops']) } as const

/** From the loose to the tight form of one field: this way tightens, the other way weakens. */
const oneWay: Record<string, readonly [Rule, Rule]> = {
  'need: a larger count': [
    { ...base, need: lines([1, 'a']) },
    { ...base, need: lines([2, 'a']) },
  ],
  'need: another line': [
    { ...base, need: lines([1, 'a']) },
    { ...base, need: lines([1, 'a'], [1, 'b']) },
  ],
  'need: the first line': [base, { ...base, need: lines([1, 'a']) }],
  'risk medium: a larger count': [
    { ...base, risk: { medium: { need: lines([1, 'a']) } } },
    { ...base, risk: { medium: { need: lines([2, 'a']) } } },
  ],
  'risk high: it appears': [base, { ...base, risk: { high: { need: lines([1, 'a']) } } }],
  'ratify.need: a larger count': [
    emergency,
    { ...emergency, ratify: { ...ratify, need: lines([3, 'ops']) } },
  ],
  'veto: a smaller count': [
    { ...base, veto: lines([2, 'a']) },
    { ...base, veto: lines([1, 'a']) },
  ],
  'veto: it appears': [base, { ...base, veto: lines([1, 'a']) }],
  'distinct: global': [base, { ...base, distinct: 'global' }],
  'propose: a smaller set': [
    { ...base, propose: { groups: ['a', 'b'] } },
    { ...base, propose: { groups: ['b'] } },
  ],
  'propose: agents never': [
    { ...base, propose: { groups: ['a'], agents: 'sponsored' } },
    { ...base, propose: { groups: ['a'] } },
  ],
  'open: shorter than the default': [base, { ...base, open: '71h' }],
  'open: from longer than the default': [{ ...base, open: '73h' }, base],
  'use: shorter': [
    { ...base, use: '8h' },
    { ...base, use: '7h59m' },
  ],
  'ttl: shorter': [emergency, { ...emergency, ttl: '1h' }],
  'ratify.within: shorter': [emergency, { ...emergency, ratify: { ...ratify, within: '1h' } }],
  'weakeningDelay: it appears': [base, { ...base, weakeningDelay: '1s' }],
  'weakeningDelay: longer': [
    { ...base, weakeningDelay: '1h' },
    { ...base, weakeningDelay: '2h' },
  ],
  'bake.for: longer': [
    { ...base, bake: { for: '1m' } },
    { ...base, bake: { for: '2m' } },
  ],
  'bake.watch: a superset': [
    { ...base, bake: { for: '1m', watch: ['a'] } },
    { ...base, bake: { for: '1m', watch: ['a', 'b'] } },
  ],
  'windows: they appear': [base, { ...base, windows: [office] }],
  'windows: fewer days': [
    { ...base, windows: [office] },
    { ...base, windows: [{ ...office, days: ['tue'] }] },
  ],
  'windows: a shorter day': [
    { ...base, windows: [office] },
    { ...base, windows: [{ ...office, from: '9h' }] },
  ],
  'windows: one fewer': [
    { ...base, windows: [office, { ...office, days: ['fri'] }] },
    { ...base, windows: [office] },
  ],
  'paths: one more, where nothing is opened': [base, { ...base, paths: ['/prod/**', '/x'] }],
}

/** Neither direction is provably tightening. */
const bothWeaken: Record<string, readonly [Rule, Rule]> = {
  'kind changes': [base, { ...base, kind: 'rollback' }],
  'propose appears': [base, { ...base, propose: { groups: ['a'] } }],
  'propose: another group': [
    { ...base, propose: { groups: ['a'] } },
    { ...base, propose: { groups: ['b'] } },
  ],
  'paths of a rule that opens': [
    { ...base, propose: { groups: ['a'] } },
    { ...base, propose: { groups: ['a'] }, paths: ['/prod/**', '/x'] },
  ],
  'paths of an emergency rule': [emergency, { ...emergency, paths: ['/prod/**', '/x'] }],
  'another path': [base, { ...base, paths: ['/x'] }],
  'rollback appears': [base, { ...base, rollback: inverse }],
  'rollback changes': [
    { ...base, rollback: inverse },
    { ...base, rollback: { ...inverse, by: lines([2, 'ops']) } },
  ],
  'rollback none': [base, { ...base, rollback: { plan: 'none' } }],
  'need: one group for another': [
    { ...base, need: lines([1, 'a']) },
    { ...base, need: lines([1, 'b']) },
  ],
  'windows: moved': [
    { ...base, windows: [office] },
    { ...base, windows: [{ ...office, from: '9h', to: '17h' }] },
  ],
}

const same: Record<string, readonly [Rule, Rule]> = {
  nothing: [base, base],
  'the note': [base, { ...base, note: 'why' }],
  'kind by its default': [base, { ...base, kind: 'ordinary' }],
  'open by its default': [base, { ...base, open: '3d' }],
  'distinct by its default': [base, { ...base, distinct: 'rule' }],
  'delay by its default': [base, { ...base, weakeningDelay: '0h' }],
  'windows by their default': [base, { ...base, windows: [always] }],
  'agents by its default': [
    { ...base, propose: { groups: ['a'] } },
    { ...base, propose: { groups: ['a'], agents: 'never' } },
  ],
  'the order of lines': [
    { ...base, need: lines([1, 'a'], [1, 'b']) },
    { ...base, need: lines([1, 'b'], [1, 'a']) },
  ],
}

const tightens = (before: readonly Rule[], after: readonly Rule[]): boolean =>
  tightensPolicy(policy(...before), policy(...after), defaults)

await t.test('every row of the table, in both directions', (t) => {
  for (const [name, [loose, tight]] of Object.entries(oneWay)) {
    t.ok(tightens([loose], [tight]), `tightens: ${name}`)
    t.notOk(tightens([tight], [loose]), `weakens: ${name}`)
  }
  for (const [name, [one, other]] of Object.entries(bothWeaken)) {
    t.notOk(tightens([one], [other]), `weakens: ${name}`)
    t.notOk(tightens([other], [one]), `weakens the other way: ${name}`)
  }
  for (const [name, [one, other]] of Object.entries(same)) {
    t.ok(tightens([one], [other]), `nothing lost: ${name}`)
    t.ok(tightens([other], [one]), `nothing lost the other way: ${name}`)
  }
  t.end()
})

await t.test('a tightening of one field does not hide the loosening of another', (t) => {
  const before = { ...base, need: lines([1, 'a']), open: '10h' }
  t.notOk(tightens([before], [{ ...before, need: lines([3, 'a']), open: '11h' }]))
  t.end()
})

await t.test('rules come and go', (t) => {
  const other = { ...base, id: 'other' }
  t.ok(tightens([base], [base, other]))
  t.ok(tightens([base], [base, { ...other, rollback: { plan: 'none' } }]))
  t.notOk(tightens([base, other], [base]), 'one gone')
  t.notOk(tightens([base], [other]), 'renamed')
  t.notOk(tightens([base], [base, { ...other, propose: { groups: ['a'] } }]), 'opens paths')
  t.notOk(tightens([base], [base, { ...other, kind: 'rollback' }]), 'another way back')
  t.notOk(tightens([base], [base, { ...emergency, id: 'e' }]), 'break-glass')
  t.notOk(tightens([base], [base, { ...other, rollback: inverse }]), 'a grant')
  t.ok(tightens([base, other], [other, base]), 'order')
  t.end()
})

const people: readonly Person[] = [
  human('ana'),
  human('ben', { status: 'suspended' }),
  agent('bot', 'ana', { scope: ['/prod/a/**', '/x/*'], quota: { open: 5, perDay: 10 } }),
]
const state = governed({
  people,
  keys: [keyOf('ana', ['approve', 'propose']), keyOf('bot', ['propose'])],
  groups: [group('leads', 'ana', 'ben'), group('ops', 'ana', 'ben')],
  policies: { p: policy({ ...base, veto: lines([1, 'leads']) }) },
})
const weakens = (document: GovernedDocument): boolean => isWeakening(state, [document], defaults)

await t.test('groups', (t) => {
  const rows: readonly (readonly [Id, readonly Id[] | 'deleted', boolean])[] = [
    ['ops', ['ana', 'ben'], false],
    ['ops', ['ana'], false],
    ['ops', [], false],
    ['ops', 'deleted', false],
    ['ops', ['ana', 'ben', 'cat'], true],
    ['ops', ['cat'], true],
    ['leads', ['ana', 'ben'], false],
    ['leads', ['ana'], true],
    ['leads', 'deleted', true],
    ['leads', ['ana', 'ben', 'cat'], true],
    ['new', ['ana'], true],
    ['new', [], false],
  ]
  for (const [name, members, expected] of rows) {
    const after = members === 'deleted' ? members : group(name, ...members)
    t.equal(weakens({ kind: 'group', name, group: after }), expected, `${name} ${String(members)}`)
  }
  t.end()
})

await t.test('people and keys', (t) => {
  const bot = people[2] as Person
  const person = (after: Person): boolean => weakens({ kind: 'person', person: after })
  t.notOk(person(human('ana', { displayName: 'Ana' })))
  t.notOk(person(human('ana', { status: 'suspended' })), 'suspending is never delayed')
  t.notOk(person(human('ben', { status: 'removed' })))
  t.ok(person(human('ben')), 'somebody comes back')
  t.ok(person(human('zoe')), 'somebody new')
  t.notOk(person({ ...bot, scope: ['/prod/a/b'] }), 'a smaller scope')
  t.ok(person({ ...bot, scope: ['/prod/**'] }), 'a wider scope')
  t.notOk(person({ ...bot, quota: { open: 5, perDay: 9 } }))
  t.ok(person({ ...bot, quota: { open: 6, perDay: 1 } }))
  const { quota: _quota, ...unbound } = bot
  t.ok(person(unbound), 'no quota any more')
  const { scope: _scope, ...nowhere } = bot
  t.notOk(person(nowhere), 'no scope any more')
  t.ok(person({ ...bot, sponsor: 'ben' }), 'another sponsor')

  const ana = keyOf('ana', ['approve', 'propose'])
  t.notOk(weakens({ kind: 'key', key: { ...ana, status: 'revoked' } }))
  t.notOk(weakens({ kind: 'key', key: { ...ana, uses: ['propose'] } }))
  t.ok(weakens({ kind: 'key', key: { ...keyOf('bot', ['approve', 'propose']) } }))
  t.ok(weakens({ kind: 'key', key: keyOf('ana', ['approve'], 'ana 2') }))
  t.end()
})

await t.test('one loosening document among many is enough; freezes loosen nothing', (t) => {
  const freeze: GovernedDocument = { kind: 'freeze', id: 'f', freeze: 'deleted' }
  const level: GovernedDocument = { kind: 'featureLevel', level: 2 }
  const more: GovernedDocument = { kind: 'group', name: 'ops', group: group('ops', 'zoe') }
  t.notOk(isWeakening(state, [freeze, level], defaults))
  t.ok(isWeakening(state, [freeze, level, more], defaults))
  t.notOk(isWeakening(state, [], defaults))
  const gone: GovernedDocument = { kind: 'policy', name: 'p', policy: 'deleted' }
  t.ok(isWeakening(state, [gone], defaults))
  t.notOk(isWeakening(state, [{ kind: 'policy', name: 'q', policy: policy(base) }], defaults))
  t.end()
})
