import fc from 'fast-check'
import t from 'tap'
import { Raft, term } from '../../src/raft/index.js'
import { Group, bytes, electionTicksMax, heartbeatTicks, logOf, optionsOf } from './group.js'
import { LoneNode, append, at, hardStateOf, only, steadyLeader } from './lone-node.js'
import '../property-seed.js'

const limits = optionsOf('a', ['a']).limits

const propose = (node: LoneNode, ...texts: string[]) => {
  for (const text of texts) node.step({ kind: 'propose', id: 7, payload: bytes(text) })
}

await t.test('a drain of 200 proposals is one append for each peer and one write', async (t) => {
  const node = steadyLeader()
  propose(node, ...Array.from({ length: 200 }, (_, place) => String(place)))
  const output = node.take()
  t.same(
    only([...output.send], 'append').map(({ to, entries }) => [to, entries.length]),
    [
      ['b', 200],
      ['c', 200],
    ],
  )
  t.equal(output.persist?.entries.length, 200)
  t.equal(node.take().persist, null)
})

await t.test('the byte limit cuts a drain into contiguous appends', async (t) => {
  const node = steadyLeader({ limits: { ...limits, appendBytesMax: 250 } })
  propose(node, ...Array.from({ length: 20 }, () => 'x'.repeat(50)))
  const appends = only([...node.take().send], 'append').filter(({ to }) => to === 'b')
  t.ok(appends.length > 5)
  let expected = 2
  for (const message of appends) {
    t.equal(message.prevIndex, expected - 1)
    for (const entry of message.entries) t.equal(entry.index, expected++)
    t.ok(message.entries.length <= 3)
  }
  t.equal(expected, 22)
})

await t.test('the leader counts itself only when its own write is durable', async (t) => {
  const node = steadyLeader()
  propose(node, 'x')
  node.take()
  t.equal(node.status.commitIndex, 1)
  node.persist()
  t.equal(node.status.commitIndex, 1)
  node.acknowledge('b', 2)
  t.equal(node.status.commitIndex, 2)
})

await t.test(
  'a majority without the leader commits; the leader applies when it is durable here',
  async (t) => {
    const node = steadyLeader()
    propose(node, 'x')
    node.take()
    node.acknowledge('b', 2)
    node.acknowledge('c', 2)
    t.equal(node.status.commitIndex, 2)
    t.same(node.take().apply, [])
    node.persist()
    t.same(
      node.take().apply.map((entry) => entry.index),
      [2],
    )
  },
)

await t.test(
  'followers hear of a commit without waiting for the next proposal or heartbeat',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.propose('a', 'x')
    group.settle()
    for (const id of ['b', 'c']) t.same(group.appliedTexts(id), ['x'])
  },
)

await t.test(
  'an old-term entry on a majority is not committed until an own-term entry is',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(3), entries: logOf(1, 2) })
    node.becomeLeader()
    node.outWithSessions()
    node.acknowledge('b', 2)
    node.acknowledge('c', 2)
    t.equal(node.status.commitIndex, 0)
    node.acknowledge('b', 3)
    t.equal(node.status.commitIndex, 3)
  },
)

await t.test('commit <= prev + length: a stale suffix behind it is not committed', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 1, 2, 2, 2) })
  node.hear(append('b', 3, [1, 1], [1], 5))
  t.equal(node.status.commitIndex, 2)
  t.equal(node.status.lastIndex, 5, 'what does not conflict stays')
  node.hear({
    kind: 'heartbeat',
    from: 'b',
    term: 3,
    session: 1,
    commit: at(5),
    readToken: 0,
  })
  t.equal(node.status.commitIndex, 2)
})

await t.test('a late, older append removes nothing that matches', async (t) => {
  const node = new LoneNode()
  node.hear(append('b', 1, [0, 0], [1, 1, 1]))
  node.out()
  node.hear(append('b', 1, [0, 0], [1]))
  const { persist } = node.take()
  t.equal(persist?.truncateAfter, null)
  t.equal(node.status.lastIndex, 3)
  t.match(persist?.thenSend, [{ result: { kind: 'matched', matchIndex: 1 } }])
})

await t.test('an empty append after a place that is not there is rejected', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 2) })
  for (const prev of [
    [2, 1],
    [3, 2],
  ] as const) {
    node.hear(append('b', 2, prev))
    t.equal(only(node.out(), 'appendReply')[0]?.result.kind, 'rejected')
  }
})

await t.test(
  'a heartbeat commits no more than this leader has verified: no crash loop',
  async (t) => {
    const node = new LoneNode()
    node.hear({ kind: 'heartbeat', from: 'b', term: 1, session: 1, commit: at(1000), readToken: 0 })
    t.equal(node.status.commitIndex, 0)
    node.hear(append('b', 1, [0, 0], [1, 1]))
    node.hear({ kind: 'heartbeat', from: 'b', term: 1, session: 1, commit: at(1000), readToken: 0 })
    t.equal(node.status.commitIndex, 2)
    node.hear({ kind: 'heartbeat', from: 'c', term: 2, session: 1, commit: at(1000), readToken: 0 })
    t.equal(node.status.commitIndex, 2)
  },
)

await t.test('a leader tells each peer no commit beyond its match', async (t) => {
  const node = steadyLeader()
  propose(node, 'x', 'y')
  node.outWithSessions()
  node.acknowledge('b', 3)
  node.ticks(heartbeatTicks)
  const beats = only(node.out(), 'heartbeat')
  t.same(
    beats.map(({ to, commit }) => [to, commit]),
    [
      ['b', 3],
      ['c', 1],
    ],
  )
})

await t.test(
  'a conflict at or below the commit index stops the node with the evidence',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(2, null, 2), entries: logOf(1, 2) })
    t.throws(
      () => {
        node.hear(append('b', 3, [0, 0], [1, 3]))
      },
      {
        name: 'InvariantViolation',
        message: 'a committed entry is never overwritten',
        facts: {
          index: 2,
          commitIndex: 2,
          ownTerm: 2,
          leaderEntryTerm: 3,
          leader: 'b',
          leaderTerm: 3,
        },
      },
    )
  },
)

await t.test('a divergent tail of 10,000 entries: probes <= distinct terms + 1', async (t) => {
  for (const distinct of [1, 3, 20]) {
    const tail = Array.from(
      { length: 10_000 },
      (_, place) => 2 + 2 * Math.floor((place * distinct) / 10_000),
    )
    const leaderTail = tail.map((value) => value + 1)
    const group = new Group(['a', 'b', 'c'], (id) => ({
      hardState: hardStateOf(100),
      entries: id === 'a' ? logOf(1, ...leaderTail) : id === 'b' ? logOf(1, ...tail) : [],
    }))
    group.elect('a')
    const rejected = group.sent.filter(
      (message) =>
        message.kind === 'appendReply' &&
        message.from === 'b' &&
        message.result.kind === 'rejected',
    )
    t.ok(rejected.length <= distinct + 1, `${String(rejected.length)} for ${String(distinct)}`)
    t.same(group.terms('b'), group.terms('a'))
  }
})

await t.test(
  'any two logs that Raft can produce converge, within the bound of probes',
  async (t) => {
    const rises = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 12 })
    fc.assert(
      fc.property(rises, rises, rises, (common, left, right) => {
        let value = 1
        const shared = common.map((rise) => (value += rise))
        const tail = (steps: number[], parity: number) => {
          let own = value + 1
          return steps.map((rise) => (own += rise) * 2 + parity)
        }
        const scaled = shared.map((step) => step * 2)
        const logs = { a: [...scaled, ...tail(left, 0)], b: [...scaled, ...tail(right, 1)] }
        const group = new Group(['a', 'b', 'c'], (id) => ({
          hardState: hardStateOf(999),
          entries: id === 'a' ? logOf(...logs.a) : id === 'b' ? logOf(...logs.b) : [],
        }))
        group.elect('a')
        const rejected = group.sent.filter(
          (message) =>
            message.kind === 'appendReply' &&
            message.from === 'b' &&
            message.result.kind === 'rejected',
        )
        const bound = new Set(logs.b).size + 1
        return group.terms('b').join() === group.terms('a').join() && rejected.length <= bound
      }),
      { numRuns: 200, seed: 19 },
    )
    t.pass()
  },
)

await t.test('A, B, A with writes in flight: the store ends equal to the log', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.holdDisk('a')
  const hear = (from: string, inTerm: number, entryTerm: number) => {
    group.step('a', {
      kind: 'receive',
      message: { ...append(from, inTerm, [0, 0], [entryTerm]), to: 'a', term: term(inTerm) },
    })
  }
  hear('b', 1, 1)
  hear('c', 2, 2)
  hear('b', 3, 1)
  t.equal(group.status('a').durableIndex, 0)
  group.releaseDisk('a')
  t.same(group.terms('a'), [1])
  t.equal(group.status('a').durableIndex, 1)
})

await t.test('a completion of an older term does not count for the new one', async (t) => {
  const node = steadyLeader()
  propose(node, 'x')
  node.take()
  node.hear(append('b', 2, [1, 1], [2]))
  node.persist()
  t.equal(node.status.durableIndex, 1, 'what the write held was cut off since')
  t.equal(node.status.commitIndex, 1)
  node.take()
  node.persist()
  t.equal(node.status.durableIndex, 2)
})

await t.test('answers of an older session are void', async (t) => {
  const node = steadyLeader()
  propose(node, 'x')
  node.outWithSessions()
  const old = node.sessionOf('b')
  node.step({ kind: 'peerConnected', peer: 'b' })
  node.outWithSessions()
  t.not(node.sessionOf('b'), old)
  node.acknowledge('b', 2, old)
  t.equal(node.status.commitIndex, 1)
  t.equal(node.status.peers.find(({ id }) => id === 'b')?.matchIndex, 0)
  node.acknowledge('b', 2)
  t.equal(node.status.commitIndex, 2)
})

await t.test('a peer that comes back with an empty disk is fed again from the start', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  for (const text of ['x', 'y', 'z']) group.propose('a', text)
  group.settle()
  group.crash('c')
  group.member('c').entries = []
  group.member('c').hardState = { ...group.member('c').hardState, commit: at(0) }
  group.restart('c')
  group.settle()
  t.same(group.appliedTexts('c'), ['x', 'y', 'z'])
})

await t.test(
  'a match beyond the own log, and an append with a gap, are refused, not believed',
  async (t) => {
    const node = steadyLeader()
    node.acknowledge('b', 99)
    t.equal(node.status.commitIndex, 1)
    t.equal(node.status.peers[0]?.matchIndex, 1)
    const follower = new LoneNode()
    const good = append('b', 1, [0, 0], [1, 1])
    follower.hear({ ...good, entries: good.entries.slice(1) })
    follower.hear({ ...good, entries: good.entries.toReversed() })
    follower.hear(append('b', 1, [0, 0], [2]))
    t.same(follower.out(), [])
    t.equal(follower.status.lastIndex, 0)
  },
)

await t.test('all nodes lose what is not synced: nothing acknowledged is gone', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.propose('a', 'kept')
  group.settle()
  t.same(group.appliedTexts('a'), ['kept'])
  for (const id of ['a', 'b', 'c']) group.holdDisk(id)
  group.propose('a', 'lost')
  group.settle()
  t.same(group.appliedTexts('a'), ['kept'])
  for (const id of ['a', 'b', 'c']) group.crash(id)
  for (const id of ['a', 'b', 'c']) group.restart(id)
  group.elect('b')
  group.run(heartbeatTicks)
  for (const id of ['a', 'b', 'c']) t.same(group.appliedTexts(id), ['kept'])
})

await t.test('what was applied before a restart is not handed out again', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(1, null, 3),
    entries: logOf(1, 1, 1),
    applied: at(2),
  })
  t.same(
    node.take().apply.map((entry) => entry.index),
    [3],
  )
  t.same(node.take().apply, [])
})

await t.test(
  'a leader never uses an index of its term again, whatever its disk does',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.run(heartbeatTicks)
    group.holdDisk('a')
    group.propose('a', 'x')
    group.settle()
    group.crash('a')
    group.restart('a')
    group.elect('b')
    group.propose('b', 'y')
    group.run(heartbeatTicks)
    for (const id of ['a', 'b', 'c']) {
      t.same(group.appliedTexts(id), ['x', 'y'], 'the followers have the entry that a lost')
    }
  },
)

await t.test('a log that is shorter than its commit index, or has a gap, is refused', async (t) => {
  const options = optionsOf('a', ['a', 'b', 'c'])
  t.throws(() => new Raft({ ...options, hardState: hardStateOf(1, null, 5), entries: logOf(1) }), {
    name: 'InvariantViolation',
    message: 'the log that was read back reaches its commit index',
    facts: { commit: 5, lastIndex: 1 },
  })
  t.throws(
    () => new Raft({ ...options, hardState: hardStateOf(1), entries: logOf(1, 1).slice(1) }),
    { message: 'the log has no gap' },
  )
  t.throws(() => new Raft({ ...options, hardState: hardStateOf(1), entries: logOf(2) }), {
    message: 'no entry that was read back is of a later term than the hard state',
  })
})

await t.test('a leader that steps down says so: role, term and leader in one report', async (t) => {
  const node = steadyLeader()
  propose(node, 'x')
  node.take()
  node.hear(append('b', 2, [1, 1], []))
  t.same(node.take().leadership, { role: 'follower', term: 2, leader: 'b' })
  propose(node, 'y')
  t.same(node.take().proposals, [{ id: 7, kind: 'refused', code: 'NOT_LEADER', leader: 'b' }])
})

await t.test(
  'without a majority, proposals are refused at the byte limit, and drain after',
  async (t) => {
    const node = steadyLeader({ limits: { ...limits, uncommittedBytesMax: 100 } })
    propose(node, 'x'.repeat(60), 'x'.repeat(40), 'x')
    t.same(
      node.take().proposals.map((outcome) => outcome.kind),
      ['appended', 'appended', 'refused'],
    )
    t.equal(node.status.uncommittedBytes, 100)
    node.persist()
    node.outWithSessions()
    node.acknowledge('b', 3)
    t.equal(node.status.uncommittedBytes, 0)
    propose(node, 'x'.repeat(500))
    t.same(
      node.take().proposals.map((outcome) => outcome.kind),
      ['appended'],
      'one that is larger than the limit passes alone',
    )
    propose(node, '')
    t.match(node.take().proposals, [{ kind: 'refused', code: 'BUSY' }])
    t.equal(node.status.counters.proposalsRefused, 2)
  },
)

await t.test('the no-op of a new leader is exempt, and the tail it inherits counts', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(1),
    entries: logOf(1, 1),
    limits: { ...limits, uncommittedBytesMax: 1 },
  })
  node.becomeLeader()
  t.equal(node.status.lastIndex, 3)
  t.equal(node.status.uncommittedBytes, 6)
  propose(node, 'x')
  t.match(node.take().proposals, [{ kind: 'refused', code: 'BUSY' }])
})

await t.test('so are both steps of a change of members: it may let the rest commit', async (t) => {
  const node = steadyLeader({ limits: { ...limits, uncommittedBytesMax: 10 } })
  propose(node, 'x'.repeat(10))
  const wish = { kind: 'changeMembership', id: 9, basedOn: null, learners: [] } as const
  node.step({ ...wish, voters: ['a', 'b'] })
  t.match(node.take().memberships, [{ kind: 'appended', index: 3 }])
  t.same(node.status.configuration.outgoing, ['a', 'b', 'c'])
  propose(node, 'x')
  t.match(node.take().proposals, [{ kind: 'refused', code: 'BUSY' }], 'the entry itself counts')
  node.persist()
  node.acknowledge('b', 3)
  t.equal(node.status.uncommittedBytes, 0)
  propose(node, 'x'.repeat(10))
  const entries = node.take().persist?.entries.map(({ index, kind }) => [index, kind])
  t.same(entries, [
    [4, 'command'],
    [5, 'configuration'],
  ])
  t.same(node.status.configuration.outgoing, [], 'the joint configuration is left at the limit')
  propose(node, 'x')
  t.match(node.take().proposals, [{ kind: 'refused', code: 'BUSY' }])
})

await t.test('one slow follower never slows commits, and its window holds it back', async (t) => {
  const node = steadyLeader({ limits: { ...limits, inflightMessagesMax: 4 } })
  let sentToSlow = 0
  for (let round = 0; round < 50; round += 1) {
    propose(node, 'x')
    const messages = node.outWithSessions()
    sentToSlow += only(messages, 'append').filter(({ to }) => to === 'c').length
    node.acknowledge('b', node.status.lastIndex)
    t.equal(node.status.commitIndex, node.status.lastIndex)
  }
  t.ok(sentToSlow <= 4 + 50, 'after the window is full, at most the commit index')
  t.equal(node.status.peers.find(({ id }) => id === 'c')?.inflightMessages, 4)
})

await t.test('a window full of lost appends recovers', async (t) => {
  const group = new Group(['a', 'b', 'c'], () => ({
    limits: { ...limits, inflightMessagesMax: 2 },
  }))
  group.elect('a')
  group.isolate('c')
  for (let round = 0; round < 20; round += 1) {
    group.propose('a', String(round))
    group.settle()
  }
  group.heal()
  group.run(5 * heartbeatTicks)
  t.equal(group.appliedTexts('c').length, 20)
})

await t.test('apply is held back by bytes that are handed out and not yet applied', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(1, null, 4),
    entries: logOf(1, 1, 1, 1),
    limits: { ...limits, applyingBytesMax: 6 },
  })
  const indexes = () => node.take().apply.map((entry) => entry.index)
  t.same(indexes(), [1, 2])
  t.same(indexes(), [])
  node.step({ kind: 'applied', index: at(1) })
  t.same(indexes(), [3])
  node.step({ kind: 'applied', index: at(3) })
  t.same(indexes(), [4])
  t.throws(
    () => {
      node.step({ kind: 'applied', index: at(9) })
    },
    { message: 'only what was handed out can be applied' },
  )
})

await t.test('the commit index alone is not worth a write', async (t) => {
  const node = new LoneNode()
  node.hear(append('b', 1, [0, 0], [1]))
  node.out()
  node.hear({ kind: 'heartbeat', from: 'b', term: 1, session: 1, commit: at(1), readToken: 0 })
  t.equal(node.take().persist?.hardState, null)
  node.persist()
  node.hear(append('b', 1, [1, 1], [1]))
  t.equal(node.take().persist?.hardState?.commit, 1, 'it goes along with the next entries')
})

await t.test('traces are made only when asked for, one for each transition', async (t) => {
  t.same(steadyLeader().take().trace, [])
  const node = new LoneNode({ trace: true })
  node.becomeCandidate()
  node.step({ kind: 'persisted', token: node.take().persist?.token ?? 0 })
  const names = node.take().trace.map((event) => event.name)
  t.ok(names.includes('Persisted'))
  t.ok(names.includes('SendRequestVoteRequest'))
  node.ticks(electionTicksMax)
  t.match(node.take().trace, [{ name: 'BecomePreCandidate', nid: 'a', role: 'preCandidate' }])
})
