import fc from 'fast-check'
import t from 'tap'
import { Inflights } from '../../src/raft/progress/inflights.js'
import { Progress } from '../../src/raft/progress/progress.js'
import { configurationOf, logIndex, term, type SnapshotMeta } from '../../src/raft/index.js'
import { at } from './lone-node.js'
import '../property-seed.js'

const window = { inflightMessagesMax: 3, inflightBytesMax: 1000 }
const fresh = (nextIndex: number) =>
  new Progress({ nextIndex: at(nextIndex), session: 1, nowTicks: 0 }, window)

const send = (progress: Progress, lastIndex: number, commit = 0, bytes = 10) => {
  progress.sent({ lastIndex: at(lastIndex), bytes, commit: at(commit) })
}

await t.test('the window counts messages and bytes, and frees from the front', async (t) => {
  const inflights = new Inflights(window)
  inflights.add(at(2), 400)
  inflights.add(at(4), 400)
  t.notOk(inflights.isFull())
  inflights.add(at(5), 300)
  t.ok(inflights.isFull(), 'three messages')
  inflights.freeTo(at(3))
  t.equal(inflights.messages, 2)
  t.equal(inflights.bytes, 700)
  inflights.add(at(9), 300)
  inflights.freeTo(at(5))
  t.equal(inflights.messages, 1)
  inflights.add(at(10), 700)
  t.ok(inflights.isFull(), 'a thousand bytes')
  inflights.clear()
  t.equal(inflights.bytes, 0)
  t.notOk(inflights.isFull())
})

await t.test('probe: one append, then it waits for an answer or a heartbeat reply', async (t) => {
  const progress = fresh(5)
  t.equal(progress.kind, 'probe')
  t.ok(progress.wantsAppend(at(9), at(0)))
  send(progress, 9)
  t.notOk(progress.wantsAppend(at(9), at(0)))
  t.equal(progress.nextIndex, 5, 'nothing is assumed')
  progress.heartbeatAnswered(0, 200)
  t.ok(progress.wantsAppend(at(9), at(0)))
})

await t.test(
  'a probe goes out even when there is nothing to send: it must be known to agree',
  async (t) => {
    t.ok(fresh(5).wantsAppend(at(4), at(0)))
  },
)

await t.test('a match leads to replicate, which sends ahead within the window', async (t) => {
  const progress = fresh(5)
  send(progress, 5)
  progress.matched(at(5), at(0))
  t.equal(progress.kind, 'replicate')
  t.equal(progress.nextIndex, 6)
  for (const last of [6, 7, 8]) {
    t.ok(progress.wantsAppend(at(20), at(0)))
    send(progress, last)
  }
  t.equal(progress.nextIndex, 9)
  t.notOk(progress.wantsAppend(at(20), at(0)), 'the window is full')
  t.notOk(progress.hasRoom())
  progress.matched(at(7), at(0))
  t.ok(progress.wantsAppend(at(20), at(0)))
  t.equal(progress.inflights.messages, 1)
})

await t.test('a full window of lost appends is found by an empty one', async (t) => {
  const progress = fresh(1)
  progress.matched(at(0), at(0))
  for (const last of [1, 2, 3]) send(progress, last)
  t.notOk(progress.wantsAppend(at(9), at(0)))
  progress.heartbeatAnswered(0, 200)
  t.ok(progress.wantsAppend(at(9), at(0)))
  t.notOk(progress.hasRoom(), 'empty')
  send(progress, 3)
  t.notOk(progress.wantsAppend(at(9), at(0)), 'one for each heartbeat reply')
  t.ok(progress.rejected(at(3), at(0)))
  t.equal(progress.kind, 'probe')
  t.equal(progress.nextIndex, 1)
  t.equal(progress.inflights.messages, 0)
})

await t.test('a caught-up peer gets nothing more, except the commit index, once', async (t) => {
  const progress = fresh(1)
  progress.matched(at(4), at(0))
  t.notOk(progress.wantsAppend(at(4), at(0)))
  t.ok(progress.wantsAppend(at(4), at(4)))
  send(progress, 4, 4, 0)
  t.notOk(progress.wantsAppend(at(4), at(4)))
  t.equal(progress.inflights.messages, 0, 'an empty append takes no room')
  progress.heartbeatAnswered(0, 200)
  t.notOk(progress.wantsAppend(at(4), at(4)))
})

await t.test('a rejection that comes after the match, or twice, lowers nothing', async (t) => {
  const progress = fresh(10)
  send(progress, 10)
  t.ok(progress.rejected(at(9), at(4)))
  t.equal(progress.nextIndex, 5)
  t.notOk(progress.rejected(at(9), at(2)), 'the same probe again')
  t.equal(progress.nextIndex, 5)
  send(progress, 6)
  progress.matched(at(6), at(0))
  t.notOk(progress.rejected(at(4), at(0)))
  t.notOk(progress.rejected(at(6), at(0)))
  t.equal(progress.kind, 'replicate')
  t.equal(progress.matchIndex, 6)
  t.equal(progress.nextIndex, 7)
})

await t.test('a rejection never leads below what matched, nor forward', async (t) => {
  const progress = fresh(10)
  progress.matched(at(3), at(0))
  send(progress, 8)
  t.ok(progress.rejected(at(8), at(20)))
  t.equal(progress.nextIndex, 4)
  const probing = fresh(10)
  t.ok(probing.rejected(at(9), at(50)))
  t.equal(probing.nextIndex, 9, 'at least one step back')
})

await t.test('a late match does not lower what is known', async (t) => {
  const progress = fresh(1)
  progress.matched(at(5), at(0))
  progress.matched(at(2), at(0))
  t.equal(progress.matchIndex, 5)
  t.equal(progress.nextIndex, 6)
})

await t.test(
  'a new session forgets the match and begins to search where the logs agreed',
  async (t) => {
    const progress = fresh(1)
    progress.matched(at(5), at(0))
    for (const last of [6, 7]) send(progress, last)
    progress.startSession(9)
    t.equal(progress.session, 9)
    t.equal(progress.kind, 'probe')
    t.equal(progress.matchIndex, 0)
    t.equal(progress.nextIndex, 6)
    t.equal(progress.inflights.bytes, 0)
    t.ok(progress.wantsAppend(at(7), at(0)))
    t.ok(progress.rejected(at(5), at(0)), 'a wiped disk is fed from the start')
    t.equal(progress.nextIndex, 1)
  },
)

await t.test('a new session before any answer goes on where the search was', async (t) => {
  const progress = fresh(900)
  send(progress, 900)
  progress.startSession(2)
  t.equal(progress.nextIndex, 900, 'nothing says that the peer lacks anything')
  progress.matched(at(899), at(0))
  for (const session of [3, 4]) progress.startSession(session)
  t.equal(progress.matchIndex, 0)
  t.equal(progress.nextIndex, 900, 'twice in a row is not further back than once')
  t.ok(progress.rejected(at(899), at(700)))
  progress.startSession(5)
  t.equal(progress.nextIndex, 701, 'what a rejection has told stays told')
})

const snapshotAt = (index: number): SnapshotMeta => ({
  index: at(index),
  term: term(1),
  configuration: configurationOf(['a', 'b']),
  configurationIndex: at(0),
})

await t.test('a peer that needs a snapshot gets offers, and no appends', async (t) => {
  const progress = fresh(1)
  for (const last of [2, 4]) send(progress, last)
  progress.needSnapshot(10)
  t.equal(progress.kind, 'snapshot')
  t.equal(progress.inflights.messages, 0)
  t.notOk(progress.wantsAppend(at(90), at(90)))
  t.throws(
    () => {
      send(progress, 5)
    },
    { message: 'no append goes to a peer that needs a snapshot' },
  )
  t.notOk(progress.rejected(at(40), at(3)), 'a late rejection means nothing')
  t.ok(progress.offerDue)
  t.equal(progress.pin, null)
  t.equal(progress.offer(snapshotAt(50), 10).index, 50)
  t.notOk(progress.offerDue)
  t.same(progress.pin, { index: 50, sinceTicks: 10 })
})

await t.test('an offer is repeated after a heartbeat reply, and not too often', async (t) => {
  const progress = fresh(1)
  progress.needSnapshot(0)
  progress.offer(snapshotAt(50), 0)
  progress.heartbeatAnswered(200, 200)
  t.notOk(progress.offerDue)
  progress.heartbeatAnswered(201, 200)
  t.ok(progress.offerDue)
  t.equal(progress.offer(snapshotAt(70), 201).index, 50, 'the one that is on its way, not a newer')
  t.same(progress.pin, { index: 50, sinceTicks: 0 })
  progress.unpin()
  t.equal(progress.pin, null)
  t.notOk(progress.offerDue)
  progress.heartbeatAnswered(402, 200)
  t.equal(progress.offer(snapshotAt(90), 402).index, 90, 'without a pin the latest')
  t.same(progress.pin, { index: 90, sinceTicks: 402 })
})

await t.test('any match from the anchor on ends the snapshot, whatever was offered', async (t) => {
  for (const index of [40, 50, 77]) {
    const progress = fresh(1)
    progress.needSnapshot(0)
    progress.offer(snapshotAt(50), 0)
    progress.matched(at(39), at(40))
    t.equal(progress.kind, 'snapshot')
    t.notOk(progress.offerDue, 'it is still on its way')
    progress.matched(at(index), at(40))
    t.equal(progress.kind, 'replicate')
    t.equal(progress.nextIndex, index + 1)
    t.equal(progress.pin, null)
  }
})

await t.test('a match that comes too late for the log asks for the latest at once', async (t) => {
  const progress = fresh(1)
  progress.needSnapshot(0)
  progress.offer(snapshotAt(50), 0)
  progress.unpin()
  progress.matched(at(50), at(60))
  t.equal(progress.kind, 'snapshot')
  t.ok(progress.offerDue)
  t.equal(progress.offer(snapshotAt(80), 5).index, 80)
  progress.matched(at(50), at(60))
  t.notOk(progress.offerDue, 'the same answer again is no news')
})

await t.test('a new session is offered the same snapshot again, pinned since before', async (t) => {
  const progress = fresh(1)
  progress.matched(at(3), at(0))
  progress.needSnapshot(0)
  progress.offer(snapshotAt(50), 7)
  for (const session of [2, 3]) {
    progress.startSession(session)
    t.equal(progress.kind, 'snapshot')
    t.equal(progress.matchIndex, 0)
    t.ok(progress.offerDue, 'at once: the offer of before may be lost with its stream')
    t.equal(progress.offer(snapshotAt(90), 100).index, 50, 'what is stored of it is of use')
    t.same(progress.pin, { index: 50, sinceTicks: 7 }, 'the pin does not live longer by it')
  }
  progress.unpin()
  progress.startSession(4)
  t.equal(progress.offer(snapshotAt(90), 200).index, 90, 'a worn out one is not taken up again')
  progress.matched(at(90), at(60))
  t.equal(progress.kind, 'replicate')
})

await t.test('whatever is answered, match < next, and the window fits between them', async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('matched' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('rejected' as const), index: fc.nat(20), fit: fc.nat(20) }),
    fc.record({ kind: fc.constant('heartbeat' as const) }),
    fc.record({ kind: fc.constant('session' as const) }),
    fc.record({ kind: fc.constant('compacted' as const), anchor: fc.nat(20) }),
    fc.record({ kind: fc.constant('offer' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('unpin' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const progress = fresh(6)
      let session = 1
      let anchor = 0
      let now = 0
      for (const action of steps) {
        now += 60
        const before = progress.matchIndex
        if (action.kind === 'send' && progress.wantsAppend(at(20), at(0))) {
          const last = progress.hasRoom()
            ? Math.max(progress.nextIndex - 1, action.index)
            : progress.nextIndex - 1
          send(progress, last)
        }
        if (action.kind === 'matched') progress.matched(logIndex(action.index), at(anchor))
        if (action.kind === 'rejected') progress.rejected(at(action.index), at(action.fit))
        if (action.kind === 'heartbeat') progress.heartbeatAnswered(now, 200)
        if (action.kind === 'compacted') {
          anchor = Math.max(anchor, action.anchor)
          if (progress.nextIndex <= anchor) progress.needSnapshot(now)
        }
        if (action.kind === 'offer' && progress.offerDue) progress.offer(snapshotAt(20), now)
        if (action.kind === 'unpin') progress.unpin()
        if (progress.kind === 'snapshot' && progress.wantsAppend(at(20), at(20))) return false
        if ((progress.offerDue || progress.pin !== null) && progress.kind !== 'snapshot')
          return false
        if (action.kind === 'session') progress.startSession(++session)
        const between = progress.nextIndex - 1 - progress.matchIndex
        if (between < 0 || progress.inflights.messages > between) return false
        if (action.kind !== 'session' && progress.matchIndex < before) return false
      }
      return true
    }),
    { numRuns: 1000, seed: 26 },
  )
  t.pass()
})
