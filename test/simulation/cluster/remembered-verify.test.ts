import fc from 'fast-check'
import t from 'tap'
import {
  pae,
  payloadType,
  rawPublicKey,
  signBody,
  verifyStrict,
  type Envelope,
  type Verify,
} from '../../../src/signing/index.js'
import { signerFromSeed } from '../../../src/signing/key-file.js'
import '../../property-seed.js'
import { rememberedVerify } from './remembered-verify.js'

const signer = signerFromSeed(new Uint8Array(32).fill(7))
const publicKey = rawPublicKey(signer.publicKeySpki) ?? new Uint8Array()
const envelope = (n: number): Envelope => signBody(payloadType('ack'), { n }, signer)

function counting(): { readonly check: Verify; readonly calls: () => number } {
  let calls = 0
  return {
    check: (...input) => {
      calls++
      return verifyStrict(...input)
    },
    calls: () => calls,
  }
}

const ask = (verify: Verify, { type, body, signature }: Envelope): boolean =>
  verify(publicKey, pae(type, body), signature)

await t.test('what was asked before is not checked again', (t) => {
  const { check, calls } = counting()
  const verify = rememberedVerify({ check })
  ask(verify, envelope(1))
  t.equal(calls(), 1)
  t.ok(ask(verify, envelope(1)))
  ask(verify, envelope(1))
  t.equal(calls(), 1)
  t.ok(ask(verify, envelope(2)))
  t.equal(calls(), 2)
  t.end()
})

await t.test('a bad answer is kept as bad, and only for exactly this input', (t) => {
  const verify = rememberedVerify()
  const good = envelope(1)
  const forged = {
    ...good,
    signature: good.signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
  }
  t.notOk(ask(verify, forged))
  t.notOk(ask(verify, forged))
  t.ok(ask(verify, good))
  t.notOk(ask(verify, { ...good, body: envelope(2).body }))
  t.notOk(verify(new Uint8Array(32), pae(good.type, good.body), good.signature))
  t.end()
})

await t.test('bytes cannot be moved between key, signature and message', (t) => {
  const { check, calls } = counting()
  const verify = rememberedVerify({ check })
  const { type, body, signature } = envelope(1)
  const message = pae(type, body)
  t.ok(verify(publicKey, message, signature))
  const longer = Buffer.concat([signature, message.subarray(0, 1)])
  t.notOk(verify(publicKey, message.subarray(1), longer))
  t.notOk(verify(publicKey.subarray(0, 31), message, signature))
  t.equal(calls(), 1)
  t.end()
})

await t.test('the memory is bounded: the oldest answer goes first', (t) => {
  const { check, calls } = counting()
  const verify = rememberedVerify({ check, resultsMax: 3 })
  for (const n of [1, 2, 3, 4]) ask(verify, envelope(n))
  t.equal(calls(), 4)
  for (const n of [2, 3, 4]) t.ok(ask(verify, envelope(n)))
  t.equal(calls(), 4)
  t.ok(ask(verify, envelope(1)))
  t.equal(calls(), 5)
  t.end()
})

await t.test(
  'property: the answer is that of verifyStrict, whatever was asked before or forgotten',
  (t) => {
    const step = fc.record({
      n: fc.nat(4),
      flip: fc.boolean(),
      twice: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, max) => {
          const verify = rememberedVerify({ resultsMax: max })
          for (const { n, flip, twice } of steps) {
            const honest = envelope(n)
            const signature = honest.signature.map((byte, i) => (flip && i === 9 ? byte ^ 4 : byte))
            const sent = { ...honest, signature }
            if (twice) ask(verify, sent)
            t.equal(ask(verify, sent), !flip)
          }
        },
      ),
      { numRuns: 40 },
    )
    t.end()
  },
)
