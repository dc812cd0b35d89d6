import fc from 'fast-check'
import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import { logIndex, term } from '../../src/raft/index.js'
import {
  decodeFetchAnswer,
  decodeFetchRequest,
  encodeFetchAnswer,
  encodeFetchRequest,
  fetchedPartBytesMax,
  type FetchAnswer,
  type Hello,
  type Wanted,
} from '../../src/wire/index.js'
import { hostileBytes, record, snapshotMeta } from './arbitraries.js'
import '../property-seed.js'

const hello: Hello = {
  clusterId: 'c1'.repeat(32),
  nodeId: 'node-1',
  incarnation: '00'.repeat(16),
  protocolMin: 1,
  protocolMax: 1,
  featureLevelMax: 2,
  clientAddress: 'a:1',
  peerAddress: 'a:2',
}
const kind = <const K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name)
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => new Uint8Array(array))
const hex = fc.constantFrom('ab'.repeat(32), '')

const wanted: fc.Arbitrary<Wanted> = fc.oneof(
  record({ kind: kind('snapshot'), index: fc.maxSafeNat(), offset: fc.maxSafeNat() }),
  fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(1000)).map(([from, more]) => ({
    kind: 'entries' as const,
    from: logIndex(from),
    to: logIndex(from + more),
  })),
  record({
    kind: kind('holding'),
    index: fc.maxSafeNat().map(logIndex),
    term: fc.option(fc.integer({ min: 1, max: 2 ** 40 }).map(term)),
  }),
)

const answer: fc.Arbitrary<FetchAnswer> = fc.oneof(
  fc.constant({ kind: 'hello' as const, hello }),
  fc
    .tuple(
      snapshotMeta,
      record({
        clusterId: hex,
        chain: hex,
        stateDigest: hex,
        size: fc.maxSafeNat(),
        digest: hex,
      }),
    )
    .map(([meta, rest]) => ({ kind: 'snapshot' as const, snapshot: { ...meta, ...rest } })),
  record({ kind: kind('part'), part: bytes }),
  record({
    kind: kind('entry'),
    entry: record({
      index: fc.maxSafeNat().map(logIndex),
      term: fc.maxSafeNat().map(term),
      kind: fc.constantFrom('noop', 'command', 'configuration'),
      payload: bytes,
    }),
  }),
  record({ kind: kind('holding'), holding: fc.constantFrom('held', 'never', 'unknown') }),
)

await t.test('what is wanted and what is answered survive the wire', (t) => {
  fc.assert(
    fc.property(wanted, (wish) => {
      const request = decodeFetchRequest(encodeFetchRequest({ hello, wanted: wish }))
      t.strictSame(request, { hello, wanted: wish })
    }),
    { numRuns: 50 },
  )
  fc.assert(
    fc.property(answer, (given) => {
      t.strictSame(decodeFetchAnswer(encodeFetchAnswer(given)), given)
    }),
    { numRuns: 50 },
  )
  t.end()
})

await t.test('hostile bytes are refused with our own code', (t) => {
  const good = fc.oneof(
    wanted.map((wish) => new Uint8Array(encodeFetchRequest({ hello, wanted: wish }))),
    answer.map((given) => new Uint8Array(encodeFetchAnswer(given))),
  )
  fc.assert(
    fc.property(hostileBytes(good), (hostile) => {
      for (const decode of [decodeFetchRequest, decodeFetchAnswer]) {
        try {
          decode(hostile)
        } catch (error) {
          if (!(error instanceof CountersignError) || error.code !== 'MALFORMED_REQUEST')
            throw error
        }
      }
    }),
  )
  t.pass('nothing else was thrown')
  t.end()
})

await t.test('lists out of order, ranges of nothing and parts too long are refused', (t) => {
  const snapshot = fc.sample(snapshotMeta, { numRuns: 1, seed: 1 })[0]
  if (snapshot === undefined) throw new Error('no sample')
  const rest = { clusterId: '', chain: '', stateDigest: '', size: 0, digest: '' }
  const configuration = { ...snapshot.configuration, voters: ['node-2', 'node-1'] }
  const rows: readonly (() => unknown)[] = [
    () =>
      decodeFetchAnswer(
        encodeFetchAnswer({ kind: 'snapshot', snapshot: { ...snapshot, ...rest, configuration } }),
      ),
    () =>
      decodeFetchAnswer(
        encodeFetchAnswer({ kind: 'part', part: new Uint8Array(fetchedPartBytesMax + 1) }),
      ),
    () =>
      decodeFetchRequest(
        encodeFetchRequest({
          hello,
          wanted: { kind: 'entries', from: logIndex(2), to: logIndex(1) },
        }),
      ),
  ]
  for (const row of rows) t.throws(row, { code: 'MALFORMED_REQUEST' })
  t.end()
})
