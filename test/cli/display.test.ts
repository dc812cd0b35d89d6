import fc from 'fast-check'
import t from 'tap'
import { escapeLine, escapeLines } from '../../src/cli/escape.js'
import { contentLines, valueLine } from '../../src/cli/present/content.js'
import { diffLines, unchangedPaths, writtenLines } from '../../src/cli/present/diff.js'
import { distanceText, timeText } from '../../src/cli/present/time.js'
import { plainStyle } from '../../src/cli/style.js'
import { cut, displayWidth, table } from '../../src/cli/table.js'
import '../property-seed.js'

await t.test('control, bidirectional and invisible characters are shown, not obeyed', async (t) => {
  t.equal(escapeLine('a\u001b[31mred'), 'a\\u{1b}[31mred')
  t.equal(
    escapeLine('admin\u202e\u2066 // check\u2069'),
    'admin\\u{202e}\\u{2066} // check\\u{2069}',
  )
  t.equal(escapeLine('zero\u200bwidth\ufeff'), 'zero\\u{200b}width\\u{feff}')
  t.equal(escapeLine('two\nlines\tand a tab\r'), 'two\\nlines\\tand a tab\\u{d}')
  t.equal(escapeLine('\u009b31m'), '\\u{9b}31m', 'the one-byte CSI too')
  t.equal(escapeLine('\u2028'), '\\u{2028}')
  t.equal(escapeLine('\ud800'), '\\u{d800}')
  t.equal(escapeLine('\u{e0041}'), '\\u{e0041}', 'tag characters')
  t.equal(escapeLine('Zürich 東京 🚀'), 'Zürich 東京 🚀')
  t.equal(escapeLines('one\ntwo\u0007'), 'one\ntwo\\u{7}')
})

await t.test('property: nothing that a terminal obeys survives in any value', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = valueLine(text)
      return !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(shown)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})

await t.test('columns line up, also with wide characters', async (t) => {
  t.same(
    table(
      ['PATH', 'N', 'VALUE'],
      [
        ['/a', '1', 'x'],
        ['/東京', '22', 'y'],
      ],
    ),
    ['PATH   N   VALUE', '/a     1   x', '/東京  22  y'],
  )
  t.same(table(['A'], []), [])
  t.equal(displayWidth('e\u0301'), 1)
  t.equal(cut('abcdef', 4), 'abc…')
  t.equal(cut('abc', 4), 'abc')
})

await t.test('a difference names what comes, goes and changes', async (t) => {
  const value = (value: unknown) => ({ kind: 'value', value }) as never
  const diff = [
    { path: '/new', modRevision: 0, after: value(1) },
    { path: '/gone', modRevision: 4, before: value('x') },
    { path: '/moved', modRevision: 7, before: value(2000), after: value(2500) },
    { path: '/same', modRevision: 8, before: value([1]), after: value([1]) },
    { path: '/never', modRevision: 0 },
  ]
  t.same(diffLines(diff, plainStyle), [
    '+ /new',
    '    + 1',
    '- /gone  (revision 4)',
    '    - "x"',
    '~ /moved  (revision 7)',
    '    - 2000',
    '    + 2500',
    '= /same  (revision 8)  unchanged',
    '- /never  (deletes it, but nothing stands here)',
  ])
  t.same(unchangedPaths(diff), ['/same'])
  t.same(writtenLines(diff.slice(0, 2), plainStyle), ['/new', '    1', '/gone (deletes it)'])
})

await t.test('a long value shows only the lines around what changes', async (t) => {
  const list = (changed: string) => ({
    kind: 'value' as const,
    value: Array.from({ length: 20 }, (_, i) => (i === 10 ? changed : `line ${String(i)}`)),
  })
  t.same(
    diffLines(
      [{ path: '/l', modRevision: 1, before: list('old'), after: list('new') }],
      plainStyle,
    ),
    [
      '~ /l  (revision 1)',
      '      ... 9 equal lines',
      '        "line 8",',
      '        "line 9",',
      '    -   "old",',
      '    +   "new",',
      '        "line 11",',
      '        "line 12",',
      '      ... 8 equal lines',
    ],
  )
})

await t.test('property: a difference holds every line of both sides', async (t) => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const shown = diffLines(
        [
          {
            path: '/p',
            modRevision: 1,
            before: { kind: 'value', value: before },
            after: { kind: 'value', value: after },
          },
        ],
        plainStyle,
      )
      const count = (mark: string) => shown.filter((line) => line.startsWith(`    ${mark} `)).length
      const have = contentLines({ kind: 'value', value: before }).length
      const want = contentLines({ kind: 'value', value: after }).length
      return have - count('-') === want - count('+')
    }),
  )
  t.pass()
})

await t.test('times', async (t) => {
  t.equal(timeText(1_795_392_000_000), '2026-11-23 00:00:00Z')
  t.equal(timeText(1e17), '100000000000000000')
  t.equal(distanceText(0, 0), 'now')
  t.equal(distanceText(12_000_000, 0), 'in 3h 20m')
  t.equal(distanceText(0, 45_000), '45s ago')
  t.equal(distanceText(0, 90_061_000), '1d 1h ago')
})
