import t from 'tap'
import { term } from '../../src/raft/index.js'
import { SeededRandom } from '../simulation/random.js'
import { Group, bytes, electionTicksMax, electionTicksMin, heartbeatTicks, logOf } from './group.js'
import { LoneNode, at, hardStateOf, only } from './lone-node.js'

const heartbeat = (from: string, inTerm: number) =>
  ({ kind: 'heartbeat', from, term: inTerm, session: 1, commit: at(0), readToken: 0 }) as const

const preVote = (from: string, inTerm: number, lastIndex = 0, lastTerm = 0) =>
  ({
    kind: 'preVote',
    from,
    term: inTerm,
    lastIndex: at(lastIndex),
    lastTerm: term(lastTerm),
  }) as const

const vote = (from: string, inTerm: number, lastIndex = 0, lastTerm = 0, transfer = false) =>
  ({ ...preVote(from, inTerm, lastIndex, lastTerm), kind: 'vote', transfer }) as const

const leaderOf = (group: Group): string[] =>
  [...group.members.keys()].filter(
    (id) => group.member(id).alive && group.status(id).role === 'leader',
  )

await t.test('a lone voter elects itself as soon as its vote is on disk', async (t) => {
  const node = new LoneNode({ voters: ['a'] })
  node.timeOut()
  t.equal(node.status.role, 'candidate')
  const { persist, send } = node.take()
  t.same(persist?.hardState, { term: 1, votedFor: 'a', commit: 0 })
  t.same(send, [])
  node.persist()
  t.equal(node.status.role, 'leader')
  node.out()
  t.equal(node.status.commitIndex, 1)
})

await t.test('a clean election: one leader, its no-op committed on all', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.run(heartbeatTicks)
  t.same(leaderOf(group), ['a'])
  for (const id of ['a', 'b', 'c']) {
    t.equal(group.status(id).commitIndex, 1)
    t.same(
      group.member(id).applied.map((entry) => entry.kind),
      ['noop'],
    )
  }
})

await t.test('a vote is on disk before it is told: a crash in between forgets both', async (t) => {
  const node = new LoneNode()
  node.hear(vote('b', 1))
  const output = node.take()
  t.same(output.send, [])
  t.same(output.persist?.hardState, { term: 1, votedFor: 'b', commit: 0 })
  t.same(
    only([...(output.persist?.thenSend ?? [])], 'voteReply').map((reply) => reply.granted),
    [true],
  )
  const restarted = new LoneNode({ hardState: output.persist?.hardState ?? hardStateOf(0) })
  restarted.hear(vote('c', 1))
  t.equal(only(restarted.out(), 'voteReply')[0]?.granted, false, 'the rival of the same term')
})

await t.test('term and vote are one record', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(4, 'c') })
  node.hear(vote('b', 5))
  t.same(node.take().persist?.hardState, { term: 5, votedFor: 'b', commit: 0 })
})

await t.test('an append of the same term makes a candidate step down, its vote kept', async (t) => {
  const node = new LoneNode()
  node.becomeCandidate()
  node.out()
  node.hear(heartbeat('b', 1))
  t.equal(node.status.role, 'follower')
  t.equal(node.status.votedFor, 'a')
  node.hear(vote('c', 1))
  t.equal(only(node.out(), 'voteReply')[0]?.granted, false)
})

await t.test('a vote request that is repeated is granted again', async (t) => {
  const node = new LoneNode()
  for (let times = 0; times < 2; times += 1) {
    node.hear(vote('b', 1))
    t.equal(only(node.out(), 'voteReply')[0]?.granted, true)
  }
})

await t.test('a longer log of a lower last term is refused', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(3), entries: logOf(1, 3) })
  node.hear(vote('b', 4, 99, 2))
  t.equal(only(node.out(), 'voteReply')[0]?.granted, false)
})

await t.test(
  'the own vote counts only when it is durable, and nobody is asked before',
  async (t) => {
    const node = new LoneNode({ voters: ['a', 'b', 'c'] })
    node.becomeCandidate()
    t.same(node.take().send, [], 'no request leaves before the disk')
    node.hear({ kind: 'voteReply', from: 'b', term: 1, granted: true })
    t.equal(node.status.role, 'candidate', 'one vote of three')
    node.persist()
    t.equal(node.status.role, 'candidate', 'a vote that nobody asked for does not count later')
    t.equal(only(node.out(), 'vote').length, 2)
    node.hear({ kind: 'voteReply', from: 'b', term: 1, granted: true })
    t.equal(node.status.role, 'leader')
  },
)

await t.test('a vote of an election that is lost in between never counts', async (t) => {
  const node = new LoneNode()
  node.becomeCandidate()
  node.take()
  node.hear(heartbeat('b', 2))
  node.persist()
  t.equal(node.status.role, 'follower')
  t.same(only(node.out(), 'vote'), [])
})

await t.test(
  'a crash before the own vote is durable: the next campaign is in the same term, alone',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.holdDisk('a')
    group.campaign('a')
    t.equal(group.status('a').term, 1)
    t.notOk(group.sent.some((message) => message.kind === 'vote'))
    group.crash('a')
    group.restart('a')
    t.equal(group.status('a').term, 0)
    group.campaign('a')
    t.same(leaderOf(group), ['a'])
  },
)

await t.test('a late pre-vote is no vote', async (t) => {
  const node = new LoneNode({ voters: ['a', 'b', 'c', 'd', 'e'] })
  node.becomeCandidate()
  node.out()
  for (const from of ['b', 'c', 'd', 'e']) {
    node.hear({ kind: 'preVoteReply', from, term: 2, granted: true })
    node.hear({ kind: 'preVoteReply', from, term: 1, granted: true })
  }
  t.equal(node.status.role, 'candidate')
})

await t.test('a late consent to an earlier pre-vote does not count for the next', async (t) => {
  const node = new LoneNode()
  node.timeOut()
  node.hear({ kind: 'preVoteReply', from: 'b', term: 9, granted: true })
  t.equal(node.status.role, 'preCandidate')
})

await t.test(
  'an isolated node returns after 100 timeouts: no new term, the same leader',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.isolate('c')
    for (let times = 0; times < 100; times += 1) {
      group.run(2 * heartbeatTicks, ['a', 'b'])
      group.step('c', { kind: 'tick', ticks: electionTicksMax })
      group.settle()
    }
    t.equal(group.status('c').term, 1)
    group.heal()
    group.campaign('c')
    group.run(2 * heartbeatTicks)
    t.same(leaderOf(group), ['a'])
    for (const id of ['a', 'b', 'c']) t.equal(group.status(id).term, 1)
  },
)

await t.test(
  'a longer log of a lower term and a shorter one of a higher term find a leader',
  async (t) => {
    const random = new SeededRandom(10)
    // a: longer log by last term, but its term lags; b: ahead in term, behind in the log.
    const group = new Group(['a', 'b'], (id) => ({
      random: () => random.next(),
      hardState: id === 'a' ? hardStateOf(2) : hardStateOf(7),
      entries: id === 'a' ? logOf(1, 2, 2) : logOf(1),
    }))
    group.run(3 * electionTicksMax)
    t.same(leaderOf(group), ['a'])
    t.ok(group.status('a').term > 7)
  },
)

await t.test('a leader that reaches only a bridge gives way within three timeouts', async (t) => {
  const random = new SeededRandom(12)
  const group = new Group(['a', 'b', 'c', 'd'], () => ({ random: () => random.next() }))
  group.elect('a')
  // a - b - {c, d}
  group.lost = ({ from, to }) => (from === 'a' && to !== 'b') || (to === 'a' && from !== 'b')
  group.run(3 * electionTicksMax)
  const leaders = leaderOf(group)
  t.equal(leaders.length, 1)
  t.not(leaders[0], 'a')
})

await t.test('a leader that can send but not receive steps down within two timeouts', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.lost = (message) => message.to === 'a'
  group.run(2 * electionTicksMax)
  t.not(group.status('a').role, 'leader')
})

await t.test('a leader with answers of a majority stays, without them it leaves', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.isolate('c')
  group.run(5 * electionTicksMax, ['a', 'b'])
  t.equal(group.status('a').role, 'leader')
  group.lost = () => true
  group.run(electionTicksMax + heartbeatTicks, ['a'])
  t.equal(group.status('a').role, 'follower')
})

await t.test(
  'a stuck candidate of a higher term is freed: the leader hears its term',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.crash('c')
    group.member('c').hardState = hardStateOf(5, 'c')
    group.restart('c')
    group.settle()
    t.equal(group.status('a').role, 'follower')
    t.equal(group.status('a').term, 5)
    group.elect('a')
    t.equal(group.status('c').leader, 'a')
  },
)

await t.test('an answer of who is no member moves no term, whatever it answers', async (t) => {
  const session = 1
  const result = { kind: 'matched', matchIndex: at(0) } as const
  const answer = { from: 'x', term: 99 }
  for (const become of ['follower', 'preCandidate', 'candidate', 'leader']) {
    const node = new LoneNode({ random: () => 0.9 })
    if (become === 'preCandidate') node.timeOut()
    if (become === 'candidate') node.becomeCandidate()
    if (become === 'leader') node.becomeLeader()
    node.out()
    const before = node.status
    t.equal(before.role, become)
    node.hear({ kind: 'preVoteReply', ...answer, granted: false })
    node.hear({ kind: 'voteReply', ...answer, granted: false })
    node.hear({ kind: 'appendReply', ...answer, session, result })
    node.hear({ kind: 'heartbeatReply', ...answer, session, readToken: 0 })
    t.same(node.out(), [])
    t.same(node.status, before)
  }
})

await t.test('who is no member may ask: it may be one of a newer configuration', async (t) => {
  const node = new LoneNode({ random: () => 0.9 })
  node.hear(heartbeat('b', 1))
  node.out()
  node.ticks(electionTicksMin - 1)
  node.hear(vote('x', 7, 9, 9))
  t.equal(node.status.term, 1, 'not while a leader is heard')
  node.out()
  node.ticks(1)
  node.hear(vote('x', 7, 9, 9))
  t.match(only(node.out(), 'voteReply'), [{ to: 'x', term: 7, granted: true }])
  node.hear(heartbeat('y', 8))
  t.match(node.status, { term: 8, leader: 'y' })
})

await t.test('votes and pre-votes are withheld while the leader was heard', async (t) => {
  const node = new LoneNode({ random: () => 0.9 })
  node.hear(heartbeat('b', 1))
  node.out()
  node.ticks(electionTicksMin - 1)
  node.hear(preVote('c', 2, 9, 9))
  node.hear(vote('c', 2, 9, 9))
  t.same(
    node
      .out()
      .map((message) => [message.kind, message.term, 'granted' in message && message.granted]),
    [
      ['preVoteReply', 1, false],
      ['voteReply', 1, false],
    ],
    'and the own term travels in the refusal',
  )
  t.equal(node.status.term, 1)
  node.ticks(1)
  node.hear(preVote('c', 2, 9, 9))
  t.same(
    only(node.out(), 'preVoteReply').map((reply) => [reply.term, reply.granted]),
    [[2, true]],
  )
  t.equal(node.status.term, 1, 'a pre-vote moves no term')
  node.hear(vote('c', 2, 9, 9))
  t.equal(only(node.out(), 'voteReply')[0]?.granted, true)
})

await t.test(
  'a leader withholds as long as it leads, but not from whom it handed over to',
  async (t) => {
    const node = new LoneNode()
    node.becomeLeader()
    node.out()
    node.hear(vote('b', 5, 9, 9))
    t.equal(only(node.out(), 'voteReply')[0]?.granted, false)
    t.equal(node.status.role, 'leader')
    node.hear(vote('b', 5, 9, 9, true))
    t.equal(only(node.out(), 'voteReply')[0]?.granted, true)
    t.equal(node.status.role, 'follower')
  },
)

await t.test(
  'a refusal with a higher term ends a pre-vote; a majority of refusals as well',
  async (t) => {
    const node = new LoneNode()
    node.timeOut()
    node.hear({ kind: 'preVoteReply', from: 'b', term: 4, granted: false })
    t.equal(node.status.role, 'follower')
    t.equal(node.status.term, 4)
    node.timeOut()
    node.hear({ kind: 'preVoteReply', from: 'b', term: 4, granted: false })
    t.equal(node.status.role, 'preCandidate')
    node.hear({ kind: 'preVoteReply', from: 'c', term: 4, granted: false })
    t.equal(node.status.role, 'follower')
    t.equal(node.status.term, 4)
  },
)

await t.test(
  'a lagging node gets no pre-vote; who refuses it for its log stands up soon itself',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 2) })
    node.hear(preVote('b', 3, 1, 1))
    t.equal(only(node.out(), 'preVoteReply')[0]?.granted, false)
    t.equal(node.status.counters.preVotesRefused, 1)
    node.ticks(4)
    t.equal(node.status.role, 'preCandidate', 'well before its own timeout')
  },
)

await t.test('two pre-candidates of one age grant each other, and one of them wins', async (t) => {
  const random = new SeededRandom(5)
  const group = new Group(['a', 'b', 'c'], () => ({ random: () => random.next() }))
  group.crash('c')
  for (const id of ['a', 'b']) group.step(id, { kind: 'tick', ticks: electionTicksMax })
  group.settle()
  group.run(3 * electionTicksMax, ['a', 'b'])
  t.equal(leaderOf(group).length, 1)
})

await t.test(
  'a leader whose disk stalls for an election timeout steps down and is silent',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.run(heartbeatTicks)
    group.holdDisk('a')
    group.propose('a', 'x')
    group.settle()
    t.equal(group.status('a').commitIndex, 2, 'the others have it')
    group.run(electionTicksMax + 1, ['a'])
    t.equal(group.status('a').role, 'follower')
    const before = group.sent.length
    group.run(3 * electionTicksMax, ['a'])
    t.same(group.sent.slice(before), [], 'it neither beats nor campaigns')
    group.elect('b')
    t.equal(group.status('b').role, 'leader')
    group.releaseDisk('a')
    group.run(2 * heartbeatTicks)
    t.equal(group.status('a').leader, 'b')
  },
)

await t.test('an entry of a term never stands on disk without that term', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(1) })
  node.hear({
    kind: 'append',
    from: 'b',
    term: 3,
    session: 1,
    prevIndex: at(0),
    prevTerm: term(0),
    entries: [{ index: at(1), term: term(3), kind: 'command', payload: bytes('x') }],
    commit: at(0),
  })
  const { persist } = node.take()
  t.equal(persist?.hardState?.term, 3)
  t.equal(persist?.entries.length, 1, 'in one write')
})

await t.test('a steady cluster elects nobody: random timeouts, 60 virtual seconds', async (t) => {
  const random = new SeededRandom(1)
  const group = new Group(['a', 'b', 'c'], () => ({ random: () => random.next() }))
  group.run(6_000)
  const elections = [...group.members.keys()].map(
    (id) => group.status(id).counters.electionsStarted,
  )
  t.equal(
    elections.reduce((sum, count) => sum + count, 0),
    1,
  )
})
