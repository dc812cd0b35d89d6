import t from 'tap'
import { bytes, electionTicksMax, heartbeatTicks, Group } from './group.js'
import { LoneNode, at, only, steadyLeader } from './lone-node.js'

const steadyGroup = (): Group => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.run(heartbeatTicks)
  return group
}

await t.test(
  'the named voter takes over at once, although everybody still hears the leader',
  async (t) => {
    const group = steadyGroup()
    group.step('a', { kind: 'transferLeadership', to: 'c' })
    group.settle()
    t.equal(group.status('c').role, 'leader')
    t.equal(group.status('a').leader, 'c')
    t.equal(group.status('b').leader, 'c')
    t.notOk(
      group.sent.some((message) => message.kind === 'preVote' && message.from === 'c'),
      'without a pre-vote',
    )
  },
)

await t.test('a target that lags is brought up first', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  node.step({ kind: 'transferLeadership', to: 'b' })
  t.same(only(node.outWithSessions(), 'timeoutNow'), [])
  node.acknowledge('b', 2)
  t.same(
    only(node.outWithSessions(), 'timeoutNow').map(({ to }) => to),
    ['b'],
  )
  node.acknowledge('b', 2)
  t.same(only(node.outWithSessions(), 'timeoutNow'), [], 'once')
})

await t.test('without a name, the voter that is furthest is chosen', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  node.acknowledge('c', 2)
  node.outWithSessions()
  node.step({ kind: 'transferLeadership', to: null })
  t.equal(node.status.transferTarget, 'c')
})

await t.test('among equals the one that was heard last is chosen', async (t) => {
  const node = steadyLeader()
  node.ticks(5)
  node.acknowledge('c', 1)
  node.step({ kind: 'transferLeadership', to: null })
  t.equal(node.status.transferTarget, 'c')
})

await t.test('a transfer to itself, to no voter, by no leader, or alone: refused', async (t) => {
  const node = steadyLeader()
  for (const to of ['a', 'x']) {
    node.step({ kind: 'transferLeadership', to })
    t.equal(node.status.transferTarget, null)
  }
  const follower = new LoneNode()
  follower.step({ kind: 'transferLeadership', to: 'b' })
  t.same(follower.out(), [])
  const alone = new LoneNode({ voters: ['a'] })
  alone.timeOut()
  alone.out()
  alone.step({ kind: 'transferLeadership', to: null })
  t.equal(alone.status.transferTarget, null)
})

await t.test(
  'proposals are refused meanwhile, and taken again after an election timeout',
  async (t) => {
    const node = steadyLeader()
    node.step({ kind: 'transferLeadership', to: 'b' })
    node.step({ kind: 'propose', id: 1, payload: bytes('x') })
    t.same(node.take().proposals, [{ id: 1, kind: 'refused', code: 'BUSY', leader: 'a' }])
    for (let ticks = 0; ticks < electionTicksMax; ticks += heartbeatTicks) {
      node.ticks(heartbeatTicks)
      node.acknowledge('b', 1)
      node.outWithSessions()
    }
    t.equal(node.status.role, 'leader')
    t.equal(node.status.transferTarget, null)
    node.step({ kind: 'propose', id: 2, payload: bytes('x') })
    t.match(node.take().proposals, [{ id: 2, kind: 'appended' }])
  },
)

await t.test(
  'the flag does not outlive the leadership: step down, lead again, no transfer',
  async (t) => {
    const node = steadyLeader()
    node.step({ kind: 'transferLeadership', to: 'b' })
    node.hear({ kind: 'heartbeat', from: 'c', term: 2, session: 1, commit: at(0), readToken: 0 })
    t.equal(node.status.transferTarget, null)
    node.becomeLeader()
    node.outWithSessions()
    t.equal(node.status.transferTarget, null)
    node.step({ kind: 'propose', id: 1, payload: bytes('x') })
    t.match(node.take().proposals, [{ kind: 'appended' }])
  },
)

await t.test('another target may be named; the same one again changes nothing', async (t) => {
  const node = steadyLeader()
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  node.outWithSessions()
  node.step({ kind: 'transferLeadership', to: 'b' })
  node.ticks(electionTicksMax / 2)
  node.step({ kind: 'transferLeadership', to: 'b' })
  t.equal(node.status.transferTarget, 'b')
  node.step({ kind: 'transferLeadership', to: 'c' })
  t.equal(node.status.transferTarget, 'c')
})

await t.test('TimeoutNow is taken from the known leader of this term only', async (t) => {
  const node = new LoneNode()
  node.hear({ kind: 'timeoutNow', from: 'b', term: 1 })
  t.equal(node.status.role, 'follower')
  node.hear({ kind: 'heartbeat', from: 'b', term: 1, session: 1, commit: at(0), readToken: 0 })
  node.hear({ kind: 'timeoutNow', from: 'c', term: 1 })
  t.equal(node.status.role, 'follower')
  node.hear({ kind: 'timeoutNow', from: 'b', term: 0 })
  t.equal(node.status.role, 'follower')
  node.hear({ kind: 'timeoutNow', from: 'b', term: 1 })
  t.equal(node.status.role, 'candidate')
  t.equal(node.status.term, 2)
  t.ok(only(node.out(), 'vote').every((request) => request.transfer))
})

await t.test('a transfer to a dead target: the leader goes on after a timeout', async (t) => {
  const group = steadyGroup()
  group.crash('c')
  group.step('a', { kind: 'transferLeadership', to: 'c' })
  group.run(electionTicksMax + heartbeatTicks, ['a', 'b'])
  t.equal(group.status('a').role, 'leader')
  t.equal(group.status('a').transferTarget, null)
  group.propose('a', 'x')
  group.settle()
  t.same(group.appliedTexts('b'), ['x'])
})
