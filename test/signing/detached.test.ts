import t from 'tap'
import {
  decodeDetached,
  detachedDigest,
  encodeDetached,
  messageDigest,
  payloadType,
  type Json,
} from '../../src/signing/index.js'

const salt = '000102030405060708090a0b0c0d0e0f'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

await t.test('a part is canonical JSON under its own type', (t) => {
  const part = encodeDetached('why', salt)
  t.same(part.bytes, bytes(`{"salt":"${salt}","value":"why"}`))
  t.equal(part.size, part.bytes.length)
  t.equal(part.digest, messageDigest(payloadType('detached'), part.bytes))
  t.equal(part.digest, detachedDigest(part.bytes))
  t.same(decodeDetached(part.bytes), { kind: 'ok', salt, value: 'why' })
  t.same(decodeDetached(encodeDetached(null, salt).bytes), { kind: 'ok', salt, value: null })
  t.end()
})

await t.test('the salt changes the digest', (t) => {
  t.not(encodeDetached('x', salt).digest, encodeDetached('x', 'f'.repeat(32)).digest)
  t.throws(() => encodeDetached('x', 'F'.repeat(32)), RangeError)
  t.throws(() => encodeDetached('x', '00'), RangeError)
  t.end()
})

await t.test('anything but {salt, value} is refused', (t) => {
  const bad: Record<string, readonly [string, string]> = {
    'no object': ['[]', 'BODY_INVALID'],
    'no value': [`{"salt":"${salt}"}`, 'BODY_INVALID'],
    'no salt': ['{"value":1}', 'BODY_INVALID'],
    'a field too many': [`{"salt":"${salt}","value":1,"x":1}`, 'BODY_INVALID'],
    'a short salt': ['{"salt":"00","value":1}', 'BODY_INVALID'],
    'an upper-case salt': [`{"salt":"${'A'.repeat(32)}","value":1}`, 'BODY_INVALID'],
    'not canonical': [`{"value":1,"salt":"${salt}"}`, 'NON_CANONICAL'],
  }
  for (const [name, [text, code]] of Object.entries(bad)) {
    t.match(decodeDetached(bytes(text)), { kind: 'refused', refusal: { code } }, name)
  }
  t.end()
})

await t.test('a value may be 32 deep, not 33', (t) => {
  const nested = (depth: number): Json => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json
  t.equal(decodeDetached(encodeDetached(nested(32), salt).bytes).kind, 'ok')
  t.throws(() => encodeDetached(nested(33), salt), { code: 'VALUE_NOT_CANONICAL' })
  const text = `{"salt":"${salt}","value":${JSON.stringify(nested(33))}}`
  t.match(decodeDetached(bytes(text)), { refusal: { code: 'VALUE_NOT_CANONICAL' } })
  t.end()
})
