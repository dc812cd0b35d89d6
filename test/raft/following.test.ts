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

await t.test('after a refusal the others try in the order of their ids, apart', async (t) => {
  for (const { lost, voters, refusalTicksMax = 4, ticks } of [
    { lost: 'b', voters: ['a', 'b', 'c'], ticks: 0 },
    { lost: 'Z', voters: ['Y', 'Z', 'a'], ticks: 2 },
    // The one that is gone keeps no place.
    { lost: 'Y', voters: ['Y', 'Z', 'a'], ticks: 2 },
    { lost: 'Y', voters: ['V', 'W', 'X', 'Y', 'a'], ticks: 4 },
    { lost: 'Y', voters: ['V', 'W', 'X', 'Y', 'a'], refusalTicksMax: 100, ticks: 6 },
    { lost: 'Z', voters: ['Y', 'Z', 'a'], refusalTicksMax: 0, ticks: 0 },
  ]) {
    const node = new LoneNode({ voters, refusalTicksMax, random: () => 0.9 })
    node.hear(heartbeat(lost, 1))
    node.step({ kind: 'peerRefused', peer: lost })
    if (ticks > 0) {
      node.ticks(ticks - 1)
      t.equal(node.status.role, 'follower')
      node.ticks(1)
    }
    t.equal(node.status.role, 'preCandidate', `${voters.join()} without ${lost}`)
  }
})

await t.test('the turn of one that asked too early is over', async (t) => {
  const asked = { kind: 'preVote', term: 2, lastIndex: at(0), lastTerm: 0 as never } as const
  for (const { askers, ticksAgo, waits } of [
    { askers: [], ticksAgo: 0, waits: 4 },
    { askers: ['W'], ticksAgo: 0, waits: 2 },
    { askers: ['W', 'X'], ticksAgo: 0, waits: 0 },
    { askers: ['W', 'X'], ticksAgo: 4, waits: 0 },
    // They had their turn long ago, and something else came of it.
    { askers: ['W', 'X'], ticksAgo: 5, waits: 4 },
    // Nobody waits for a stranger, nor for the one that is gone.
    { askers: ['A', 'Z'], ticksAgo: 0, waits: 4 },
  ]) {
    const node = new LoneNode({ voters: ['W', 'X', 'Z', 'a', 'b'], random: () => 0.9 })
    node.hear(heartbeat('Z', 1))
    for (const from of askers) node.hear({ ...asked, from })
    t.ok(only(node.out(), 'preVoteReply').every(({ granted }) => !granted))
    node.ticks(ticksAgo)
    node.step({ kind: 'peerRefused', peer: 'Z' })
    if (waits > 0) node.ticks(waits - 1)
    t.equal(node.status.role, waits === 0 ? 'preCandidate' : 'follower')
    if (waits > 0) node.ticks(1)
    t.equal(node.status.role, 'preCandidate', `${askers.join()} ${String(ticksAgo)} ticks ago`)
  }
})

await t.test('failover: both are refused at the same tick: the first one is elected', async (t) => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const group = steadyGroup(seed)
    const before = group.status('a').term
    group.crash('a')
    for (const id of ['c', 'b']) group.step(id, { kind: 'peerRefused', peer: 'a' })
    group.run(electionTicksMin / 4, ['b', 'c'])
    t.equal(group.status('b').role, 'leader')
    t.equal(group.status('c').term, before + 1, 'in the first election')
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
