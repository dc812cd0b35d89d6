import t from 'tap'
import {
  authorSetOf,
  effectiveRules,
  judgeAuthor,
  rulesDigest,
  type ChangeKind,
  type Id,
  type Person,
  type PolicyDocument,
  type Rule,
} from '../../src/approval/index.js'
import { encodeCanonical, pae, sha256Hex } from '../../src/signing/index.js'
import { agent, governed, group, human, policy } from './example.js'

const policies = (all: Readonly<Record<Id, PolicyDocument>>) => governed({ policies: all })
const rule = (id: Id, ...paths: readonly string[]): Rule => ({ id, paths })

await t.test('every rule of the kind with a glob on any touched path, in order', (t) => {
  const state = policies({
    b: policy(rule('z', '/prod/**'), rule('a', '/prod/payments/*')),
    a: policy(rule('m', '/stage/**', '/prod/payments/x'), rule('n', '/other/**')),
    e: policy({ ...rule('e', '/prod/**'), kind: 'emergency' }),
    r: policy({ ...rule('r', '/prod/payments/**'), kind: 'rollback' }),
  })
  const names = (kind: ChangeKind, ...paths: readonly string[]): readonly string[] =>
    effectiveRules(state, { kind, paths }).map(({ policy, rule }) => `${policy}/${rule.id}`)
  t.same(names('config', '/prod/payments/x'), ['a/m', 'b/a', 'b/z'])
  t.same(names('config', '/prod/y', '/other/z'), ['a/n', 'b/z'])
  t.same(names('config', '/nowhere'), [])
  t.same(names('emergency', '/prod/payments/x'), ['e/e'])
  t.same(names('rollback', '/prod/payments/x'), ['r/r'])
  t.same(names('rollback', '/prod/y'), ['b/z'], 'no rollback rule: the ordinary ones')
  t.end()
})

await t.test('rulesDigest: PAE of the canonical array, without notes', (t) => {
  const digestOf = (...rules: readonly Rule[]): string =>
    rulesDigest(
      effectiveRules(policies({ p: policy(...rules) }), { kind: 'config', paths: ['/a'] }),
    )
  const one = { ...rule('one', '/a'), need: [{ count: 2, group: 'g' }] }
  const body = encodeCanonical([
    { policy: 'p', rule: { id: 'one', need: [{ count: 2, group: 'g' }], paths: ['/a'] } },
  ])
  t.equal(digestOf(one), sha256Hex(pae('application/vnd.countersign.rules.v1+json', body)))
  t.equal(digestOf({ ...one, note: 'for people' }), digestOf(one))
  t.not(digestOf({ ...one, open: '1h' }), digestOf(one))
  t.equal(digestOf(one, rule('two', '/b')), digestOf(one), 'a rule elsewhere voids nothing')
  t.not(digestOf(one, rule('two', '/*')), digestOf(one))
  t.equal(
    rulesDigest([]),
    sha256Hex(pae('application/vnd.countersign.rules.v1+json', encodeCanonical([]))),
  )
  t.end()
})

const open = (groups: readonly Id[], more: Partial<Rule> = {}): Rule => ({
  ...rule('open', '/prod/**'),
  propose: { groups },
  ...more,
})

await t.test('default deny, and every opening rule must admit the author', (t) => {
  const people = [
    human('ana'),
    human('ben'),
    human('gone', { status: 'suspended' }),
    agent('bot', 'ana', { scope: ['/prod/a/**'] }),
    agent('lost', 'ana'),
    human('svc', { kind: 'service' }),
  ]
  const groups = [group('devs', 'ana', 'bot', 'gone', 'svc'), group('leads', 'ben')]
  const say = (
    rules: readonly Rule[],
    author: Id,
    { paths = ['/prod/a/x'], sponsor }: { paths?: readonly string[]; sponsor?: Id } = {},
  ): string => {
    const state = governed({ people, groups, policies: { p: policy(...rules) } })
    const fault = judgeAuthor({
      rules: effectiveRules(state, { kind: 'config', paths }),
      paths,
      author: state.person(author) as Person,
      ...(sponsor === undefined ? {} : { sponsor }),
      governed: state,
    })
    if (fault !== null) t.equal(fault.code, 'AUTHOR_NOT_ALLOWED')
    return fault === null ? 'ok' : fault.message
  }
  const sponsored = open(['devs'], { propose: { groups: ['devs'], agents: 'sponsored' } })
  t.equal(say([open(['devs'])], 'ana'), 'ok')
  t.equal(say([open(['leads', 'devs'])], 'ana'), 'ok', 'any group of the list')
  t.match(say([open(['devs'])], 'ben'), /ben is in none of devs/)
  t.match(say([rule('adds', '/prod/**')], 'ana'), /no rule lets anybody propose on \/prod\/a\/x/)
  t.match(
    say([open(['devs'])], 'ana', { paths: ['/prod/a/x', '/stage/y'] }),
    /propose on \/stage\/y/,
  )
  t.match(say([open(['devs']), { ...open(['leads']), id: 'second' }], 'ana'), /p\/second/)
  t.equal(say([open(['devs']), { ...open(['leads']), id: 'second', paths: ['/x'] }], 'ana'), 'ok')
  t.match(say([sponsored], 'svc'), /services do not propose/)
  t.match(say([open(['devs'])], 'bot', { sponsor: 'ana' }), /admits no agents/)
  t.equal(say([sponsored], 'bot', { sponsor: 'ana' }), 'ok')
  t.match(say([sponsored], 'bot'), /names its sponsor/)
  t.match(say([sponsored], 'bot', { sponsor: 'ben' }), /sponsor ben is in none of devs/)
  t.match(say([sponsored], 'bot', { sponsor: 'gone' }), /no active human/)
  t.match(say([sponsored], 'bot', { sponsor: 'bot' }), /no active human/)
  t.match(say([sponsored], 'bot', { sponsor: 'ana', paths: ['/prod/b'] }), /scope of bot/)
  t.match(say([sponsored], 'lost', { sponsor: 'ana' }), /scope of lost/)
  t.end()
})

await t.test('author, named sponsor and registered sponsor fill no seat', (t) => {
  t.same([...authorSetOf(human('ana'), undefined)], ['ana'])
  t.same([...authorSetOf(agent('bot', 'ana'), 'ben')].sort(), ['ana', 'ben', 'bot'])
  t.end()
})
