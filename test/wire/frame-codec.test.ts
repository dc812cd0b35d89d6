import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import { logIndex, term, type Message } from '../../src/raft/index.js'
import { countersign } from '../../src/wire/protobuf.js'
import { decodeFrame, encodeFrame, frameMessagesMax, type Frame } from '../../src/wire/index.js'
import { hostileBytes, record, snapshotMeta } from './arbitraries.js'
import '../property-seed.js'

const number = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constantFrom(0, 2 ** 32, Number.MAX_SAFE_INTEGER),
)
const terms = number.map(term)
const indexes = number.map(logIndex)
const payload = fc.uint8Array({ maxLength: 64 }).map((array) => new Uint8Array(array))
const head = { from: fc.constant('node-1'), to: fc.constant('node-2'), term: terms }
const last = { lastIndex: indexes, lastTerm: terms }

function kind<const K extends string>(name: K): fc.Arbitrary<K> {
  return fc.constant(name)
}

const append = record({
  kind: kind('append'),
  ...head,
  session: number,
  prevIndex: fc.nat(2 ** 40).map(logIndex),
  prevTerm: terms,
  commit: indexes,
  bodies: fc.array(
    record({ term: terms, kind: fc.constantFrom('noop', 'command', 'configuration'), payload }),
    {
      maxLength: 5,
    },
  ),
}).map(({ bodies, ...rest }) => ({
  ...rest,
  entries: bodies.map((body, offset) => ({
    ...body,
    index: logIndex(rest.prevIndex + 1 + offset),
  })),
}))

const message: fc.Arbitrary<Message> = fc.oneof(
  record({ kind: kind('preVote'), ...head, ...last }),
  record({ kind: kind('preVoteReply'), ...head, granted: fc.boolean() }),
  record({ kind: kind('vote'), ...head, ...last, transfer: fc.boolean() }),
  record({ kind: kind('voteReply'), ...head, granted: fc.boolean() }),
  append,
  record({
    kind: kind('appendReply'),
    ...head,
    session: number,
    result: fc.oneof(
      record({ kind: kind('matched'), matchIndex: indexes }),
      record({
        kind: kind('rejected'),
        rejectedIndex: indexes,
        hintIndex: indexes,
        hintTerm: terms,
      }),
    ),
  }),
  record({
    kind: kind('heartbeat'),
    ...head,
    session: number,
    commit: indexes,
    readToken: number,
  }),
  record({ kind: kind('heartbeatReply'), ...head, session: number, readToken: number }),
  record({ kind: kind('timeoutNow'), ...head }),
  record({ kind: kind('snapshotOffer'), ...head, session: number, snapshot: snapshotMeta }),
)

const frame: fc.Arbitrary<Frame> = fc.oneof(
  record({ kind: kind('messages'), messages: fc.array(message, { maxLength: 6 }) }),
  record({ kind: kind('stampRequest'), id: number, lastIndex: number }),
  record({
    kind: kind('stamp'),
    id: number,
    envelope: record({
      type: fc.string(),
      body: payload,
      signature: payload,
      keyId: fc.string(),
    }),
  }),
  record({
    kind: kind('hello'),
    hello: record({
      clusterId: fc.string(),
      nodeId: fc.string(),
      incarnation: fc.string(),
      protocolMin: fc.nat(),
      protocolMax: fc.nat(),
      featureLevelMax: fc.nat(),
      clientAddress: fc.string(),
      peerAddress: fc.string(),
    }),
  }),
)

await t.test('what is encoded comes back', (t) => {
  fc.assert(
    fc.property(frame, (original) => {
      return isDeepStrictEqual(decodeFrame(encodeFrame(original)), original)
    }),
    { numRuns: 500 },
  )
  t.pass('all came back')
  t.end()
})

await t.test('hostile bytes throw MALFORMED_REQUEST or nothing', (t) => {
  fc.assert(
    fc.property(hostileBytes(frame.map(encodeFrame)), (hostile) => {
      try {
        decodeFrame(hostile)
      } catch (error) {
        return error instanceof CountersignError && error.code === 'MALFORMED_REQUEST'
      }
      return true
    }),
    { numRuns: 3000 },
  )
  t.pass('none escaped')
  t.end()
})

const wireFrame = countersign.peer.v1.Frame
type WireMessage = countersign.peer.v1.RaftMessage.$Properties

function frameOf(body: WireMessage): Uint8Array {
  const messages = [{ from: 'node-1', to: 'node-2', term: 1, ...body }]
  return wireFrame.encode({ messages: { messages } }).finish()
}

await t.test('every index and term: 2^53-1 passes, 2^53 and 2^53+1 are refused', (t) => {
  const beyond = { high: 0x00200000, low: 1, unsigned: true } as unknown as number
  const fields: Record<string, (value: number) => WireMessage> = {
    term: (value) => ({ term: value, timeoutNow: {} }),
    'preVote.lastIndex': (value) => ({ preVote: { lastIndex: value } }),
    'preVote.lastTerm': (value) => ({ preVote: { lastTerm: value } }),
    'vote.lastIndex': (value) => ({ vote: { lastIndex: value } }),
    'vote.lastTerm': (value) => ({ vote: { lastTerm: value } }),
    'append.session': (value) => ({ append: { session: value } }),
    'append.prevIndex': (value) => ({ append: { prevIndex: value } }),
    'append.prevTerm': (value) => ({ append: { prevTerm: value } }),
    'append.commit': (value) => ({ append: { commit: value } }),
    'entry.term': (value) => ({ append: { entries: [{ index: 1, term: value, kind: 1 }] } }),
    'appendReply.session': (value) => ({ appendReply: { session: value, matched: {} } }),
    'matched.matchIndex': (value) => ({ appendReply: { matched: { matchIndex: value } } }),
    'rejected.rejectedIndex': (value) => ({
      appendReply: { rejected: { rejectedIndex: value } },
    }),
    'rejected.hintIndex': (value) => ({ appendReply: { rejected: { hintIndex: value } } }),
    'rejected.hintTerm': (value) => ({ appendReply: { rejected: { hintTerm: value } } }),
    'heartbeat.session': (value) => ({ heartbeat: { session: value } }),
    'heartbeat.commit': (value) => ({ heartbeat: { commit: value } }),
    'heartbeat.readToken': (value) => ({ heartbeat: { readToken: value } }),
    'heartbeatReply.session': (value) => ({ heartbeatReply: { session: value } }),
    'heartbeatReply.readToken': (value) => ({ heartbeatReply: { readToken: value } }),
  }
  for (const [name, body] of Object.entries(fields)) {
    t.doesNotThrow(() => decodeFrame(frameOf(body(Number.MAX_SAFE_INTEGER))), name)
    const refused = { code: 'MALFORMED_REQUEST', message: /2\^53-1/ }
    t.throws(() => decodeFrame(frameOf(body(2 ** 53))), refused, name)
    t.throws(() => decodeFrame(frameOf(body(beyond))), refused, name)
  }
  const entry = (index: number): Uint8Array =>
    frameOf({ append: { prevIndex: index - 1, entries: [{ index, term: 1, kind: 1 }] } })
  t.doesNotThrow(() => decodeFrame(entry(Number.MAX_SAFE_INTEGER)))
  t.throws(() => decodeFrame(entry(2 ** 53)), { code: 'MALFORMED_REQUEST' })
  for (const field of ['id', 'lastIndex']) {
    const request = (value: number): Uint8Array =>
      wireFrame.encode({ stampRequest: { [field]: value } }).finish()
    t.doesNotThrow(() => decodeFrame(request(Number.MAX_SAFE_INTEGER)))
    t.throws(() => decodeFrame(request(2 ** 53)), { code: 'MALFORMED_REQUEST' })
  }
  t.end()
})

await t.test('what a peer may not say is refused with a sentence', (t) => {
  const rows: [string, Uint8Array, RegExp][] = [
    ['no kind of frame', new Uint8Array(), /frame is of no known kind/],
    ['an unknown kind of frame', new Uint8Array([0x7a, 0x00]), /frame is of no known kind/],
    ['an unknown message', frameOf({}), /message is of no known kind/],
    ['no sender', frameOf({ from: '', timeoutNow: {} }), /from names no node/],
    ['no receiver', frameOf({ to: '', timeoutNow: {} }), /to names no node/],
    ['a sender too long', frameOf({ from: 'n'.repeat(513), timeoutNow: {} }), /from names no node/],
    ['a reply without result', frameOf({ appendReply: {} }), /no result/],
    [
      'an entry of an unknown kind',
      frameOf({ append: { entries: [{ index: 1, term: 1, kind: 4 }] } }),
      /entry is of no known kind/,
    ],
    [
      'a gap before the entries',
      frameOf({ append: { prevIndex: 4, entries: [{ index: 6, term: 1, kind: 1 }] } }),
      /unbroken/,
    ],
    ['a stamp without envelope', wireFrame.encode({ stamp: { id: 1 } }).finish(), /no envelope/],
    [
      'a word too long in the hello',
      wireFrame.encode({ hello: { nodeId: 'n'.repeat(513) } }).finish(),
      /hello.nodeId is too long/,
    ],
    [
      'too many messages',
      wireFrame
        .encode({ messages: { messages: Array<object>(frameMessagesMax + 1).fill({}) } })
        .finish(),
      /too many messages/,
    ],
  ]
  for (const [name, bytes, reason] of rows) {
    t.throws(() => decodeFrame(bytes), { code: 'MALFORMED_REQUEST', message: reason }, name)
  }
  t.end()
})

await t.test('a payload has its own memory', (t) => {
  const bytes = Buffer.from(
    frameOf({
      append: { entries: [{ index: 1, term: 1, kind: 2, payload: new Uint8Array([9]) }] },
    }),
  )
  const decoded = decodeFrame(bytes)
  bytes.fill(0)
  t.match(decoded, { messages: [{ entries: [{ payload: new Uint8Array([9]) }] }] })
  t.end()
})
