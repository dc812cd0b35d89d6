import fc from 'fast-check'
import t from 'tap'
import { configurationOf } from '../../src/raft/index.js'
import { ReadQueue } from '../../src/raft/read-index.js'
import { Group, electionTicksMax, heartbeatTicks } from './group.js'
import { LoneNode, at, only, steadyLeader } from './lone-node.js'
import '../property-seed.js'

const trio = configurationOf(['a', 'b', 'c'])
const quintet = configurationOf(['a', 'b', 'c', 'd', 'e'])
const queueOf = (lastToken = 0) => new ReadQueue('a', lastToken)

const acknowledgeBeat = (
  node: LoneNode,
  from: string,
  readToken: number,
  inTerm: number = node.status.term,
) => {
  node.hear({
    kind: 'heartbeatReply',
    from,
    term: inTerm,
    session: node.sessionOf(from),
    readToken,
  })
}

const read = (node: LoneNode, ...ids: number[]) => {
  for (const id of ids) node.step({ kind: 'read', id })
}

await t.test('reads of one drain share a token, and one round of heartbeats', async (t) => {
  const node = steadyLeader()
  read(node, 1, 2, 3)
  const beats = only(node.outWithSessions(), 'heartbeat')
  t.same(
    beats.map(({ to, readToken }) => [to, readToken]),
    [
      ['b', 1],
      ['c', 1],
    ],
  )
  acknowledgeBeat(node, 'c', 1)
  t.same(node.take().reads, [
    { id: 1, kind: 'ready', index: 1 },
    { id: 2, kind: 'ready', index: 1 },
    { id: 3, kind: 'ready', index: 1 },
  ])
  t.same(node.take().reads, [], 'each once')
})

await t.test('a later acknowledgement confirms all earlier reads', async (t) => {
  const node = steadyLeader()
  read(node, 1)
  node.outWithSessions()
  read(node, 2)
  node.outWithSessions()
  acknowledgeBeat(node, 'b', 2)
  t.same(
    node.take().reads.map(({ id }) => id),
    [1, 2],
  )
})

await t.test('an acknowledgement of an earlier token does not confirm a later read', async (t) => {
  const node = steadyLeader()
  read(node, 1)
  node.outWithSessions()
  read(node, 2)
  node.outWithSessions()
  acknowledgeBeat(node, 'b', 1)
  t.same(
    node.take().reads.map(({ id }) => id),
    [1],
  )
  t.equal(node.status.pendingReads, 1)
})

await t.test('before the own-term commit a read waits', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  node.outWithSessions()
  read(node, 1)
  t.same(only(node.outWithSessions(), 'heartbeat'), [], 'it has no token yet')
  acknowledgeBeat(node, 'b', 0)
  node.acknowledge('b', 1)
  t.same(node.take().reads, [])
  node.step({ kind: 'applied', index: at(1) })
  const beats = node.outWithSessions()
  t.ok(only(beats, 'heartbeat').length <= 2)
  acknowledgeBeat(node, 'b', 1)
  t.same(
    node.take().reads.map(({ id, kind }) => [id, kind]),
    [[1, 'ready']],
  )
})

await t.test('a partitioned old leader answers no read', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.run(heartbeatTicks)
  group.isolate('a')
  const id = group.read('a')
  group.elect('b')
  group.propose('b', 'newer')
  group.settle()
  t.equal(group.outcomeOf('a', id), 'waiting')
  group.run(electionTicksMax + heartbeatTicks, ['a'])
  t.equal(group.outcomeOf('a', id), 'failed')
})

await t.test(
  'a client that repeats its id gets a new token; old acknowledgements do not count',
  async (t) => {
    const node = steadyLeader()
    read(node, 5)
    node.outWithSessions()
    acknowledgeBeat(node, 'b', 1)
    t.equal(node.take().reads.length, 1)
    read(node, 5)
    t.equal(only(node.outWithSessions(), 'heartbeat')[0]?.readToken, 2)
    acknowledgeBeat(node, 'b', 1)
    acknowledgeBeat(node, 'c', 1)
    t.same(node.take().reads, [])
  },
)

await t.test(
  'a token of an earlier leadership is not used again by the same process',
  async (t) => {
    const node = steadyLeader()
    read(node, 1)
    node.outWithSessions()
    node.hear({ kind: 'heartbeat', from: 'b', term: 2, session: 1, commit: at(0), readToken: 0 })
    t.same(node.take().reads, [{ id: 1, kind: 'failed', leader: null }])
    node.becomeLeader()
    node.outWithSessions()
    node.acknowledge('b', node.status.lastIndex)
    node.outWithSessions()
    read(node, 2)
    const beats = only(node.outWithSessions(), 'heartbeat')
    t.equal(beats[0]?.readToken, 2)
    acknowledgeBeat(node, 'b', 2, 1)
    t.same(node.take().reads, [], 'an answer of the old term is stale anyway')
  },
)

await t.test(
  'a leader that was paused answers nothing before its token is acknowledged anew',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.run(heartbeatTicks)
    // While a sleeps, b is elected and writes; a wakes up and is asked before it hears of it.
    group.lost = (message) => message.from === 'a' || message.to === 'a'
    group.elect('b')
    group.propose('b', 'newer')
    group.settle()
    group.heal()
    const id = group.read('a')
    t.equal(group.outcomeOf('a', id), 'waiting')
    group.settle()
    t.equal(group.outcomeOf('a', id), 'failed')
  },
)

await t.test('during a transfer a read needs its proof like any other', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'transferLeadership', to: 'b' })
  read(node, 1)
  t.same(node.take().reads, [])
})

await t.test('a read waits until the state machine has caught up', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'propose', id: 1, payload: new Uint8Array(1) })
  node.take()
  node.persist()
  node.acknowledge('b', 2)
  t.equal(node.take().apply.length, 1)
  read(node, 9)
  node.take()
  acknowledgeBeat(node, 'b', 1)
  t.same(node.take().reads, [])
  node.step({ kind: 'applied', index: at(2) })
  t.same(node.take().reads, [{ id: 9, kind: 'ready', index: 2 }])
})

await t.test('who does not lead refuses, with a hint', async (t) => {
  const node = new LoneNode()
  node.hear({ kind: 'heartbeat', from: 'b', term: 1, session: 1, commit: at(0), readToken: 0 })
  read(node, 1)
  t.same(node.take().reads, [{ id: 1, kind: 'failed', leader: 'b' }])
})

await t.test('a lone voter needs nobody', async (t) => {
  const node = new LoneNode({ voters: ['a'] })
  node.becomeLeader()
  node.timeOut()
  node.out()
  t.equal(node.status.role, 'leader')
  node.out()
  read(node, 1)
  t.same(node.take().reads, [{ id: 1, kind: 'ready', index: 1 }])
})

await t.test(
  'a lost heartbeat is made good by the next one, which carries the token',
  async (t) => {
    const node = steadyLeader()
    read(node, 1)
    node.out()
    node.ticks(heartbeatTicks)
    t.same(
      only(node.outWithSessions(), 'heartbeat').map(({ readToken }) => readToken),
      [1, 1],
    )
    acknowledgeBeat(node, 'b', 1)
    node.out()
    node.ticks(heartbeatTicks)
    t.same(
      only(node.out(), 'heartbeat').map(({ readToken }) => readToken),
      [0, 0],
      'and then it is over',
    )
  },
)

await t.test('a token that was never made, or a stranger, confirms nothing', async (t) => {
  const queue = queueOf()
  queue.add(1)
  queue.open(at(4))
  queue.acknowledge('b', 99)
  queue.acknowledge('x', 1)
  queue.confirm(trio)
  t.same(queue.takeReady(at(9)), [])
  queue.acknowledge('b', 1)
  queue.confirm(trio)
  t.same(queue.takeReady(at(3)), [], 'not applied yet')
  t.same(queue.takeReady(at(4)), [{ id: 1, index: 4 }])
})

await t.test(
  'every read ends once: ready with a majority behind its token, or failed',
  async (t) => {
    const step = fc.oneof(
      fc.constant({ kind: 'add' as const }),
      fc.constant({ kind: 'open' as const }),
      fc.record({
        kind: fc.constant('ack' as const),
        peer: fc.constantFrom('b', 'c', 'd', 'e'),
        token: fc.nat(8),
      }),
      fc.constant({ kind: 'take' as const }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ReadQueue('a', 0)
        const acked = new Map<string, number>()
        const tokenOf = new Map<number, number>()
        const ended = new Set<number>()
        let waiting: number[] = []
        let lastId = 0
        for (const action of steps) {
          if (action.kind === 'add') {
            lastId += 1
            waiting.push(lastId)
            queue.add(lastId)
          }
          if (action.kind === 'open' && queue.open(at(1))) {
            for (const id of waiting) tokenOf.set(id, queue.latestToken)
            waiting = []
          }
          if (action.kind === 'ack') {
            queue.acknowledge(action.peer, action.token)
            if (action.token <= queue.latestToken) {
              acked.set(action.peer, Math.max(action.token, acked.get(action.peer) ?? 0))
            }
          }
          if (action.kind === 'take') {
            queue.confirm(quintet)
            for (const { id } of queue.takeReady(at(1))) {
              const token = tokenOf.get(id)
              if (token === undefined || ended.has(id)) return false
              if ([...acked.values()].filter((value) => value >= token).length < 2) return false
              ended.add(id)
            }
          }
        }
        for (const id of queue.takeAll()) {
          if (ended.has(id)) return false
          ended.add(id)
        }
        return ended.size === lastId && queue.count === 0
      }),
      { numRuns: 1000, seed: 60 },
    )
    t.pass()
  },
)
