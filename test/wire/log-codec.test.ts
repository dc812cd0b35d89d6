import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import type { Command } from '../../src/machine/index.js'
import { decodeCommand, encodeCommand } from '../../src/wire/index.js'
import { hostileBytes, record } from './arbitraries.js'
import '../property-seed.js'

const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => new Uint8Array(array))
const envelope = record({
  type: fc.string(),
  body: bytes,
  signature: bytes,
  keyId: fc.string(),
})
const command: fc.Arbitrary<Command> = fc.oneof(
  record({
    kind: fc.constant('submit' as const),
    envelope,
    detached: fc.array(bytes, { maxLength: 4 }),
  }),
  record({ kind: fc.constant('tick' as const), stamps: fc.array(envelope, { maxLength: 5 }) }),
)

const sample: Command = {
  kind: 'submit',
  envelope: {
    type: 'application/vnd.countersign.propose.v1+json',
    body: new TextEncoder().encode('{}'),
    signature: new Uint8Array(64).fill(7),
    keyId: 'ab'.repeat(32),
  },
  detached: [new Uint8Array([1, 2, 3])],
}

await t.test('what is encoded comes back, byte for byte', (t) => {
  fc.assert(
    fc.property(command, (original) => {
      return isDeepStrictEqual(decodeCommand(encodeCommand(original)), original)
    }),
    { numRuns: 200 },
  )
  t.pass('all came back')
  t.end()
})

await t.test('the stored form of format 1 never changes', (t) => {
  const tick: Command = {
    kind: 'tick',
    stamps: [{ type: 't', body: new Uint8Array([1]), signature: new Uint8Array([2]), keyId: 'k' }],
  }
  // format (field 1) = 1; tick (3) { stamps (1) { type "t", body 01, signature 02, key "k" } }
  t.equal(
    Buffer.from(encodeCommand(tick)).toString('hex'),
    '0801' + '1a0e' + '0a0c' + '0a0174' + '120101' + '1a0102' + '22016b',
  )
  t.end()
})

await t.test('a decoded command does not hang on to the received buffer', (t) => {
  const large = Buffer.alloc(10_000)
  const encoded = encodeCommand(sample)
  large.set(encoded, 50)
  const decoded = decodeCommand(large.subarray(50, 50 + encoded.length))
  if (decoded.kind !== 'submit') throw new Error('expected a submit')
  t.not(decoded.envelope.body.buffer, large.buffer)
  t.not(decoded.detached[0]?.buffer, large.buffer)
  t.notOk(Buffer.isBuffer(decoded.envelope.body))
  large.fill(0)
  t.strictSame(decoded, sample)
  t.end()
})

await t.test('an unknown format halts, whatever the other fields hold', (t) => {
  const newer = [
    [0x08, 0x02],
    [0x08, 0xff, 0x01],
    // format 2 whose field 2 is no message any more
    [0x08, 0x02, 0x12, 0x02, 0xff, 0xff],
    [0x12, 0x02, 0xff, 0xff, 0x08, 0x02],
  ]
  for (const row of newer) {
    t.throws(() => decodeCommand(new Uint8Array(row)), { code: 'VERSION_UNKNOWN' }, String(row))
  }
  t.end()
})

await t.test('an unknown field of format 1 was written by a newer build: halt as well', (t) => {
  const top = new Uint8Array([...encodeCommand(sample), 0x7a, 0x01, 0x00])
  t.throws(() => decodeCommand(top), { code: 'VERSION_UNKNOWN' })
  const nested = new Uint8Array([0x08, 0x01, 0x1a, 0x05, 0x0a, 0x03, 0x7a, 0x01, 0x00])
  t.throws(() => decodeCommand(nested), { code: 'VERSION_UNKNOWN' })
  t.end()
})

await t.test('malformed bytes are a command that changes nothing', (t) => {
  const tick = [0x1a, 0x00]
  const rows: [string, number[], RegExp][] = [
    ['nothing', [], /no format/],
    ['no format', tick, /no format/],
    ['format zero', [0x08, 0x00, ...tick], /no format/],
    ['no command', [0x08, 0x01], /no command/],
    ['a submit without envelope', [0x08, 0x01, 0x12, 0x00], /no envelope/],
    ['a length beyond the end', [0x08, 0x01, 0x12, 0x7f], /cannot be decoded/],
    ['an unfinished varint', [0xff, 0xff], /cannot be decoded/],
  ]
  for (const [name, row, reason] of rows) {
    t.match(decodeCommand(new Uint8Array(row)), { kind: 'undecodable', reason }, name)
  }
  t.end()
})

await t.test('hostile bytes throw VERSION_UNKNOWN or nothing', (t) => {
  fc.assert(
    fc.property(hostileBytes(command.map(encodeCommand)), (hostile) => {
      try {
        decodeCommand(hostile)
      } catch (error) {
        return error instanceof CountersignError && error.code === 'VERSION_UNKNOWN'
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass('none escaped')
  t.end()
})

await t.test('a command that was not decoded cannot be written', (t) => {
  t.throws(() => encodeCommand({ kind: 'undecodable', reason: 'x' }), { code: 'INTERNAL' })
  t.end()
})
