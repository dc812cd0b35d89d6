/**
 * Edge cases of Ed25519, made by plain arithmetic on the curve, so that signatures can be forged
 * which no signer makes: with torsion in R or A, with other encodings, with S + L. Background:
 * K. Chalkias, F. Garillot, V. Nikolaenko, "Taming the many EdDSAs" (2020).
 */
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { decodePublicKey, spkiOf, toBase64, verifyStrict } from '../../src/signing/index.js'
import '../property-seed.js'

type Point = readonly [bigint, bigint]

const p = 2n ** 255n - 19n
const order = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (a: bigint, m = p): bigint => ((a % m) + m) % m
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let e = exponent, b = mod(base); e > 0n; e >>= 1n, b = mod(b * b)) {
    if (e & 1n) result = mod(result * b)
  }
  return result
}
const inverse = (a: bigint): bigint => power(a, p - 2n)
const d = mod(-121665n * inverse(121666n))

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const k = mod(d * mod(x1 * x2) * mod(y1 * y2))
  return [mod((x1 * y2 + y1 * x2) * inverse(1n + k)), mod((y1 * y2 + x1 * x2) * inverse(1n - k))]
}
function times(scalar: bigint, point: Point): Point {
  let sum: Point = [0n, 1n]
  for (let k = scalar, q = point; k > 0n; k >>= 1n, q = add(q, q)) if (k & 1n) sum = add(sum, q)
  return sum
}
function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  for (let i = 0, rest = value; i < 32; i++, rest >>= 8n) bytes[i] = Number(rest & 255n)
  return bytes
}
function integerOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}
const encode = ([x, y]: Point): Uint8Array => littleEndian(y | ((x & 1n) << 255n))
function decode(hex: string): Point {
  const number = integerOf(Buffer.from(hex, 'hex'))
  const y = number & ((1n << 255n) - 1n)
  const x2 = mod((y * y - 1n) * inverse(d * y * y + 1n))
  let x = power(x2, (p + 3n) / 8n)
  if (mod(x * x - x2) !== 0n) x = mod(x * power(2n, (p - 1n) / 4n))
  return [(x & 1n) === number >> 255n ? x : mod(-x), y]
}

const base = decode('5866666666666666666666666666666666666666666666666666666666666666')
const torsion = decode('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
const identity: Point = [0n, 1n]
const message = new TextEncoder().encode('edge')
const secret = 0x1234567890abcdef1234567890abcdefn
const nonce = 0xfedcba0987654321fedcba0987654321n

const challenge = (R: Uint8Array, A: Uint8Array): bigint =>
  mod(integerOf(createHash('sha512').update(R).update(A).update(message).digest()), order)

function byOpenssl(A: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(spkiOf(A)), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

interface Edge {
  readonly name: string
  readonly A: Uint8Array
  readonly R: Uint8Array
  readonly S: bigint
  readonly strict: boolean
  /**
   * node:crypto (OpenSSL): no cofactor, compares bytes of R. Points of small order pass up to the
   * OpenSSL of Node 22 and not in that of Node 24: a reason not to leave the rule to a library.
   */
  readonly openssl: boolean | 'by version'
}

function edges(): readonly Edge[] {
  const honestA = encode(times(secret, base))
  const honestR = encode(times(nonce, base))
  const signed = (A: Uint8Array, R: Uint8Array, k = nonce): bigint =>
    mod(k + challenge(R, A) * secret, order)
  const S = signed(honestA, honestR)
  const mixedR = encode(add(times(nonce, base), torsion))
  const mixedA = encode(add(times(secret, base), torsion))
  let lucky = nonce
  while (challenge(encode(times(lucky, base)), mixedA) % 8n !== 0n) lucky++
  const luckyR = encode(times(lucky, base))
  const unlucky = nonce + (challenge(honestR, mixedA) % 8n === 0n ? 1n : 0n)
  const unluckyR = encode(times(unlucky, base))
  const withSign = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 31 ? byte | 0x80 : byte))
  const identityR = encode(identity)
  const honest = { A: honestA, R: honestR }
  return [
    { name: 'honest', ...honest, S, strict: true, openssl: true },
    { name: 'S + L', ...honest, S: S + order, strict: false, openssl: false },
    { name: 'S + 2L', ...honest, S: S + 2n * order, strict: false, openssl: false },
    { name: 'S = L', ...honest, S: order, strict: false, openssl: false },
    { name: 'S = 0', ...honest, S: 0n, strict: false, openssl: false },
    { name: 'S off by one', ...honest, S: S + 1n, strict: false, openssl: false },
    {
      name: 'torsion in R: right only with the cofactor',
      A: honestA,
      R: mixedR,
      S: signed(honestA, mixedR),
      strict: false,
      openssl: false,
    },
    {
      name: 'torsion in A: right only with the cofactor',
      A: mixedA,
      R: unluckyR,
      S: signed(mixedA, unluckyR, unlucky),
      strict: false,
      openssl: false,
    },
    {
      // Right by any rule; decodePublicKey never lets such a key be registered.
      name: 'torsion in A that the challenge cancels',
      A: mixedA,
      R: luckyR,
      S: signed(mixedA, luckyR, lucky),
      strict: true,
      openssl: true,
    },
    {
      name: 'R is the identity',
      A: honestA,
      R: identityR,
      S: signed(honestA, identityR, 0n),
      strict: false,
      openssl: 'by version',
    },
    {
      name: 'R is the identity as y = p + 1',
      A: honestA,
      R: littleEndian(p + 1n),
      S: signed(honestA, littleEndian(p + 1n), 0n),
      strict: false,
      openssl: false,
    },
    {
      name: 'A is the identity',
      A: identityR,
      R: honestR,
      S: nonce,
      strict: false,
      openssl: 'by version',
    },
    {
      name: 'A is the identity as y = p + 1',
      A: littleEndian(p + 1n),
      R: honestR,
      S: nonce,
      strict: false,
      openssl: 'by version',
    },
    {
      name: 'A is the identity with a sign bit',
      A: withSign(identityR),
      R: honestR,
      S: nonce,
      strict: false,
      openssl: 'by version',
    },
  ]
}

await t.test('hand-made edge cases: the strict rule, and where OpenSSL may be looser', (t) => {
  for (const { name, A, R, S, strict, openssl } of edges()) {
    const signature = Buffer.concat([R, littleEndian(S)])
    t.equal(verifyStrict(A, message, signature), strict, `strict: ${name}`)
    if (openssl === 'by version') continue
    t.equal(byOpenssl(A, signature), openssl, `openssl: ${name}`)
  }
  t.end()
})

await t.test(
  'every encoding of the eight points of small order is refused as key and as R',
  (t) => {
    const points = Array.from({ length: 8 }, (_, k) => times(BigInt(k), torsion))
    const encodings = points.flatMap((point) => {
      const [x, y] = point
      const canonical = encode(point)
      // y < 19 has a second encoding, y + p; x = 0 has one with the sign bit set.
      const shifted = y < 19n ? [littleEndian((y + p) | ((x & 1n) << 255n))] : []
      const signed = x === 0n ? [littleEndian(y | (1n << 255n))] : []
      return [canonical, ...shifted, ...signed]
    })
    t.equal(new Set(encodings.map((bytes) => toBase64(bytes))).size, 8 + 2 + 1 + 2 - 0)
    const R = encode(times(nonce, base))
    for (const point of encodings) {
      const name = Buffer.from(point).toString('hex')
      t.match(decodePublicKey(toBase64(spkiOf(point))), { kind: 'refused' }, `key ${name}`)
      for (const S of [0n, nonce]) {
        const asKey = Buffer.concat([R, littleEndian(S)])
        t.notOk(verifyStrict(point, message, asKey), `A ${name}`)
        const A = encode(times(secret, base))
        const forged = mod(challenge(point, A) * secret, order)
        t.notOk(verifyStrict(A, message, Buffer.concat([point, littleEndian(forged)])), `R ${name}`)
      }
    }
    t.end()
  },
)

await t.test('a key with torsion cannot be registered', (t) => {
  const mixed = encode(add(times(secret, base), torsion))
  const sound = encode(times(secret, base))
  t.match(decodePublicKey(toBase64(spkiOf(sound))), { kind: 'ok' })
  t.match(decodePublicKey(toBase64(spkiOf(mixed))), { refusal: { code: 'BODY_INVALID' } })
  t.end()
})

await t.test('wrong lengths are false, never an exception', (t) => {
  const A = encode(times(secret, base))
  for (const length of [0, 31, 33, 64]) {
    t.notOk(verifyStrict(new Uint8Array(length), message, new Uint8Array(64)), `key ${length}`)
  }
  for (const length of [0, 32, 63, 65, 128]) {
    t.notOk(verifyStrict(A, message, new Uint8Array(length)), `signature ${length}`)
  }
  t.end()
})

await t.test('property: agrees with node:crypto on honest and on damaged signatures', (t) => {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(12)
  let refused = 0
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.option(fc.tuple(fc.nat(63), fc.nat(7)), { nil: undefined }),
      (text, flip) => {
        const signature = sign(null, text, pair.privateKey)
        if (flip !== undefined) {
          const [at, bit] = flip
          signature[at] = (signature[at] as number) ^ (1 << bit)
        }
        const ours = verifyStrict(publicKey, text, signature)
        t.equal(ours, flip === undefined)
        t.equal(ours, verify(null, text, pair.publicKey, signature))
        if (!ours) refused++
      },
    ),
    { numRuns: 300 },
  )
  t.ok(refused > 20, 'the property was not idle')
  t.end()
})

await t.test('property: random bytes never verify, in either library', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.uint8Array({ maxLength: 50 }),
      (signature, text) => {
        t.notOk(verifyStrict(encode(times(secret, base)), text, signature))
      },
    ),
    { numRuns: 50 },
  )
  t.end()
})
