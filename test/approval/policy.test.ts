import t from 'tap'
import { decodePolicy, policySchema, schemaFaults, type Rule } from '../../src/approval/index.js'
import { parseYaml } from '../../src/cli/yaml-document.js'
import type { Json } from '../../src/signing/index.js'
import { readRepositoryFile } from '../house/repository.js'

const fixture = (name: string): string => readRepositoryFile(`test/fixtures/policies/${name}.yaml`)

const rule: Rule = { id: 'r', paths: ['/prod/**'] }
const emergency: Rule = {
  ...rule,
  kind: 'emergency',
  propose: { groups: ['oncall'] },
  need: [{ count: 1, group: 'oncall' }],
  ttl: '2h',
  ratify: { need: [{ count: 3, group: 'ops' }], within: '24h', else: 'inverse' },
}
const lines = [{ count: 1, group: 'a' }]
const document = (...rules: readonly unknown[]): Json => ({ format: 1, rules: rules as Json[] })

function decoderSays(value: Json): string {
  const decoded = decodePolicy(value)
  return decoded.kind === 'ok' ? 'ok' : decoded.refusal.message
}

await t.test('the documents of the manual pass schema and decoder', async (t) => {
  for (const name of ['prod', 'governance', 'break-glass']) {
    const parsed = parseYaml(fixture(name))
    if (parsed.kind === 'error') throw new Error(parsed.message)
    t.same(schemaFaults(parsed.value), [], name)
    t.equal(decoderSays(parsed.value), 'ok', name)
  }
})

await t.test('traps of YAML end as a refusal, or as what is written', async (t) => {
  const text = fixture('governance')
  const refused: Record<string, string> = {
    'a duplicate key': text.replace('open: 7d', 'open: 7d\n    open: 8d'),
    'two documents': `${text}---\n${text}`,
    'an alias': text.replace('open: 7d', 'open: &x 7d').replace('use: 24h', 'use: *x'),
    'an unknown tag': text.replace('open: 7d', 'open: !duration 7d'),
    'a tab for indentation': text.replace('    open', '\topen'),
  }
  for (const [name, yaml] of Object.entries(refused)) {
    t.equal(parseYaml(yaml).kind, 'error', name)
  }
  const decoded: Record<string, readonly [string, RegExp]> = {
    'a number as a duration': [text.replace('open: 7d', 'open: 72'), /open must be a duration/],
    'an octal number': [text.replace('count: 3', 'count: 012'), /^ok$/],
    'a time of day': [text.replace('open: 7d', 'open: 08:00'), /open must be a duration/],
    'a boolean of YAML 1.1': [text.replace('open: 7d', 'distinct: on'), /distinct must be one of/],
    'a merge key': [text.replace('open: 7d', '<<: {open: 7d}'), /<< is not a known field/],
    'an unknown field': [text.replace('open: 7d', 'opens: 7d'), /rules.0..opens is not a known/],
  }
  for (const [name, [yaml, expected]] of Object.entries(decoded)) {
    const parsed = parseYaml(yaml)
    if (parsed.kind === 'error') throw new Error(`${name}: ${parsed.message}`)
    t.match(decoderSays(parsed.value), expected, name)
  }
})

const many = (n: number, make: (i: number) => unknown): unknown[] =>
  Array.from({ length: n }, (_, i) => make(i))

/** Good and bad documents on which schema and decoder must say the same. */
const corpus: Record<string, readonly [Json, 'good' | 'bad']> = {
  smallest: [document(rule), 'good'],
  everything: [
    document({
      ...rule,
      note: 'ä'.repeat(1000),
      kind: 'rollback',
      propose: { groups: ['a'], agents: 'sponsored' },
      need: lines,
      veto: lines,
      distinct: 'global',
      risk: { medium: { need: lines }, high: { need: lines } },
      windows: [{ days: ['mon'], from: '0h', to: '24h' }],
      open: '1h',
      use: '0s',
      weakeningDelay: '1d',
      bake: { for: '1m', watch: ['x'] },
      rollback: { plan: 'inverse', by: lines, freeze: '30m' },
    }),
    'good',
  ],
  emergency: [document(emergency), 'good'],
  'rollback none': [document({ ...rule, rollback: { plan: 'none' } }), 'good'],
  '64 rules': [document(...many(64, (i) => ({ ...rule, id: `r${i}` }))), 'good'],
  '1000 emoji in a note': [document({ ...rule, note: '😀'.repeat(1000) }), 'good'],
  'no object': ['x', 'bad'],
  'an array': [[], 'bad'],
  null: [null, 'bad'],
  'no format': [{ rules: [{ id: 'r', paths: ['/a'] }] }, 'bad'],
  'format 2': [{ format: 2, rules: [{ id: 'r', paths: ['/a'] }] }, 'bad'],
  'format as text': [{ format: '1', rules: [{ id: 'r', paths: ['/a'] }] }, 'bad'],
  'no rules': [document(), 'bad'],
  '65 rules': [document(...many(65, (i) => ({ ...rule, id: `r${i}` }))), 'bad'],
  'an unknown field at the top': [{ format: 1, rules: [{ id: 'r', paths: ['/a'] }], x: 1 }, 'bad'],
  'no id': [document({ paths: ['/a'] }), 'bad'],
  'a bad id': [document({ ...rule, id: 'A' }), 'bad'],
  'an id that begins with -': [document({ ...rule, id: '-a' }), 'bad'],
  'an id of 64': [document({ ...rule, id: 'a'.repeat(64) }), 'bad'],
  'no paths': [document({ id: 'r', paths: [] }), 'bad'],
  '33 paths': [document({ ...rule, paths: many(33, (i) => `/p${i}`) }), 'bad'],
  'a path twice': [document({ ...rule, paths: ['/a', '/a'] }), 'bad'],
  'a path without slash': [document({ ...rule, paths: ['prod'] }), 'bad'],
  'a note of 1001': [document({ ...rule, note: 'x'.repeat(1001) }), 'bad'],
  'an unknown kind': [document({ ...rule, kind: 'normal' }), 'bad'],
  'an unknown field': [document({ ...rule, needs: lines }), 'bad'],
  'a null field': [document({ ...rule, need: null }), 'bad'],
  'no lines': [document({ ...rule, need: [] }), 'bad'],
  '9 lines': [document({ ...rule, need: many(9, (i) => ({ count: 1, group: `g${i}` })) }), 'bad'],
  'count 0': [document({ ...rule, need: [{ count: 0, group: 'a' }] }), 'bad'],
  'count 17': [document({ ...rule, need: [{ count: 17, group: 'a' }] }), 'bad'],
  'count 1.5': [document({ ...rule, need: [{ count: 1.5, group: 'a' }] }), 'bad'],
  'a line with more': [document({ ...rule, need: [{ count: 1, group: 'a', x: 1 }] }), 'bad'],
  'propose without groups': [document({ ...rule, propose: {} }), 'bad'],
  'propose with no group': [document({ ...rule, propose: { groups: [] } }), 'bad'],
  'agents: always': [document({ ...rule, propose: { groups: ['a'], agents: 'always' } }), 'bad'],
  'an empty risk': [document({ ...rule, risk: {} }), 'bad'],
  'risk low': [document({ ...rule, risk: { low: { need: lines } } }), 'bad'],
  'no windows': [document({ ...rule, windows: [] }), 'bad'],
  '16 windows': [
    document({ ...rule, windows: many(16, () => ({ days: ['mon'], from: '1h', to: '2h' })) }),
    'good',
  ],
  '17 windows': [
    document({ ...rule, windows: many(17, () => ({ days: ['mon'], from: '1h', to: '2h' })) }),
    'bad',
  ],
  'a window without days': [
    document({ ...rule, windows: [{ days: [], from: '1h', to: '2h' }] }),
    'bad',
  ],
  'a day twice': [
    document({ ...rule, windows: [{ days: ['mon', 'mon'], from: '1h', to: '2h' }] }),
    'bad',
  ],
  'an unknown day': [
    document({ ...rule, windows: [{ days: ['Mo'], from: '1h', to: '2h' }] }),
    'bad',
  ],
  'a bad duration': [document({ ...rule, open: '1w' }), 'bad'],
  'an empty duration': [document({ ...rule, open: '' }), 'bad'],
  'bake without for': [document({ ...rule, bake: { watch: ['x'] } }), 'bad'],
  'rollback without by': [document({ ...rule, rollback: { plan: 'inverse' } }), 'bad'],
  'rollback none with by': [document({ ...rule, rollback: { plan: 'none', by: lines } }), 'bad'],
  'another rollback': [document({ ...rule, rollback: { plan: 'ops' } }), 'bad'],
  'ttl outside emergency': [document({ ...rule, ttl: '1h' }), 'bad'],
  'ratify outside emergency': [document({ ...rule, ratify: emergency.ratify }), 'bad'],
  'another else': [
    document({ ...emergency, ratify: { ...emergency.ratify, else: 'none' } }),
    'bad',
  ],
  'an emergency for agents': [
    document({ ...emergency, propose: { groups: ['a'], agents: 'sponsored' } }),
    'bad',
  ],
  ...Object.fromEntries(
    (['propose', 'need', 'ttl', 'ratify'] as const).map((name) => {
      const { [name]: _gone, ...rest } = emergency
      return [`an emergency without ${name}`, [document(rest), 'bad']]
    }),
  ),
  ...Object.fromEntries(
    ['open', 'use', 'weakeningDelay'].map((name) => [
      `an emergency with ${name}`,
      [document({ ...emergency, [name]: '1h' }), 'bad'],
    ]),
  ),
}

await t.test('schema and decoder agree on a corpus', (t) => {
  for (const [name, [value, verdict]] of Object.entries(corpus)) {
    t.equal(decoderSays(value) === 'ok', verdict === 'good', `decoder: ${name}`)
    t.equal(schemaFaults(value).length === 0, verdict === 'good', `schema: ${name}`)
  }
  t.end()
})

await t.test('what a schema cannot say, the decoder names', (t) => {
  const window = (from: string, to: string): Json =>
    document({ ...rule, windows: [{ days: ['mon'], from, to }] })
  const rows: Record<string, readonly [Json, RegExp]> = {
    'two stars': [document({ ...rule, paths: ['/a*b*'] }), /rules\[0\]\.paths\[0\] must be a glob/],
    'three deep': [document({ ...rule, paths: ['/**/a/**/b/**'] }), /paths\[0\] must be a glob/],
    'dot dot': [document({ ...rule, paths: ['/..'] }), /must be a glob/],
    'a rule id twice': [document(rule, rule), /rules names r twice/],
    'a group twice': [
      document({ ...rule, need: [...lines, { count: 2, group: 'a' }] }),
      /rules\[0\]\.need names a twice/,
    ],
    'a window backwards': [window('16h', '8h'), /from before to/],
    'an empty window': [window('8h', '8h'), /from before to/],
    'a window past midnight': [window('22h', '26h'), /at most 24h/],
    'a lone surrogate': [document({ ...rule, note: '\ud800' }), /note must be text/],
  }
  for (const [name, [value, message]] of Object.entries(rows)) {
    t.match(decoderSays(value), message, name)
    t.match(decodePolicy(value), { refusal: { code: 'BODY_INVALID' } }, name)
  }
  t.end()
})

await t.test('an own __proto__ is an unknown field; an inherited one is none', (t) => {
  const text = '{"format":1,"rules":[{"id":"r","paths":["/a"],"__proto__":{"need":[]}}]}'
  t.match(decoderSays(JSON.parse(text) as Json), /__proto__ is not a known field/)
  const inherited = Object.create({ format: 1, rules: [rule] }) as Json
  t.match(decoderSays(inherited), /format is missing/)
  t.end()
})

await t.test('the schema names each fault with its place', (t) => {
  const faults = schemaFaults(document({ ...rule, opens: '1h', open: 72 }))
  t.match(faults, [/\/rules\/0: .*\(opens\)/, /\/rules\/0\/open: must be string/])
  t.equal(policySchema.title, 'Countersign policy document, format 1')
  t.end()
})
