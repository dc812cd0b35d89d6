import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CountersignError, errorCodes, refusal } from '../../src/errors.js'
import type { ChangeView } from '../../src/machine/index.js'
import {
  changesMethods,
  clusterMethods,
  configMethods,
  decodeRefusal,
  encodeRefusal,
  type Codec,
} from '../../src/wire/index.js'
import { countersign } from '../../src/wire/protobuf.js'
import { World } from '../machine/world.js'
import { hostileBytes, record } from './arbitraries.js'
import '../property-seed.js'

const word = fc.string({ maxLength: 20, unit: 'grapheme' })
const safe = fc.maxSafeNat()
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array))
const message = record({
  envelope: record({ type: word, body: bytes, signature: bytes, keyId: word }),
  detached: fc.array(bytes, { maxLength: 3 }),
})
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('-0', '0')) as never)
  .filter((value) => !JSON.stringify(value).includes('e') && isIJson(value))
const standing = fc.oneof(
  record({ kind: fc.constant('value' as const), value: json }),
  record({ kind: fc.constant('detached' as const), digest: word, size: safe, value: json }),
  record({ kind: fc.constant('sealed' as const), ciphertext: word, keyReference: word }),
)
const content = fc.oneof(standing, fc.constant({ kind: 'deleted' as const }))
const plainEntry = {
  path: word,
  content: standing,
  createRevision: safe,
  modRevision: safe,
  changeId: word,
}
const moment = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const entry = fc.oneof(
  record(plainEntry),
  record({
    ...plainEntry,
    key: fc.record(
      {
        state: fc.constantFrom('pending', 'waiting', 'active', 'revoked'),
        registeredAt: moment,
        acknowledgedAt: moment,
        countsFrom: moment,
      },
      { requiredKeys: ['state'], noNullPrototype: true },
    ),
  }),
)
const written = record({
  path: word,
  modRevision: safe,
  previousModRevision: safe,
  createRevision: safe,
  content,
})

function isIJson(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (typeof value === 'string') return !/[\ud800-\udfff]/.test(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, inner]) => isIJson(name) && isIJson(inner))
}

function roundTrips<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepStrictEqual(codec.decode(codec.encode(value)), value)
    }),
    { numRuns: 30 },
  )
  fc.assert(
    fc.property(hostileBytes(values.map((value) => codec.encode(value))), (hostile) => {
      try {
        codec.decode(hostile)
        return true
      } catch (error) {
        return error instanceof CountersignError && error.code === 'MALFORMED_REQUEST'
      }
    }),
    { numRuns: 200 },
  )
}

await t.test('requests survive the wire, and hostile bytes are MALFORMED_REQUEST', (t) => {
  const local = fc.boolean()
  const limit = fc.nat(2000)
  const { propose, proposeStream, get, list } = changesMethods
  roundTrips(propose.request, message)
  roundTrips(proposeStream.request, record({ number: safe, message }))
  roundTrips(get.request, record({ changeId: word, local, asker: word }))
  roundTrips(
    list.request,
    record({
      states: fc.array(word),
      prefix: word,
      author: word,
      limit,
      before: safe,
      local,
    }),
  )
  roundTrips(configMethods.get.request, record({ path: word, local }))
  const listEntries = record({ prefix: word, local, limit, after: word })
  roundTrips(configMethods.list.request, listEntries)
  const historyOf = record({ path: word, local, limit, before: safe })
  roundTrips(configMethods.history.request, historyOf)
  roundTrips(
    configMethods.watch.request,
    fc.oneof(record({ prefix: word }), record({ prefix: word, afterRevision: safe })),
  )
  t.pass('every request')
  t.end()
})

await t.test('answers survive the wire', (t) => {
  const state = fc.constantFrom('OPEN' as const, 'ACTIVE' as const, 'VOIDED' as const)
  const positive = safe.map((n) => Math.max(1, n))
  const accepted = fc.oneof(
    record({ index: safe, repeated: fc.boolean() }),
    record({
      changeId: word.filter((text) => text !== ''),
      revision: fc.nat(16).map((n) => n + 1),
      state,
      index: safe,
      activatedAt: positive,
      repeated: fc.boolean(),
    }),
  )
  roundTrips(changesMethods.propose.response, accepted)
  const refused = fc
    .tuple(fc.constantFrom(...errorCodes), word)
    .map(([code, text]) => refusal(code, text, { paths: ['/a'], n: 1 }))
  roundTrips(
    changesMethods.proposeStream.response,
    record({
      number: safe,
      result: fc.oneof(
        record({ kind: fc.constant('accepted' as const), accepted }),
        record({ kind: fc.constant('refused' as const), refusal: refused }),
      ),
    }),
  )
  roundTrips(configMethods.get.response, record({ entry, revision: safe }))
  roundTrips(
    configMethods.list.response,
    record({ entries: fc.array(entry, { maxLength: 3 }), revision: safe, next: word }),
  )
  const item = record({
    path: word,
    modRevision: safe,
    previousModRevision: safe,
    at: safe,
    changeId: word,
    title: word,
    author: word,
    approvers: fc.array(word),
    content,
  })
  roundTrips(
    configMethods.history.response,
    record({ items: fc.array(item, { maxLength: 3 }), revision: safe }),
  )
  roundTrips(
    configMethods.watch.response,
    fc.oneof(
      record({ kind: fc.constant('started' as const), revision: safe }),
      record({ kind: fc.constant('progress' as const), revision: safe }),
      record({
        kind: fc.constant('batch' as const),
        revision: safe,
        at: safe,
        changeId: word,
        written: fc.array(written, { maxLength: 3 }),
        more: fc.boolean(),
      }),
    ),
  )
  t.pass('every answer')
  t.end()
})

await t.test('changes in every state of a story survive the wire', (t) => {
  const world = new World()
  world.tick()
  const views: ChangeView[] = []
  const look = (changeId: string): void => {
    const view = world.machine.reads.change(changeId, 'bob')
    if (view !== undefined) views.push(view)
  }
  const first = world.propose({ by: 'alice', set: { '/prod/a': { deep: [1, null, 'x'] } } })
  look(first.changeId)
  world.approve('bob', first.changeId)
  look(first.changeId)
  const second = world.propose({ by: 'carol', set: { '/prod/a': 2 } })
  world.approve('carol', first.changeId)
  look(first.changeId)
  look(second.changeId)
  const third = world.propose({ by: 'alice', set: { '/prod/b': null } })
  world.reject('bob', third.changeId)
  world.withdraw('alice', third.changeId)
  look(third.changeId)
  t.ok(views.some(({ activation }) => activation !== undefined))
  t.ok(views.some(({ closed }) => closed !== undefined))
  const codec = changesMethods.get.response
  for (const change of views) {
    t.same(codec.decode(codec.encode({ change, revision: 9 })), { change, revision: 9 })
  }
  const summaries = world.machine.reads.changes({ limit: 10 })
  const listed = { changes: summaries, revision: 3, next: 2 }
  const list = changesMethods.list.response
  t.same(list.decode(list.encode(listed)), listed)

  const preview = world.machine.reads.preview(
    world.proposeCommand({ by: 'alice', set: { '/prod/new': 1 } }),
  )
  const kept = preview.events.filter(({ kind }) => kind === 'stateChanged')
  const previewCodec = changesMethods.preview.response
  const decoded = previewCodec.decode(previewCodec.encode({ preview, revision: 4 }))
  t.same(decoded, { preview: { ...preview, events: kept }, revision: 4 })
  t.end()
})

await t.test('a status survives the wire', (t) => {
  const status = {
    nodeId: 'node-1',
    incarnation: '00',
    clusterId: 'aa',
    clusterName: 'example',
    version: '1',
    ready: true,
    role: 'leader' as const,
    term: 3,
    leaderId: null,
    leaderClientAddress: null,
    clientAddress: 'a:1',
    lastIndex: 9,
    durableIndex: 8,
    commitIndex: 7,
    appliedIndex: 6,
    stateDigest: 'ff',
    logTime: 5,
    featureLevel: 1,
    voters: ['node-1'],
    peers: [
      {
        nodeId: 'node-2',
        state: 'probe' as const,
        matchIndex: 1,
        nextIndex: 2,
        lag: 8,
        silentMs: 10,
        connected: true,
        votes: false,
        catchUpRounds: 3,
        waitsFor: 'slow' as const,
        lastRoundMs: 400,
        roundMsMax: 150,
      },
    ],
    changesByState: { OPEN: 2, ACTIVE: 0 },
    watchers: 1,
    refusals: 2,
    noise: 3,
    snapshotIndex: 4,
    firstIndex: 2,
    members: [{ nodeId: 'node-2', role: 'learner' as const, address: 'b:1' }],
    configurationIndex: 5,
    configurationCommitted: false,
    removed: true,
  }
  const codec = clusterMethods.status.response
  t.same(codec.decode(codec.encode(status)), status)
  t.same(clusterMethods.status.request.decode(clusterMethods.status.request.encode({})), {})
  t.end()
})

await t.test('a number past 2^53 is refused, not rounded', (t) => {
  // 2^53 + 1 as a varint, in `index` (field 4).
  const varint = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
  const hostile = new Uint8Array([0x20, ...varint])
  t.throws(() => changesMethods.propose.response.decode(hostile), { code: 'MALFORMED_REQUEST' })
  t.end()
})

await t.test('a refusal keeps its code; one of a newer node becomes INTERNAL', (t) => {
  for (const code of errorCodes) {
    const refused = refusal(code, 'why', { path: '/a' })
    t.same(decodeRefusal(encodeRefusal(refused)), refused)
  }
  const newer = countersign.v1.Refusal.encode({
    code: 'FROM_THE_FUTURE',
    message: 'what',
    detailsJson: '{"x":1}',
  }).finish()
  t.same(decodeRefusal(newer), refusal('INTERNAL', 'what', { x: 1, code: 'FROM_THE_FUTURE' }))
  const broken = countersign.v1.Refusal.encode({ code: 'BUSY', detailsJson: '[1' }).finish()
  t.throws(() => decodeRefusal(broken), { code: 'MALFORMED_REQUEST' })
  t.end()
})
