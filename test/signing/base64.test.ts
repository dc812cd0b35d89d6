import fc from 'fast-check'
import t from 'tap'
import { fromBase64, fromHex, toBase64, toHex } from '../../src/signing/index.js'
import '../property-seed.js'

await t.test('strict base64 has one spelling', (t) => {
  t.same(fromBase64(''), new Uint8Array())
  t.same(fromBase64('YQ=='), Uint8Array.of(0x61))
  for (const bad of [
    'YQ',
    'YQ=',
    'YR==',
    'YQ==\n',
    ' YQ==',
    'Y Q=',
    '-_-_',
    'YQ===',
    'é',
    '====',
  ]) {
    t.equal(fromBase64(bad), null, JSON.stringify(bad))
  }
  t.end()
})

await t.test('hex is lower case, whole bytes, nothing else', (t) => {
  t.same(fromHex(''), new Uint8Array())
  t.same(fromHex('00ff'), Uint8Array.of(0, 255))
  for (const bad of ['0', '00F', 'FF', '0g', ' 00', '00 ', '0x00', 'ff\n']) {
    t.equal(fromHex(bad), null, JSON.stringify(bad))
  }
  t.end()
})

await t.test('property: both come back, and a view of a larger buffer is no trap', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(20), (bytes, offset) => {
      const view = bytes.subarray(Math.min(offset, bytes.length))
      t.same(fromHex(toHex(view)), Uint8Array.from(view))
      t.same(fromBase64(toBase64(view)), Uint8Array.from(view))
    }),
  )
  t.end()
})
