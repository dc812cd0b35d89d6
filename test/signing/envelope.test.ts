import t from 'tap'
import {
  decodePublicKey,
  encodeCanonical,
  envelopeFromJson,
  envelopeToJson,
  messageDigest,
  pae,
  payloadType,
  rawPublicKey,
  shortCode,
  signBody,
  toBase64,
  toHex,
  verifyEnvelope,
  type Json,
} from '../../src/signing/index.js'
import { signerFromSeed } from '../../src/signing/key-file.js'

// RFC 8032, section 7.1, TEST 1.
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const publicKeyHex = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const signer = signerFromSeed(seed)
const publicKey = rawPublicKey(signer.publicKeySpki) ?? new Uint8Array()

// docs: the example of the signed format; any build must give these bytes.
const text =
  '{"base":[{"modRevision":41,"path":"/prod/payments/timeout_ms"}],' +
  '"changeId":"000102030405060708090a0b0c0d0e0f",' +
  '"clusterId":"0000000000000000000000000000000000000000000000000000000000000000",' +
  '"keyId":"06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9",' +
  '"kind":"config","notAfter":1798761600000,' +
  '"ops":[{"action":"put","path":"/prod/payments/timeout_ms","value":2500}],' +
  '"person":"ana","revision":1,"title":"Raise the payment timeout","v":1}'
const body = JSON.parse(text) as { readonly [name: string]: Json }
const digest = '89c2acdc28e300e810ddeb101b98d1b2697a3dce5b0c93a45e88e2d336824c3d'
const signature =
  '613162d3092824c0696630281c1106b6e22d601df5fd50d3d88c25120a7810b1' +
  'f2b3ddd5b1a95bfaa3da98507ed2a08e065b5a3f26c28f7761b8374af646b007'

await t.test('the whole vector: key, bytes, digest, short code, signature', (t) => {
  const type = payloadType('propose')
  const envelope = signBody(type, body, signer)
  t.equal(toHex(publicKey), publicKeyHex)
  t.equal(signer.keyId, body['keyId'])
  t.equal(type.length, 43)
  t.equal(new TextDecoder().decode(envelope.body), text)
  t.equal(envelope.body.length, 448)
  t.equal(pae(type, envelope.body).length, 506)
  t.equal(messageDigest(type, envelope.body), digest)
  t.equal(shortCode(digest), 'H71A-SQ18-WC0E-G46X')
  t.equal(toHex(envelope.signature), signature)
  t.equal(
    messageDigest(payloadType('approve'), envelope.body),
    'b5a83d0a7343ab14707b89a3264015bb6ee83eb5be325244faaa53fb49446393',
  )
  t.ok(verifyEnvelope(envelope, publicKey))
  t.end()
})

await t.test('a signature holds for its type, body and key only', (t) => {
  const envelope = signBody(payloadType('approve'), body, signer)
  t.ok(verifyEnvelope(envelope, publicKey))
  t.notOk(verifyEnvelope({ ...envelope, type: payloadType('reject') }, publicKey))
  t.notOk(verifyEnvelope({ ...envelope, body: encodeCanonical({ ...body, v: 2 }) }, publicKey))
  const other = rawPublicKey(signerFromSeed(new Uint8Array(32)).publicKeySpki)
  t.notOk(verifyEnvelope(envelope, other ?? new Uint8Array()))
  t.notOk(verifyEnvelope({ ...envelope, signature: new Uint8Array(63) }, publicKey))
  t.notOk(verifyEnvelope({ ...envelope, signature: new Uint8Array(0) }, publicKey))
  t.end()
})

await t.test('the JSON envelope comes back as it went', (t) => {
  const envelope = signBody(payloadType('ack'), { v: 1 }, signer)
  const decoded = envelopeFromJson(envelopeToJson(envelope))
  t.same(decoded, { kind: 'ok', envelope })
  t.end()
})

await t.test('the JSON envelope is strict', (t) => {
  const good = envelopeToJson(signBody(payloadType('ack'), { v: 1 }, signer)) as {
    payload: string
    payloadType: string
    signatures: { keyid: string; sig: string }[]
  }
  const one = good.signatures[0] as { keyid: string; sig: string }
  const bad: Record<string, Json> = {
    'not an object': [],
    null: null,
    'a field is missing': { payload: good.payload, signatures: good.signatures },
    'a field too many': { ...good, extra: 'x' },
    'no signature': { ...good, signatures: [] },
    'two signatures': { ...good, signatures: [one, one] },
    'signatures is no array': { ...good, signatures: one },
    'a signature with another field': { ...good, signatures: [{ ...one, alg: 'x' }] },
    'the type is no string': { ...good, payloadType: 1 },
    'base64url payload': { ...good, payload: '-_-_' },
    'payload without padding': { ...good, payload: 'YQ' },
    'a short signature': { ...good, signatures: [{ ...one, sig: toBase64(new Uint8Array(63)) }] },
    'loose last bits': { ...good, signatures: [{ ...one, sig: one.sig.replace(/.==$/, 'B==') }] },
    'upper-case key id': { ...good, signatures: [{ ...one, keyid: one.keyid.toUpperCase() }] },
    'a short key id': { ...good, signatures: [{ ...one, keyid: 'ab' }] },
  }
  for (const [name, json] of Object.entries(bad)) {
    t.match(envelopeFromJson(json), { kind: 'refused', refusal: { code: 'BODY_INVALID' } }, name)
  }
  t.end()
})

await t.test('public keys: only sound Ed25519 points in their one SPKI form', (t) => {
  const spki = signer.publicKeySpki
  t.same(decodePublicKey(toBase64(spki)), { kind: 'ok', publicKey, keyId: signer.keyId })
  const withPoint = (point: Uint8Array): string =>
    toBase64(Buffer.concat([spki.subarray(0, 12), point]))
  const bad: Record<string, string> = {
    empty: '',
    'loose base64': toBase64(spki).replace(/=$/, ''),
    'raw 32 bytes': toBase64(publicKey),
    'X25519 OID': toBase64(Uint8Array.from(spki, (byte, i) => (i === 8 ? 0x6e : byte))),
    'a byte too many': toBase64(Buffer.concat([spki, Buffer.of(0)])),
    'identity (small order)': withPoint(Uint8Array.from({ length: 32 }, (_, i) => Number(i === 0))),
    'order 4 (all zero)': withPoint(new Uint8Array(32)),
    'not on the curve': withPoint(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 2 : 0))),
    'not canonical (y = p + 3)': withPoint(
      Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xf0 : i === 31 ? 0x7f : 0xff)),
    ),
  }
  for (const [name, text] of Object.entries(bad)) {
    t.match(decodePublicKey(text), { kind: 'refused', refusal: { code: 'BODY_INVALID' } }, name)
  }
  t.end()
})
