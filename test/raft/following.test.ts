import t from 'tap'
import { SeededRandom } from '../simulation/random.js'
import { Group, electionTicksMax, electionTicksMin, heartbeatTicks } from './group.js'
import { LoneNode, at, only } from './lone-node.js'

const heartbeat = (from: string, inTerm: number) =>
  ({ kind: 'heartbeat', from, term: inTerm, session: 1, commit: at(0), readToken: 0 }) as const

const steadyGroup = (seed: number): Group => {
  const random = new SeededRandom(seed)
  let draw = () => 0.5
  const group = new Group(['a', 'b', 'c'], () => ({ random: () => draw() }))
  group.elect('a')
  draw = () => random.next()
  group.run(2 * heartbeatTicks)
  return group
}

await t.test(
  'failover: the leader is killed, both followers are refused, a new one leads at once',
  async (t) => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const group = steadyGroup(seed)
      group.crash('a')
      for (const id of ['b', 'c']) group.step(id, { kind: 'peerRefused', peer: 'a' })
      let ticks = 0
      while (!['b', 'c'].some((id) => group.status(id).role === 'leader')) {
        group.run(1, ['b', 'c'])
        ticks += 1
        if (ticks > electionTicksMin) break
      }
      t.ok(ticks < electionTicksMin / 4, `seed ${String(seed)}: ${String(ticks)} ticks`)
    }
  },
)

await t.test('failover: the second refusal comes later than the first pre-vote', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const group = steadyGroup(seed)
    group.propose('a', 'only b has this')
    group.lost = (message) => message.to === 'c'
    group.settle()
    group.heal()
    group.crash('a')
    group.step('b', { kind: 'peerRefused', peer: 'a' })
    group.run(5, ['b', 'c'])
    group.step('c', { kind: 'peerRefused', peer: 'a' })
    group.run(electionTicksMin / 4, ['b', 'c'])
    t.equal(group.status('b').role, 'leader', 'whose log is longer, without waiting for a timeout')
  }
})

await t.test(
  'failover: one follower is refused while the leader lives: nothing changes',
  async (t) => {
    const group = steadyGroup(1)
    const before = group.status('a').term
    group.step('b', { kind: 'peerRefused', peer: 'a' })
    t.equal(group.status('b').leader, null)
    group.run(2 * heartbeatTicks)
    for (const id of ['a', 'b', 'c']) {
      t.equal(group.status(id).term, before)
      t.equal(group.status(id).leader, 'a')
    }
  },
)

await t.test('failover: 100 refusals of a flapping link stay below the rate limit', async (t) => {
  const group = steadyGroup(1)
  const before = group.sent.length
  for (let times = 0; times < 100; times += 1) {
    group.step('b', { kind: 'peerRefused', peer: 'a' })
    group.run(heartbeatTicks)
  }
  const rounds = group.sent.slice(before).filter((message) => message.kind === 'preVote').length / 2
  const limit = (100 * heartbeatTicks) / electionTicksMin
  t.ok(rounds > 0 && rounds <= limit, `${String(rounds)} pre-votes`)
  t.equal(group.status('a').role, 'leader')
})

await t.test('failover: both are refused at the same tick: no endless split', async (t) => {
  let slow = 0
  for (let seed = 100; seed < 200; seed += 1) {
    const group = steadyGroup(seed)
    group.crash('a')
    for (const id of ['b', 'c']) group.step(id, { kind: 'peerRefused', peer: 'a' })
    group.run(10, ['b', 'c'])
    if (!['b', 'c'].some((id) => group.status(id).role === 'leader')) slow += 1
    group.run(2 * electionTicksMax, ['b', 'c'])
    t.ok(
      ['b', 'c'].some((id) => group.status(id).role === 'leader'),
      `seed ${String(seed)}`,
    )
  }
  t.ok(slow < 40, `${String(slow)} of 100 had to wait for a timeout`)
})

await t.test(
  'a refusal stops the withholding too, and only that of the known leader',
  async (t) => {
    const node = new LoneNode({ random: () => 0.9 })
    node.hear(heartbeat('b', 1))
    node.out()
    node.step({ kind: 'peerRefused', peer: 'c' })
    t.equal(node.status.leader, 'b')
    node.step({ kind: 'peerRefused', peer: 'b' })
    t.equal(node.status.leader, null)
    t.equal(node.status.term, 1)
    const [asked] = [
      { kind: 'preVote', from: 'c', term: 2, lastIndex: at(0), lastTerm: 0 as never },
    ] as const
    node.hear(asked)
    t.equal(only(node.out(), 'preVoteReply')[0]?.granted, true)
  },
)

await t.test('the pre-vote after a refusal starts within refusalTicksMax', async (t) => {
  for (const [drawn, ticks] of [
    [0, 0],
    [0.3, 1],
    [0.99, 4],
  ] as const) {
    const node = new LoneNode({ random: () => drawn })
    node.hear(heartbeat('b', 1))
    node.step({ kind: 'peerRefused', peer: 'b' })
    t.equal(node.raft.facts().electionTimeoutTicks, ticks)
    node.ticks(Math.max(1, ticks))
    t.equal(node.status.role, 'preCandidate')
  }
})

await t.test(
  'another term may be refused at once: the limit is for one leader of one term',
  async (t) => {
    const node = new LoneNode({ random: () => 0.9 })
    node.hear(heartbeat('b', 1))
    node.step({ kind: 'peerRefused', peer: 'b' })
    node.hear(heartbeat('b', 1))
    node.step({ kind: 'peerRefused', peer: 'b' })
    t.equal(node.status.leader, 'b', 'too soon')
    node.hear(heartbeat('b', 2))
    node.step({ kind: 'peerRefused', peer: 'b' })
    t.equal(node.status.leader, null)
  },
)

await t.test('a distrusted leader gets no acknowledgement, and a campaign begins', async (t) => {
  const node = new LoneNode()
  node.hear(heartbeat('b', 1))
  node.out()
  node.step({ kind: 'distrustLeader' })
  t.equal(node.status.role, 'preCandidate')
  t.equal(only(node.out(), 'preVote').length, 2)
  node.hear(heartbeat('b', 1))
  t.same(node.out(), [])
  t.equal(node.status.leader, null)
  node.hear(heartbeat('c', 2))
  t.equal(node.status.leader, 'c', 'the next term is another matter')
})

await t.test(
  'distrust ends after two election timeouts, so that a member is not lost for ever',
  async (t) => {
    const node = new LoneNode()
    node.hear(heartbeat('b', 1))
    node.step({ kind: 'distrustLeader' })
    node.ticks(2 * electionTicksMax - 1)
    node.hear(heartbeat('b', 1))
    t.equal(node.status.leader, null)
    node.ticks(1)
    node.hear(heartbeat('b', 1))
    t.equal(node.status.leader, 'b')
  },
)

await t.test('when a majority distrusts its leader, another one leads', async (t) => {
  const group = steadyGroup(4)
  for (const id of ['b', 'c']) group.step(id, { kind: 'distrustLeader' })
  group.settle()
  group.run(2 * electionTicksMax)
  const leaders = ['b', 'c'].filter((id) => group.status(id).role === 'leader')
  t.equal(leaders.length, 1)
  t.equal(group.status('a').leader, leaders[0] ?? '')
})

await t.test(
  'nobody distrusts itself, and without a leader there is nobody to distrust',
  async (t) => {
    const node = new LoneNode()
    node.step({ kind: 'distrustLeader' })
    t.equal(node.status.role, 'follower')
    node.becomeLeader()
    node.step({ kind: 'distrustLeader' })
    t.equal(node.status.role, 'leader')
  },
)
