import t from 'tap'
import {
  messageDigest,
  pae,
  payloadType,
  payloadWord,
  payloadWords,
} from '../../src/signing/index.js'

const encoder = new TextEncoder()

await t.test('the vector of the DSSE protocol document', (t) => {
  const bytes = pae('http://example.com/HelloWorld', encoder.encode('hello world'))
  t.equal(new TextDecoder().decode(bytes), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  t.end()
})

await t.test('lengths count bytes, not characters', (t) => {
  const bytes = pae('é', encoder.encode('ü€'))
  t.equal(new TextDecoder().decode(bytes), 'DSSEv1 2 é 5 ü€')
  t.equal(new TextDecoder().decode(pae('', new Uint8Array())), 'DSSEv1 0  0 ')
  t.end()
})

await t.test('types and words are one to one, and nothing else is a type', (t) => {
  for (const word of payloadWords) t.equal(payloadWord(payloadType(word)), word)
  t.equal(payloadType('propose'), 'application/vnd.countersign.propose.v1+json')
  for (const type of [
    '',
    'propose',
    'application/vnd.countersign.propose.v2+json',
    'application/vnd.countersign.Propose.v1+json',
    'application/vnd.countersign.propose.v1+json ',
    'application/vnd.countersign.constructor.v1+json',
  ]) {
    t.equal(payloadWord(type), null, type)
  }
  t.end()
})

await t.test('the type separates digests of one body', (t) => {
  const body = encoder.encode('{}')
  const digests = payloadWords.map((word) => messageDigest(payloadType(word), body))
  t.equal(new Set(digests).size, payloadWords.length)
  t.end()
})
