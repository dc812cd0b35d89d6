import canonicalize from 'canonicalize'
import fc from 'fast-check'
import t from 'tap'
import {
  canonicalText,
  decodeCanonical,
  depthOf,
  encodeCanonical,
  type Json,
} from '../../src/signing/index.js'
import '../property-seed.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function codeOf(text: string | Uint8Array): string {
  const decoded = decodeCanonical(typeof text === 'string' ? bytes(text) : text)
  return decoded.kind === 'ok' ? 'ok' : decoded.refusal.code
}

await t.test('RFC 8785 3.2.2: the whole example, but for its number beyond 2^53', (t) => {
  const value: Json = {
    numbers: [333333333.33333329, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\/',
    literals: [null, true, false],
  }
  t.equal(
    canonicalText(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  t.throws(() => canonicalText(1e30), { code: 'VALUE_NOT_CANONICAL' })
  t.end()
})

await t.test('RFC 8785 3.2.3: names in the order of UTF-16 code units', (t) => {
  const value: Json = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  const names = Object.keys(JSON.parse(canonicalText(value)) as object)
  const order = [...canonicalText(value).matchAll(/"([^"]+)":/g)].map((match) => match[1])
  t.equal(names.length, 7)
  t.same(order, ['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'])
  t.end()
})

await t.test('RFC 8785 appendix B: numbers', (t) => {
  const vectors: readonly (readonly [string, string])[] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['4340000000000000', 'refused'], // 9007199254740992
    ['c340000000000000', 'refused'],
    ['433fffffffffffff', '9007199254740991'],
    ['7fefffffffffffff', 'refused'],
    ['4430000000000000', 'refused'], // 295147905179352830000
    ['7fffffffffffffff', 'refused'], // NaN
    ['7ff0000000000000', 'refused'], // Infinity
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ]
  for (const [hex, expected] of vectors) {
    const number = Buffer.from(hex, 'hex').readDoubleBE()
    if (expected === 'refused') {
      t.throws(() => canonicalText(number), { code: 'VALUE_NOT_CANONICAL' }, hex)
    } else {
      t.equal(canonicalText(number), expected, hex)
    }
  }
  t.end()
})

await t.test('each trap of JSON in Node is refused', (t) => {
  const traps: Record<string, readonly [string | Uint8Array, string]> = {
    'a duplicate name': ['{"a":1,"a":2}', 'NON_CANONICAL'],
    'an equal duplicate': ['{"a":1,"a":1}', 'NON_CANONICAL'],
    'a duplicate by escape': ['{"a":1,"\\u0061":1}', 'NON_CANONICAL'],
    'minus zero': ['[-0]', 'NON_CANONICAL'],
    'a number that is rounded': ['[9007199254740993]', 'VALUE_NOT_CANONICAL'],
    '2^53': ['[9007199254740992]', 'VALUE_NOT_CANONICAL'],
    'a number that becomes Infinity': ['[1e400]', 'VALUE_NOT_CANONICAL'],
    'an exponent': ['[1e2]', 'NON_CANONICAL'],
    'a trailing zero': ['[1.0]', 'NON_CANONICAL'],
    'integer-like names in numeric order': ['{"9":1,"10":2}', 'NON_CANONICAL'],
    'names out of order': ['{"b":1,"a":2}', 'NON_CANONICAL'],
    'a lone high surrogate': ['["\\ud800"]', 'VALUE_NOT_CANONICAL'],
    'a lone low surrogate as a name': ['{"\\udc00":1}', 'VALUE_NOT_CANONICAL'],
    'surrogates in the wrong order': ['["\\udc00\\ud800"]', 'VALUE_NOT_CANONICAL'],
    'an escaped pair': ['["\\ud83d\\ude00"]', 'NON_CANONICAL'],
    'an escaped letter': ['["\\u0041"]', 'NON_CANONICAL'],
    'an escape in upper case': ['["\\u000F"]', 'NON_CANONICAL'],
    'an escaped slash': ['["\\/"]', 'NON_CANONICAL'],
    'a byte order mark': ['\ufeff{}', 'NON_CANONICAL'],
    'a space': ['{"a": 1}', 'NON_CANONICAL'],
    'a newline at the end': ['{}\n', 'NON_CANONICAL'],
    'two values': ['{}{}', 'NON_CANONICAL'],
    nothing: ['', 'NON_CANONICAL'],
    'no JSON': ['{a:1}', 'NON_CANONICAL'],
    'bad UTF-8': [Uint8Array.of(0x22, 0xff, 0x22), 'NON_CANONICAL'],
    'UTF-8 of a surrogate': [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'NON_CANONICAL'],
    'overlong UTF-8': [Uint8Array.of(0x22, 0xc1, 0x81, 0x22), 'NON_CANONICAL'],
    'UTF-16': [Uint8Array.of(0x22, 0x00, 0x22, 0x00), 'NON_CANONICAL'],
  }
  for (const [name, [input, code]] of Object.entries(traps)) t.equal(codeOf(input), code, name)
  t.end()
})

await t.test('what looks like a trap and is none', (t) => {
  for (const text of [
    '{"10":2,"9":1}',
    '{"__proto__":1}',
    '{"__proto__":{"admin":true},"constructor":{}}',
    '["\\\\ud800"]',
    '["😀"]',
    '9007199254740991',
    '-9007199254740991',
    '1.5',
    'null',
    '""',
    '"\u2028\u007f"',
  ]) {
    t.equal(codeOf(text), 'ok', encodeURI(text))
  }
  t.end()
})

await t.test('a member named __proto__ stays a member and changes no prototype', (t) => {
  const decoded = decodeCanonical(bytes('{"__proto__":{"admin":true}}'))
  if (decoded.kind !== 'ok') throw new Error('refused')
  t.ok(Object.hasOwn(decoded.value as object, '__proto__'))
  t.equal((decoded.value as { admin?: boolean }).admin, undefined)
  t.equal(canonicalText(decoded.value), '{"__proto__":{"admin":true}}')
  t.end()
})

await t.test('depth is bounded, and deep input is refused without a crash', (t) => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const at = (depth: number, depthMax: number): string =>
    decodeCanonical(bytes(nested(depth)), { depthMax }).kind
  t.equal(at(32, 32), 'ok')
  t.equal(at(33, 32), 'refused')
  t.equal(codeOf(nested(64)), 'ok')
  t.equal(codeOf(nested(65)), 'VALUE_NOT_CANONICAL')
  t.equal(codeOf(nested(200_000)), 'VALUE_NOT_CANONICAL')
  t.equal(depthOf(JSON.parse(nested(7)) as Json), 7)
  t.equal(depthOf('x'), 0)
  t.equal(depthOf([]), 1)
  t.equal(depthOf({ a: [{}], b: 1 }), 3)
  t.end()
})

await t.test('what is not JSON is never encoded', (t) => {
  const bad: Record<string, unknown> = {
    undefined: undefined,
    'a function': () => 1,
    'a big integer': 1n,
    'a symbol': Symbol('x'),
    NaN: NaN,
    'undefined in an object': { a: undefined },
    'a hole in an array': new Array(1),
    'a lone surrogate': '\ud800',
    'a lone surrogate as a name': { '\udfff': 1 },
  }
  for (const [name, value] of Object.entries(bad)) {
    t.throws(() => encodeCanonical(value as Json), { code: 'VALUE_NOT_CANONICAL' }, name)
  }
  t.end()
})

const wellFormed = fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text))
const number = fc
  .double({ noNaN: true, min: -9007199254740991, max: 9007199254740991 })
  .map((value) => (Object.is(value, -0) ? 0 : value))
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<Json>(null, true, false),
    number,
    fc.integer(),
    wellFormed,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(wellFormed, fc.nat().map(String)), tie('value'), { maxKeys: 6 }),
  ),
})).value

await t.test('property: agrees with the second implementation on I-JSON', (t) => {
  fc.assert(
    fc.property(json, (value) => {
      t.equal(canonicalText(value), canonicalize(value))
    }),
    { numRuns: 300 },
  )
  t.end()
})

await t.test('property: whatever is accepted encodes to itself', (t) => {
  const text = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    json.map((value) => canonicalText(value)),
    fc.json(),
  )
  let accepted = 0
  fc.assert(
    fc.property(text, (text) => {
      const decoded = decodeCanonical(bytes(text))
      if (decoded.kind === 'refused') return
      accepted++
      t.same(encodeCanonical(decoded.value), bytes(text))
    }),
    { numRuns: 300 },
  )
  t.ok(accepted > 50, 'the property was not idle')
  t.end()
})

await t.test('property: one altered byte is refused or gives another value', (t) => {
  fc.assert(
    fc.property(json, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, flip) => {
      const original = encodeCanonical(value)
      const altered = Uint8Array.from(original)
      const at = position % altered.length
      altered[at] = (altered[at] as number) ^ flip
      const decoded = decodeCanonical(altered)
      if (decoded.kind === 'ok') t.not(canonicalText(decoded.value), canonicalText(value))
    }),
    { numRuns: 300 },
  )
  t.end()
})
