/** Rules of membership on one node, whose peers are played by the test. */
import t from 'tap'
import {
  configurationOf,
  foundingSnapshot,
  term,
  type Configuration,
  type Entry,
} from '../../src/raft/index.js'
import { encodeConfiguration } from '../../src/raft/membership/codec.js'
import { bytes, electionTicksMax, electionTicksMin, heartbeatTicks } from './group.js'
import {
  LoneNode,
  append,
  at,
  hardStateOf,
  only,
  steadyLeader,
  type LoneOptions,
} from './lone-node.js'

const founding = ['a', 'b', 'c']

const within = (configuration: Partial<Configuration>): LoneOptions => ({
  snapshot: {
    ...foundingSnapshot([]),
    configuration: { ...configurationOf(founding), ...configuration },
  },
})

const jointly = within({ voters: ['a', 'b', 'c'], outgoing: ['a', 'd', 'e'] })

let lastChange = 0
function change(
  node: LoneNode,
  voters: readonly string[],
  learners: readonly string[] = [],
  basedOn: number | null = null,
) {
  lastChange += 1
  const id = lastChange
  const lock = basedOn === null ? null : at(basedOn)
  node.step({ kind: 'changeMembership', id, basedOn: lock, voters, learners })
  const { memberships, send, persist } = node.take()
  for (const message of only([...send], 'append')) node.sessions.set(message.to, message.session)
  if (persist !== null) node.persist()
  return memberships.find((outcome) => outcome.id === id)
}

const entryOf = (index: number, inTerm: number, configuration: Configuration): Entry => ({
  index: at(index),
  term: term(inTerm),
  kind: 'configuration',
  payload: encodeConfiguration(configuration),
})

const beat = (node: LoneNode, from: string, readToken = 0) => {
  const { term: inTerm } = node.status
  const session = node.sessionOf(from)
  node.hear({ kind: 'heartbeatReply', from, term: inTerm, session, readToken })
}

await t.test('what a change is refused for', async (t) => {
  const node = steadyLeader()
  const invalid: [voters: string[], learners: string[]][] = [
    [[], []],
    [[], ['a']],
    [['a', 'a'], []],
    [
      ['a', 'b'],
      ['d', 'd'],
    ],
    [['a', 'b'], ['b']],
    [['a', ''], []],
  ]
  for (const [voters, learners] of invalid) {
    t.match(change(node, voters, learners), { kind: 'refused', code: 'INVALID' })
  }
  t.match(change(node, ['a', 'b'], [], 7), { code: 'STALE', leader: 'a', pendingIndex: null })
  t.match(change(node, founding, ['d'], 0), { kind: 'appended', index: 2, term: 1 })
  t.match(change(node, founding, ['e'], 0), { code: 'PENDING', pendingIndex: 2 })
  node.outWithSessions()
  node.acknowledge('b', 2)
  t.match(change(node, founding, ['e'], 0), { code: 'STALE' })
  node.step({ kind: 'transferLeadership', to: 'b' })
  t.match(change(node, founding, ['e'], 2), { code: 'BUSY' })
  const follower = new LoneNode()
  follower.hear(append('b', 1, [0, 0], [1]))
  t.match(change(follower, ['a', 'b']), { code: 'NOT_LEADER', leader: 'b' })
})

await t.test('32: a joint configuration that was committed just now is still joint', async (t) => {
  const node = steadyLeader({ voters: [...founding, 'd'] })
  change(node, founding)
  node.outWithSessions()
  for (const peer of ['b', 'c']) node.acknowledge(peer, 2)
  t.match(node.status, { configurationCommitted: true, lastIndex: 2 })
  t.match(change(node, ['a', 'b']), { code: 'PENDING', pendingIndex: 2 })
})

await t.test('33: before its own no-op is committed a leader takes no change', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  node.outWithSessions()
  t.match(change(node, ['a', 'b']), { kind: 'refused', code: 'PENDING', pendingIndex: null })
  node.acknowledge('b', 1)
  t.match(change(node, ['a', 'b']), { kind: 'appended', index: 2 })
})

await t.test('33: before its own no-op is committed a leader leaves no joint', async (t) => {
  const node = new LoneNode(jointly)
  node.becomeLeader()
  node.outWithSessions()
  node.acknowledge('b', 1)
  node.outWithSessions()
  t.match(node.status, { lastIndex: 1, commitIndex: 0 })
  node.acknowledge('d', 1)
  node.outWithSessions()
  t.match(node.status, { lastIndex: 2, configuration: configurationOf(founding) })
})

await t.test('34: what is cut off brings back what was in force before', async (t) => {
  const stacked = [
    entryOf(1, 1, { ...configurationOf(['a', 'b']), outgoing: founding }),
    entryOf(2, 1, configurationOf(['a', 'b'])),
  ]
  const running = new LoneNode()
  running.hear({ ...append('b', 1, [0, 0]), entries: stacked })
  t.match(running.take().configuration, { index: 2, configuration: { voters: ['a', 'b'] } })
  const restarted = new LoneNode({ hardState: hardStateOf(1), entries: stacked })
  for (const node of [running, restarted]) {
    t.match(node.status, { configurationIndex: 2, configurationCommitted: false })
    node.hear(append('c', 2, [1, 1], [2]))
    t.same(node.status.configuration.outgoing, founding)
    t.match(node.take().configuration, { index: 1 })
    node.hear(append('c', 3, [0, 0], [3]))
    t.same(node.status.configuration, configurationOf(founding))
    t.match(node.take().configuration, { index: 0 })
    t.equal(node.status.configurationCommitted, true)
  }
})

await t.test('34: an append that differs from nothing keeps the configuration', async (t) => {
  const node = new LoneNode()
  const message = {
    ...append('b', 1, [0, 0]),
    entries: [entryOf(1, 1, configurationOf(founding, ['d']))],
  }
  node.hear(message)
  node.out()
  node.hear(message)
  t.equal(node.take().configuration, null)
  t.equal(node.status.configurationIndex, 1)
})

await t.test('35: the quorum of a configuration entry is its own', async (t) => {
  const node = new LoneNode({ voters: ['a'] })
  node.becomeLeader()
  node.outWithSessions()
  change(node, ['a'], ['b'])
  node.outWithSessions()
  t.match(node.status, { lastIndex: 2, commitIndex: 2 }, 'alone')
  node.acknowledge('b', 2)
  t.match(change(node, ['a', 'b']), { kind: 'appended', index: 3 })
  t.same(node.status.configuration.outgoing, ['a'], 'it keeps up: jointly at once')
  node.outWithSessions()
  t.equal(node.status.commitIndex, 2, 'the old majority is not enough')
  node.acknowledge('b', 3)
  t.equal(node.status.commitIndex, 3)
})

await t.test('35: voters that go let earlier entries commit with fewer', async (t) => {
  const node = steadyLeader(jointly)
  t.match(node.status, { lastIndex: 2, commitIndex: 1, configurationCommitted: false })
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  node.acknowledge('b', 3)
  t.match(node.status, { commitIndex: 3, configurationCommitted: true }, 'no d and no e')
})

await t.test('36: one half alone elects nobody', async (t) => {
  const node = new LoneNode(jointly)
  node.timeOut()
  const next = 1
  const asked = only(node.out(), 'preVote').map(({ to }) => to)
  t.same(asked, ['b', 'c', 'd', 'e'])
  for (const from of ['b', 'c']) {
    node.hear({ kind: 'preVoteReply', from, term: next, granted: true })
  }
  t.equal(node.status.role, 'preCandidate')
  node.hear({ kind: 'preVoteReply', from: 'd', term: next, granted: true })
  t.equal(node.status.role, 'candidate')
  node.out()
  for (const from of ['d', 'e']) node.hear({ kind: 'voteReply', from, term: next, granted: true })
  t.equal(node.status.role, 'candidate')
  node.hear({ kind: 'voteReply', from: 'b', term: next, granted: true })
  t.equal(node.status.role, 'leader')
})

await t.test('36: one half alone keeps no leader', async (t) => {
  const node = new LoneNode(jointly)
  node.becomeLeader()
  node.outWithSessions()
  const answerFor = (ids: readonly string[]) => {
    for (let ticks = 0; ticks <= electionTicksMax; ticks += heartbeatTicks) {
      node.ticks(heartbeatTicks)
      node.outWithSessions()
      if (node.status.role === 'leader') for (const id of ids) beat(node, id)
    }
  }
  answerFor(['b', 'd'])
  t.equal(node.status.role, 'leader')
  answerFor(['b', 'c'])
  t.equal(node.status.role, 'follower')
})

await t.test('39: a removed leader does not count itself', async (t) => {
  const node = steadyLeader()
  change(node, ['b', 'c'])
  node.outWithSessions()
  node.acknowledge('b', 2)
  t.equal(node.status.commitIndex, 1, 'a and b are no majority of b and c')
  node.acknowledge('c', 2)
  node.outWithSessions()
  t.match(node.status, { commitIndex: 2, lastIndex: 3, configuration: configurationOf(['b', 'c']) })
  node.step({ kind: 'propose', id: 1, payload: bytes('tail') })
  node.outWithSessions()
  node.acknowledge('b', 4)
  t.match(node.status, { commitIndex: 2, role: 'leader' })
  node.acknowledge('c', 3)
  const out = node.outWithSessions()
  t.match(node.status, { commitIndex: 3, role: 'follower', leader: null })
  t.same(
    only(out, 'timeoutNow').map(({ to }) => to),
    ['b'],
    'whose log is the longest',
  )
  t.ok(
    only(out, 'append').some(({ to, commit }) => to === 'c' && commit === 3),
    'they hear that it is done',
  )
})

await t.test(
  '40: who is left out by an entry that may not be committed still campaigns',
  async (t) => {
    const node = new LoneNode({
      hardState: hardStateOf(1),
      entries: [entryOf(1, 1, configurationOf(['b', 'c']))],
    })
    node.timeOut()
    t.same(
      only(node.out(), 'preVote').map(({ to }) => to),
      ['b', 'c'],
    )
    node.hear({ kind: 'preVoteReply', from: 'b', term: 2, granted: true })
    t.equal(node.status.role, 'preCandidate', 'its own voice does not count')
    node.hear({ kind: 'preVoteReply', from: 'c', term: 2, granted: true })
    node.out()
    for (const from of ['b', 'c']) node.hear({ kind: 'voteReply', from, term: 2, granted: true })
    t.equal(node.status.role, 'leader')
    node.outWithSessions()
    for (const peer of ['b', 'c']) node.acknowledge(peer, 2)
    node.outWithSessions()
    t.match(node.status, { commitIndex: 2, role: 'follower' }, 'and goes when its work is done')
  },
)

await t.test('40: who knows that it was removed does not campaign', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(1, null, 1),
    entries: [entryOf(1, 1, configurationOf(['b', 'c']))],
  })
  for (let round = 0; round < 5; round += 1) node.timeOut()
  t.match(node.status, { role: 'follower', term: 1 })
  t.same(node.out(), [])
})

await t.test('40: a learner votes when it is asked, and never campaigns', async (t) => {
  const learner = within({ voters: ['b', 'c'], learners: ['a'] })
  const node = new LoneNode(learner)
  for (let round = 0; round < 5; round += 1) node.timeOut()
  t.same(node.out(), [])
  const lastIndex = at(0)
  const lastTerm = term(0)
  node.hear({ kind: 'preVote', from: 'b', term: 1, lastIndex, lastTerm })
  t.match(only(node.out(), 'preVoteReply'), [{ granted: true }])
  node.hear({ kind: 'vote', from: 'b', term: 1, lastIndex, lastTerm, transfer: false })
  t.match(only(node.out(), 'voteReply'), [{ granted: true }])

  node.hear(append('b', 1, [0, 0], [1]))
  node.hear({ kind: 'timeoutNow', from: 'b', term: 1 })
  t.equal(node.status.role, 'follower', 'nor when it is told to')
  node.step({ kind: 'distrustLeader' })
  node.step({ kind: 'peerRefused', peer: 'b' })
  node.timeOut()
  t.match(node.status, { role: 'follower', term: 1 }, 'nor in doubt')
})

await t.test('a node that joins waits for a leader, whoever it is', async (t) => {
  const node = new LoneNode({ snapshot: foundingSnapshot(['b', 'c']) })
  for (let round = 0; round < 5; round += 1) node.timeOut()
  t.same(node.out(), [])
  const message = append('z', 3, [0, 0])
  node.hear({ ...message, entries: [entryOf(1, 3, configurationOf(['y', 'z'], ['a']))] })
  t.match(only(node.out(), 'appendReply'), [{ to: 'z', result: { kind: 'matched' } }])
  t.match(node.status, { leader: 'z', configuration: { learners: ['a'] } })
})

await t.test('41: a slow round promotes nobody, a fast one does', async (t) => {
  const node = steadyLeader()
  change(node, [...founding, 'd'])
  node.outWithSessions()
  node.acknowledge('b', 2)
  const catchUp = () => node.status.peers.find(({ id }) => id === 'd')?.catchUp
  const wait = (ticks: number) => {
    for (let passed = 0; passed < ticks; passed += heartbeatTicks) {
      node.ticks(heartbeatTicks)
      node.outWithSessions()
      for (const peer of ['b', 'c', 'd']) beat(node, peer)
    }
  }
  wait(electionTicksMin)
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  node.acknowledge('d', 1)
  node.outWithSessions()
  t.match(catchUp(), { rounds: 0, caughtUp: false }, 'the round ends at 2')
  node.acknowledge('d', 2)
  node.outWithSessions()
  t.match(catchUp(), { rounds: 1, caughtUp: false }, 'it took too long')
  wait(electionTicksMin - heartbeatTicks)
  node.acknowledge('d', 3)
  node.outWithSessions()
  t.match(node.status.configuration, { voters: [...founding, 'd'], outgoing: founding })
  t.match(catchUp(), null, 'no learner any more')
})

await t.test('41: who has caught up and falls silent has to show it again', async (t) => {
  const node = steadyLeader()
  change(node, [...founding, 'd', 'e'])
  node.outWithSessions()
  node.acknowledge('b', 2)
  node.acknowledge('d', 2)
  node.outWithSessions()
  const catchUp = () => node.status.peers.find(({ id }) => id === 'd')?.catchUp
  t.match(catchUp(), { rounds: 1, caughtUp: true })
  for (let passed = 0; passed <= electionTicksMin; passed += heartbeatTicks) {
    node.ticks(heartbeatTicks)
    node.outWithSessions()
    for (const peer of ['b', 'c']) beat(node, peer)
  }
  t.match(catchUp(), { rounds: 1, caughtUp: false })
  node.acknowledge('e', 2)
  node.outWithSessions()
  t.same(node.status.configuration.outgoing, [], 'e alone does not carry the plan')
})

await t.test('41: a learner that holds everything and is silent is no voter at once', async (t) => {
  for (const silentTicks of [electionTicksMin, electionTicksMin + heartbeatTicks]) {
    const node = steadyLeader()
    change(node, founding, ['d'])
    node.outWithSessions()
    for (const peer of ['b', 'c', 'd']) node.acknowledge(peer, 2)
    for (let passed = 0; passed < silentTicks; passed += heartbeatTicks) {
      node.ticks(heartbeatTicks)
      node.outWithSessions()
      for (const peer of ['b', 'c']) beat(node, peer)
    }
    change(node, [...founding, 'd'])
    const { outgoing, target } = node.status.configuration
    const isAtOnce = silentTicks === electionTicksMin
    t.same(outgoing, isAtOnce ? founding : [])
    t.same(target, isAtOnce ? null : [...founding, 'd'])
  }
})

await t.test('42: a late answer of a node that was removed and came back is void', async (t) => {
  const node = steadyLeader()
  const settle = () => {
    node.outWithSessions()
    for (const peer of ['b', 'c']) node.acknowledge(peer, node.status.lastIndex)
    node.outWithSessions()
  }
  change(node, founding, ['d'])
  settle()
  const old = node.sessionOf('d')
  node.acknowledge('d', 2)
  change(node, founding)
  settle()
  change(node, founding, ['d'])
  settle()
  const matchOf = () => node.status.peers.find(({ id }) => id === 'd')?.matchIndex
  t.equal(matchOf(), 0)
  node.acknowledge('d', 4, old)
  t.equal(matchOf(), 0)
  t.not(node.sessionOf('d'), old)
  node.acknowledge('d', 4)
  t.equal(matchOf(), 4)
})

await t.test('a removed node is told of its removal, and then let go', async (t) => {
  const node = steadyLeader({ voters: [...founding, 'd'] })
  const peers = () => node.status.peers.map(({ id }) => id)
  change(node, founding)
  node.outWithSessions()
  for (const peer of ['b', 'c', 'd']) node.acknowledge(peer, 2)
  node.outWithSessions()
  t.same(node.status.configuration, configurationOf(founding))
  for (const peer of ['b', 'c']) node.acknowledge(peer, 3)
  const told = only(node.outWithSessions(), 'append').find(({ to }) => to === 'd')
  t.equal(told?.commit, 3)
  t.same(peers(), ['b', 'c', 'd'])
  node.acknowledge('d', 3)
  node.outWithSessions()
  t.same(peers(), ['b', 'c'])
})

await t.test('a removed node that does not answer is let go at last', async (t) => {
  const node = steadyLeader({ voters: [...founding, 'd'] })
  change(node, founding)
  const round = () => {
    node.ticks(heartbeatTicks)
    node.outWithSessions()
    for (const peer of ['b', 'c']) node.acknowledge(peer, node.status.lastIndex)
  }
  const isFollowed = () => node.status.peers.some(({ id }) => id === 'd')
  while (!node.status.configurationCommitted || node.status.lastIndex < 3) round()
  for (let passed = 0; passed < electionTicksMax; passed += heartbeatTicks) {
    t.ok(isFollowed())
    round()
  }
  round()
  t.notOk(isFollowed())
})

await t.test('the time of farewell begins with the commit, and anew for the next', async (t) => {
  const node = steadyLeader({ voters: [...founding, 'd', 'e'] })
  const isFollowed = (id: string) => node.status.peers.some((peer) => peer.id === id)
  /** Time passes with b and c alive, who do or do not hold the log. */
  const wait = (ticks: number, holds: boolean) => {
    for (let passed = 0; passed < ticks; passed += heartbeatTicks) {
      node.ticks(heartbeatTicks)
      node.outWithSessions()
      for (const peer of ['b', 'c']) {
        beat(node, peer)
        if (holds) node.acknowledge(peer, node.status.lastIndex)
      }
    }
  }
  const remove = (...voters: string[]) => {
    change(node, voters)
    node.outWithSessions()
    for (const peer of ['b', 'c']) node.acknowledge(peer, node.status.lastIndex)
    node.outWithSessions()
  }
  remove(...founding, 'e')
  t.match(node.status.configuration, { outgoing: [], voters: [...founding, 'e'] })
  wait(2 * electionTicksMax, false)
  t.match(node.status, { role: 'leader', configurationCommitted: false })
  t.ok(isFollowed('d'), 'its removal is not committed')
  wait(electionTicksMax - heartbeatTicks, true)
  t.ok(isFollowed('d'))
  remove(...founding)
  wait(electionTicksMax - heartbeatTicks, true)
  t.ok(isFollowed('e'))
  wait(3 * heartbeatTicks, true)
  t.notOk(isFollowed('d') || isFollowed('e'))
})

await t.test('leadership is handed to a voter that stays one', async (t) => {
  const learner = steadyLeader(within({ learners: ['d'] }))
  learner.step({ kind: 'transferLeadership', to: 'd' })
  t.equal(learner.status.transferTarget, null)
  const leaving = new LoneNode(jointly)
  leaving.becomeLeader()
  leaving.outWithSessions()
  leaving.step({ kind: 'transferLeadership', to: 'd' })
  t.equal(leaving.status.transferTarget, null)
  leaving.step({ kind: 'transferLeadership', to: 'b' })
  t.equal(leaving.status.transferTarget, 'b')
})

await t.test('while leadership is handed over, the configuration stays', async (t) => {
  const node = new LoneNode(jointly)
  node.becomeLeader()
  node.outWithSessions()
  node.step({ kind: 'transferLeadership', to: 'b' })
  for (const peer of ['c', 'd']) node.acknowledge(peer, 1)
  node.outWithSessions()
  t.match(node.status, { commitIndex: 1, lastIndex: 1 })
})

await t.test('a read needs both halves while joint, and none of a learner', async (t) => {
  const node = new LoneNode(within({ outgoing: ['a', 'd', 'e'], learners: ['f'] }))
  node.becomeLeader()
  node.outWithSessions()
  // While leadership is handed over, the joint configuration stays.
  node.step({ kind: 'transferLeadership', to: 'b' })
  for (const peer of ['c', 'd']) node.acknowledge(peer, 1)
  node.outWithSessions()
  node.step({ kind: 'read', id: 1 })
  node.outWithSessions()
  for (const peer of ['b', 'c', 'f']) beat(node, peer, 1)
  t.same(node.take().reads, [])
  beat(node, 'e', 1)
  t.match(node.take().reads, [{ id: 1, kind: 'ready' }])
})

await t.test('a read that waits while the members change needs the new quorum', async (t) => {
  const node = steadyLeader({ voters: ['a', 'b', 'c', 'd', 'e'] })
  node.step({ kind: 'read', id: 1 })
  node.outWithSessions()
  beat(node, 'e', 1)
  change(node, founding)
  node.outWithSessions()
  beat(node, 'd', 1)
  t.same(node.take().reads, [], 'a majority of the old half only')
  beat(node, 'b', 1)
  t.match(node.take().reads, [{ id: 1, kind: 'ready' }])
})

await t.test('a read that waits is confirmed when its missing voters are removed', async (t) => {
  const node = steadyLeader()
  change(node, ['a'])
  node.step({ kind: 'read', id: 1 })
  node.outWithSessions()
  t.same(node.take().reads, [])
  node.acknowledge('b', 2)
  t.match(node.take().reads, [{ id: 1, kind: 'ready' }], 'alone now')
})

await t.test('64: a change and the leaving of a joint pass the byte limit', async (t) => {
  const limits = { ...new LoneNode().limits, uncommittedBytesMax: 8 }
  const node = steadyLeader({ limits, voters: [...founding, 'd'] })
  node.step({ kind: 'propose', id: 1, payload: bytes('12345678') })
  t.match(change(node, founding), { kind: 'appended', index: 3 })
  t.ok(node.status.uncommittedBytes > 8)
  node.step({ kind: 'propose', id: 2, payload: bytes('x') })
  t.match(node.take().proposals.at(-1), { code: 'BUSY' })
  node.outWithSessions()
  for (const peer of ['b', 'c', 'd']) node.acknowledge(peer, 3)
  node.outWithSessions()
  t.match(node.status, { lastIndex: 4, configuration: configurationOf(founding) })
  for (const peer of ['b', 'c']) node.acknowledge(peer, 4)
  node.outWithSessions()
  t.match(node.status, { commitIndex: 4, uncommittedBytes: 0 })
})

await t.test('a configuration that cannot be read is not taken from a peer', async (t) => {
  const node = new LoneNode()
  const broken = { ...entryOf(1, 1, configurationOf(founding)), payload: bytes('{}') }
  node.hear({ ...append('b', 1, [0, 0]), entries: [broken] })
  t.same(only(node.out(), 'appendReply'), [])
  t.equal(node.status.lastIndex, 0)
})

await t.test('an answer of who is no member counts nowhere', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  const result = { kind: 'matched', matchIndex: at(2) } as const
  for (const session of [1, 2, 3]) {
    node.hear({ kind: 'appendReply', from: 'x', term: 1, session, result })
  }
  node.hear({ kind: 'heartbeatReply', from: 'x', term: 9, session: 1, readToken: 0 })
  t.match(node.status, { commitIndex: 1, role: 'leader', term: 1 })
})
