/** Changes of the members as a group lives through them (dissertation, chapter 4). */
import t from 'tap'
import { configurationOf } from '../../src/raft/index.js'
import { Group, electionTicksMax, electionTicksMin, heartbeatTicks, optionsOf } from './group.js'

const founding = ['a', 'b', 'c']

/** Timers that run out one after the other. */
const timerOf = (id: string) => ({ random: () => ('abcdefg'.indexOf(id) + 1) / 10 })

/** A group whose `a` leads, and nodes beside it that belong to nothing yet. */
function groupOf(voters: readonly string[], joining: readonly string[] = []): Group {
  const group = new Group(voters, timerOf)
  for (const id of joining) group.add({ ...optionsOf(id, voters), ...timerOf(id) })
  group.elect('a')
  group.run(heartbeatTicks)
  return group
}

const leaders = (group: Group): string[] =>
  [...group.members.keys()].filter(
    (id) => group.member(id).alive && group.status(id).role === 'leader',
  )

/** A few heartbeats: enough for every step of a change when nobody is missing. */
const settleChange = (group: Group) => {
  group.settle()
  group.run(3 * heartbeatTicks)
}

await t.test('a node joins: learner, voter beside the old ones, voter', async (t) => {
  const group = groupOf(founding, ['d'])
  group.propose('a', 'before')
  t.match(group.change('a', ['a', 'b', 'c', 'd']), { kind: 'appended', index: 3, term: 1 })
  t.same(group.status('a').configuration, {
    voters: founding,
    outgoing: [],
    learners: ['d'],
    target: ['a', 'b', 'c', 'd'],
  })
  settleChange(group)
  for (const id of ['a', 'b', 'c', 'd']) {
    t.same(group.status(id).configuration, configurationOf(['a', 'b', 'c', 'd']), id)
    t.equal(group.status(id).configurationCommitted, true)
    t.same(group.appliedTexts(id), ['before'])
  }
  t.same(
    group.member('a').entries.map(({ kind }) => kind),
    ['noop', 'command', 'configuration', 'configuration', 'configuration'],
  )
})

await t.test('several nodes are replaced by one change', async (t) => {
  const group = groupOf(founding, ['d', 'e'])
  group.change('a', ['a', 'd', 'e'], ['b'])
  settleChange(group)
  t.same(group.status('a').configuration, configurationOf(['a', 'd', 'e'], ['b']))
  t.same(
    group.status('a').peers.map(({ id, votes }) => [id, votes]),
    [
      ['b', false],
      ['d', true],
      ['e', true],
    ],
    'who was removed is followed no longer',
  )
  group.isolate('b', 'c')
  group.propose('a', 'without the old ones')
  group.settle()
  t.same(group.appliedTexts('a'), ['without the old ones'])
})

await t.test('no switch to voters of whom no majority answers, until one does', async (t) => {
  const group = groupOf(founding)
  group.isolate('c')
  group.run(electionTicksMin + heartbeatTicks)
  group.change('a', ['a', 'c'])
  settleChange(group)
  t.same(group.status('a').configuration, { ...configurationOf(founding), target: ['a', 'c'] })
  group.propose('a', 'b still counts')
  group.settle()
  t.same(group.appliedTexts('b'), ['b still counts'])
  group.heal()
  group.run(3 * heartbeatTicks)
  settleChange(group)
  t.same(group.status('a').configuration, configurationOf(['a', 'c']))
})

await t.test('15: a removed node that never heard of it moves no term', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd'])
  group.isolate('d')
  group.change('a', founding)
  settleChange(group)
  t.same(group.status('a').configuration, configurationOf(founding))
  group.run(electionTicksMax)
  group.heal()
  const sent = group.sent.length
  group.run(10 * electionTicksMax)
  t.ok(
    group.sent.slice(sent).some(({ kind, from }) => kind === 'preVote' && from === 'd'),
    'it keeps trying',
  )
  t.same(leaders(group), ['a'])
  t.equal(group.status('a').term, 1)
})

await t.test('15: a removed node that heard of it keeps quiet', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd'])
  group.change('a', founding)
  settleChange(group)
  t.same(group.status('d').configuration, configurationOf(founding))
  t.equal(group.status('d').configurationCommitted, true, 'it was told to the end')
  const sent = group.sent.length
  group.run(5 * electionTicksMax)
  t.same(
    group.sent.slice(sent).filter(({ from, to }) => from === 'd' || to === 'd'),
    [],
  )
})

await t.test('32: a second change is refused while one is not committed', async (t) => {
  const group = groupOf(founding, ['d', 'e'])
  group.isolate('a')
  t.match(group.change('a', founding, ['d']), { kind: 'appended', index: 2 })
  t.match(group.change('a', founding, ['e']), {
    kind: 'refused',
    code: 'PENDING',
    pendingIndex: 2,
  })
  group.heal()
  settleChange(group)
  t.match(group.change('a', founding, ['e']), { kind: 'appended' })
})

await t.test('32: a second change is refused while the first is joint', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd'])
  group.change('a', founding)
  t.match(group.status('a'), { configuration: { outgoing: ['a', 'b', 'c', 'd'] } })
  t.match(group.change('a', ['a', 'b']), { code: 'PENDING', pendingIndex: 2 })
})

await t.test('36: while joint, one half alone neither commits nor elects', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd', 'e'])
  group.isolate('c', 'd', 'e')
  group.change('a', ['a', 'b'])
  settleChange(group)
  t.match(group.status('a'), { commitIndex: 1, configurationCommitted: false }, 'new half only')
  group.run(2 * electionTicksMax)
  t.same(
    leaders(group).filter((id) => id === 'a' || id === 'b'),
    [],
  )
  group.heal()
  group.run(3 * electionTicksMax)
  t.equal(leaders(group).length, 1)
})

await t.test('37: the leader dies while joint: the next one leaves by itself', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd'])
  group.change('a', founding)
  for (const message of group.wire.splice(0)) {
    if (message.kind === 'append') group.step(message.to, { kind: 'receive', message })
  }
  group.crash('a')
  group.wire = []
  t.match(group.status('b').configuration, { voters: founding, outgoing: ['a', 'b', 'c', 'd'] })
  group.elect('b')
  settleChange(group)
  t.same(group.status('b').configuration, configurationOf(founding))
  t.equal(group.status('b').configurationCommitted, true)
  t.same(
    group.member('b').entries.map(({ kind, term }) => [kind, term]),
    [
      ['noop', 1],
      ['configuration', 1],
      ['noop', 2],
      ['configuration', 2],
    ],
    'after its own no-op',
  )
})

await t.test('37: the leader dies after the plan: the next one promotes', async (t) => {
  const group = groupOf(founding, ['d'])
  group.isolate('d')
  group.change('a', ['a', 'b', 'c', 'd'])
  settleChange(group)
  group.crash('a')
  group.heal()
  group.elect('b')
  settleChange(group)
  t.same(group.status('b').configuration, configurationOf(['a', 'b', 'c', 'd']))
})

await t.test('38: a leader removes itself and hands over, without any timeout', async (t) => {
  const group = groupOf(founding)
  group.propose('a', 'before')
  group.change('a', ['b', 'c'])
  group.settle()
  t.equal(group.status('a').role, 'follower')
  const [next = ''] = leaders(group)
  t.ok(['b', 'c'].includes(next))
  t.same(group.status(next).configuration, configurationOf(['b', 'c']))
  t.equal(group.status(next).term, 2)
  group.propose(next, 'after')
  group.run(heartbeatTicks)
  t.same(group.appliedTexts('b'), ['before', 'after'])
  const sent = group.sent.length
  group.run(5 * electionTicksMax)
  t.same(
    group.sent.slice(sent).filter(({ from }) => from === 'a'),
    [],
    'the old leader keeps quiet',
  )
})

await t.test('38: a leader that becomes a learner hands over and is fed on', async (t) => {
  const group = groupOf(founding)
  group.change('a', ['b', 'c'], ['a'])
  t.match(group.status('a').configuration, { outgoing: founding, learners: ['a'] })
  settleChange(group)
  const [next = ''] = leaders(group)
  t.ok(['b', 'c'].includes(next))
  group.propose(next, 'after')
  group.run(heartbeatTicks)
  t.same(group.appliedTexts('a'), ['after'])
})

await t.test(
  '41: an unreachable learner blocks nothing, and is promoted when it comes',
  async (t) => {
    const group = groupOf(founding, ['d'])
    group.isolate('d')
    group.change('a', ['a', 'b', 'c', 'd'])
    group.run(3 * electionTicksMax)
    t.same(leaders(group), ['a'], 'the leader stays')
    t.match(group.status('a').configuration, { voters: founding, learners: ['d'] })
    const learner = group.status('a').peers.find(({ id }) => id === 'd')
    t.match(learner, { votes: false, catchUp: { rounds: 0, waitsFor: 'silent' } })
    group.propose('a', 'meanwhile')
    group.settle()
    t.same(group.appliedTexts('b'), ['meanwhile'])
    group.heal()
    settleChange(group)
    t.same(group.status('a').configuration, configurationOf(['a', 'b', 'c', 'd']))
    t.same(group.appliedTexts('d'), ['meanwhile'])
  },
)

await t.test('a learner that has caught up says whom the promotion waits for', async (t) => {
  const waitsFor = (group: ReturnType<typeof groupOf>) =>
    group.status('a').peers.find(({ id }) => id === 'd')?.catchUp?.waitsFor
  const half = groupOf(founding, ['d'])
  half.isolate('b')
  half.run(electionTicksMax)
  half.change('a', ['b', 'd'])
  half.run(3 * electionTicksMax)
  t.equal(waitsFor(half), 'majority')
  const pair = groupOf(founding, ['d', 'e'])
  pair.isolate('e')
  pair.change('a', ['a', 'b', 'c', 'd', 'e'])
  pair.run(3 * electionTicksMax)
  t.equal(waitsFor(pair), 'others')
  pair.heal()
  settleChange(pair)
  t.equal(waitsFor(pair), undefined, 'a voter by now')
})

await t.test('a plan that waits for a learner may be replaced or given up', async (t) => {
  const group = groupOf(founding, ['d', 'e'])
  group.isolate('d')
  group.change('a', ['a', 'b', 'c', 'd'])
  settleChange(group)
  t.match(group.change('a', ['a', 'b', 'c', 'e'], [], 2), { kind: 'appended', index: 3 })
  settleChange(group)
  t.same(group.status('a').configuration, configurationOf(['a', 'b', 'c', 'e']))

  group.change('a', ['a', 'b', 'c', 'd', 'e'])
  settleChange(group)
  t.match(group.status('a').configuration, { learners: ['d'] })
  group.change('a', ['a', 'b', 'c', 'e'])
  settleChange(group)
  t.same(group.status('a').configuration, configurationOf(['a', 'b', 'c', 'e']), 'given up')
})

await t.test('a node that was removed comes back and is fed from its match', async (t) => {
  const group = groupOf(['a', 'b', 'c', 'd'])
  group.change('a', founding)
  settleChange(group)
  group.propose('a', 'without d')
  group.change('a', ['a', 'b', 'c', 'd'])
  settleChange(group)
  t.same(group.status('d').configuration, configurationOf(['a', 'b', 'c', 'd']))
  t.same(group.appliedTexts('d'), ['without d'])
})

await t.test('the founder grows from one voter to three', async (t) => {
  const group = groupOf(['a'], ['b', 'c'])
  group.change('a', founding)
  settleChange(group)
  t.same(group.status('c').configuration, configurationOf(founding))
  group.crash('a')
  group.run(3 * electionTicksMax)
  t.equal(leaders(group).length, 1)
})

await t.test(
  'a voter whose leader it does not know by name yet follows it all the same',
  async (t) => {
    const group = groupOf(founding, ['d'])
    group.change('a', ['b', 'c', 'd'])
    settleChange(group)
    const [next = ''] = leaders(group)
    group.add({ ...optionsOf('e', founding), ...timerOf('e') })
    group.change(next, ['b', 'd', 'e'])
    settleChange(group)
    group.run(electionTicksMin)
    t.same(group.status('e').configuration, configurationOf(['b', 'd', 'e']))
    t.ok(['b', 'd', 'e'].includes(group.status('e').leader ?? ''))
  },
)
