import fc from 'fast-check'
import t from 'tap'
import { durationMs, parseDuration } from '../../src/approval/index.js'
import { policySchema } from '../../src/approval/index.js'
import '../property-seed.js'

await t.test('good and bad durations', (t) => {
  const good: Record<string, number> = {
    '15m': 900_000,
    '72h': 259_200_000,
    '8h30m': 30_600_000,
    '0h': 0,
    '1d2h3m4s': 93_784_000,
    '99999d': 8_639_913_600_000,
    '0d0h0m0s': 0,
  }
  for (const [text, ms] of Object.entries(good)) t.equal(parseDuration(text), ms, text)
  const bad = [
    '',
    'h',
    '5',
    '05m',
    '00s',
    '1.5h',
    '-1h',
    '1h 1m',
    '1m1h',
    '1h1h',
    '1H',
    '1ms',
    '1w',
  ]
  bad.push('100000s', '١h', 'h1', '1h5', ' 1h', '1h ')
  for (const text of bad) {
    t.equal(parseDuration(text), null, JSON.stringify(text))
    t.throws(() => durationMs(text), RangeError)
  }
  t.end()
})

await t.test('property: parser and published pattern agree', (t) => {
  const pattern = new RegExp(policySchema.definitions.duration.pattern)
  const text = fc.string({
    unit: fc.constantFrom('0', '1', '2', '3', 'd', 'h', 'm', 's'),
    maxLength: 8,
  })
  let good = 0
  fc.assert(
    fc.property(text, (text) => {
      t.equal(parseDuration(text) !== null, pattern.test(text), text)
      if (pattern.test(text)) good++
    }),
    { numRuns: 2000 },
  )
  t.ok(good > 50, 'the property was not idle')
  t.end()
})
