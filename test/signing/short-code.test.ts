import fc from 'fast-check'
import t from 'tap'
import { shortCode } from '../../src/signing/index.js'
import '../property-seed.js'

await t.test('the vectors', (t) => {
  t.equal(
    shortCode('89c2acdc28e300e810ddeb101b98d1b2697a3dce5b0c93a45e88e2d336824c3d'),
    'H71A-SQ18-WC0E-G46X',
  )
  t.equal(shortCode('0'.repeat(64)), '0000-0000-0000-0000')
  t.equal(shortCode('f'.repeat(64)), 'ZZZZ-ZZZZ-ZZZZ-ZZZZ')
  t.end()
})

await t.test('a digest that is too short or no hex is a mistake of the caller', (t) => {
  for (const bad of ['', 'ab', '0'.repeat(19), 'g'.repeat(64), '00000 0000000000000000']) {
    t.throws(() => shortCode(bad), RangeError, bad)
  }
  t.end()
})

await t.test('property: the code says the first 80 bits, no more and no less', (t) => {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
      const hex = Buffer.from(digest).toString('hex')
      const code = shortCode(hex)
      t.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
      const bits = Array.from(code.replaceAll('-', '')).reduce(
        (sum, letter) => sum * 32n + BigInt(alphabet.indexOf(letter)),
        0n,
      )
      t.equal(bits.toString(16).padStart(20, '0'), hex.slice(0, 20))
    }),
  )
  t.end()
})
