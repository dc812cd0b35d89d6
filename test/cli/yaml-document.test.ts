import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { parseYaml } from '../../src/cli/yaml-document.js'
import '../property-seed.js'

const refused: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['a key twice', 'a: 1\na: 2', /unique/],
  ['an alias', 'a: &x 1\nb: *x', /[Aa]lias/],
  ['two documents', 'a: 1\n---\nb: 2', /document/],
  ['a tag that nobody knows', 'a: !secret x', /tag/i],
  ['binary', 'a: !!binary aGk=', /tag/],
  ['a set', 'a: !!set {x}', /tag/],
  ['a timestamp tag', 'a: !!timestamp 2020-01-01', /tag/],
  ['a merge tag', '!!merge <<: {a: 1}', /tag|string/],
  ['YAML 1.1', '%YAML 1.1\n---\na: on', /1\.2/],
  ['a number as key', '1: x', /key/],
  ['null as key', 'null: x', /key/],
  ['a list as key', '? [a]\n: b', /key/],
  ['infinity', 'a: .inf', /2\^53/],
  ['not a number', 'a: .nan', /2\^53/],
  ['a number that is rounded', 'a: 9007199254740993', /2\^53/],
  ['a number beyond doubles', 'a: 1e400', /2\^53/],
  ['a lone surrogate', 'a: "\\ud800"', /surrogate/],
  ['no end', 'a: [', /./],
  ['too deep', `a: ${'['.repeat(40)}${']'.repeat(40)}`, /deeper/],
]

await t.test('traps of YAML are refused', async (t) => {
  for (const [name, text, message] of refused) {
    const parsed = parseYaml(text)
    if (parsed.kind === 'ok') t.fail(`${name} was accepted: ${JSON.stringify(parsed.value)}`)
    else t.match(parsed.message, message, name)
  }
})

await t.test('what YAML 1.1 would turn into something else stays what was written', async (t) => {
  const text = 'switch: on\ncountry: no\ntime: 08:00\ndate: 2020-01-01\nold: 012\nhex: "0x1F"'
  t.same(parseYaml(text), {
    kind: 'ok',
    value: {
      switch: 'on',
      country: 'no',
      time: '08:00',
      date: '2020-01-01',
      old: 12,
      hex: '0x1F',
    },
  })
})

await t.test('a merge key is a plain name, for the decoder to refuse', async (t) => {
  t.same(parseYaml('<<: {a: 1}'), { kind: 'ok', value: { '<<': { a: 1 } } })
})

await t.test('a name like __proto__ is data and changes no prototype', async (t) => {
  const parsed = parseYaml('__proto__: {polluted: yes}')
  t.equal(parsed.kind, 'ok')
  if (parsed.kind !== 'ok') return
  t.ok(Object.hasOwn(parsed.value as object, '__proto__'))
  t.equal(Object.getPrototypeOf(parsed.value), Object.prototype)
})

await t.test('the line of a mistake is named', async (t) => {
  t.match(parseYaml('a: 1\nb: 2\na: 3'), { kind: 'error', line: 3 })
})

await t.test('property: any JSON document reads as itself', async (t) => {
  const isExact = (value: unknown): boolean =>
    typeof value === 'number'
      ? Math.abs(value) <= Number.MAX_SAFE_INTEGER && !Object.is(value, -0)
      : value === null || typeof value !== 'object' || Object.values(value).every(isExact)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).filter(isExact), (value) => {
      const parsed = parseYaml(JSON.stringify(value, null, 1))
      if (parsed.kind === 'error') return /surrogate/.test(parsed.message)
      return isDeepStrictEqual(parsed.value, value)
    }),
    { numRuns: 300 },
  )
  t.pass()
})
