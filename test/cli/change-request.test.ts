import t from 'tap'
import { decodeChange } from '../../src/cli/change-file.js'
import { jsonOrString } from '../../src/cli/change-options.js'
import { mergeRequests, titleOf } from '../../src/cli/change-request.js'
import { parseMoment } from '../../src/cli/parse-moment.js'
import { parseTime } from '../../src/cli/parse-time.js'
import { parseYaml } from '../../src/cli/yaml-document.js'
import type { Json } from '../../src/signing/index.js'

await t.test('a value is JSON when it is valid JSON, else a string', async (t) => {
  const cases: readonly (readonly [text: string, value: Json])[] = [
    ['2500', 2500],
    ['2.5e3', 2500],
    ['true', true],
    ['null', null],
    ['"2500"', '2500'],
    ['[1,{"a":null}]', [1, { a: null }]],
    ['on', 'on'],
    ['007', '007'],
    ['10.0.0.1', '10.0.0.1'],
    ['{not json', '{not json'],
    ['', ''],
  ]
  for (const [text, value] of cases) t.same(jsonOrString(text), value, text)
})

await t.test('a number or object that would not be kept as typed is refused', async (t) => {
  const traps = ['9007199254740993', '12345678901234567890', '1e400', '{"a":1,"a":2}', '[1e400]']
  for (const text of traps) t.throws(() => jsonOrString(text), { code: 'USAGE' }, text)
})

function decode(yaml: string): ReturnType<typeof decodeChange> {
  const parsed = parseYaml(yaml)
  if (parsed.kind === 'error') throw new Error(parsed.message)
  return decodeChange(parsed.value, 1_000_000)
}

await t.test('a change file says all that the options say', async (t) => {
  t.same(
    decode(`
title: Raise the timeout
reason: |
  Slow bank.
set:
  /prod/payments/timeout_ms: 2500
  /prod/payments/mode: "on"
delete: [/prod/old]
sealed:
  /prod/secret: {ciphertext: aGk=, keyReference: kms/1}
asserts: {/prod/read: 7}
dependsOn: ["00"]
notBefore: "+1h"
activate: manual
open: 24h
use: 2h
sponsor: alice
provenance: {model: m, promptDigest: none, tool: t}
rollback: {plan: none}
`),
    {
      ops: [
        { action: 'put', path: '/prod/payments/timeout_ms', value: 2500 },
        { action: 'put', path: '/prod/payments/mode', value: 'on' },
        {
          action: 'put',
          path: '/prod/secret',
          sealed: { ciphertext: 'aGk=', keyReference: 'kms/1' },
        },
        { action: 'delete', path: '/prod/old' },
      ],
      title: 'Raise the timeout',
      reason: 'Slow bank.\n',
      open: '24h',
      use: '2h',
      sponsor: 'alice',
      asserts: [{ path: '/prod/read', modRevision: 7 }],
      dependsOn: ['00'],
      notBefore: 4_600_000,
      activate: 'manual',
      rollback: { plan: 'none' },
      provenance: { model: 'm', promptDigest: 'none', tool: 't' },
    },
  )
})

await t.test('mistakes in a change file are named', async (t) => {
  const cases: readonly (readonly [yaml: string, message: RegExp])[] = [
    ['sets: {/a: 1}', /sets is not a known field/],
    ['set: [/a]', /set must be a mapping/],
    ['delete: /a', /delete must be a list/],
    ['title: 5', /title must be a text; put 5 in quotes/],
    ['activate: later', /auto or manual/],
    ['notBefore: 2026-11-24 08:00', /not a moment/],
    ['asserts: {/a: x}', /asserts\.\/a must be a whole number/],
    ['[]', /must be a mapping/],
  ]
  for (const [yaml, message] of cases) {
    t.throws(() => decode(yaml), { code: 'INPUT_INVALID', message }, yaml)
  }
})

await t.test('options win over the file; operations are joined', async (t) => {
  const file = decode('{title: file, reason: why, set: {/a: 1}, open: 1h}')
  t.same(
    mergeRequests(file, {
      ops: [{ action: 'delete', path: '/b' }],
      title: 'option',
      asserts: [],
      dependsOn: [],
    }),
    {
      ops: [
        { action: 'put', path: '/a', value: 1 },
        { action: 'delete', path: '/b' },
      ],
      title: 'option',
      reason: 'why',
      open: '1h',
      asserts: [],
      dependsOn: [],
    },
  )
})

await t.test('the title is the first line of the reason, within 200 bytes', async (t) => {
  t.equal(titleOf({ title: 'T', reason: 'R' }), 'T')
  t.equal(titleOf({ reason: '\n  first \nsecond' }), 'first')
  t.equal(titleOf({}), undefined)
  const long = titleOf({ reason: 'ö word '.repeat(60) }) ?? ''
  t.ok(Buffer.byteLength(long) <= 200)
  t.match(long, /word…$|ö…$/)
})

await t.test('times and moments', async (t) => {
  t.equal(parseTime('8h30m'), 30_600_000)
  t.equal(parseTime('500ms'), 500)
  for (const bad of ['', '5', '1.5h', 'h', '-1s', '1w']) {
    t.throws(() => parseTime(bad), { code: 'USAGE' }, bad)
  }
  t.equal(parseMoment('2026-11-24T08:00:00Z', 0), Date.UTC(2026, 10, 24, 8))
  t.equal(parseMoment('2026-11-24 08:00+01:00', 0), Date.UTC(2026, 10, 24, 7))
  t.equal(parseMoment('+2h', 5), 7_200_005)
  for (const bad of ['tomorrow', '2026-11-24', '2026-11-24T08:00:00', '2026-13-01T00:00:00Z']) {
    t.throws(() => parseMoment(bad, 0), { code: 'INPUT_INVALID' }, bad)
  }
})
