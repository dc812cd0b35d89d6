/** Who must be able to campaign lest a change of the members stops for ever (4.2.2, 4.3). */
import t from 'tap'
import { Group, electionTicksMax, heartbeatTicks, optionsOf } from './group.js'

const founding = ['a', 'b', 'c']

/** Timers that run out one after the other. */
const timerOf = (id: string) => ({ random: () => ('abcdefg'.indexOf(id) + 1) / 10 })

/**
 * a hands its vote over to d; its disk alone holds the entry that leaves the joint configuration,
 * and then everybody has lost the leader. c is down from before that entry on.
 */
function withUnsentFinalStep(learners: readonly string[]): Group {
  const group = new Group(founding, timerOf)
  group.add({ ...optionsOf('d', founding), ...timerOf('d') })
  group.elect('a')
  group.run(heartbeatTicks)
  group.change('a', ['b', 'c', 'd'], learners)
  group.lost = (message) =>
    message.kind === 'append' && message.entries.some(({ index }) => index === 4)
  group.run(heartbeatTicks)
  group.crash('c')
  group.crash('a')
  group.wire = []
  group.restart('a')
  group.heal()
  return group
}

for (const learners of [[], ['a']]) {
  await t.test(`a majority of either half lives, +${learners.join()}`, async (t) => {
    const group = withUnsentFinalStep(learners)
    t.same(
      group.member('a').entries.map(({ kind }) => kind),
      ['noop', 'configuration', 'configuration', 'configuration'],
    )
    t.same(group.status('a').configuration.outgoing, [])
    t.same(group.status('b').configuration.outgoing, founding)
    group.run(6 * electionTicksMax)
    const leaders = ['a', 'b', 'd'].filter((id) => group.status(id).role === 'leader')
    t.equal(leaders.length, 1)
    const leader = leaders[0] ?? ''
    t.not(leader, 'a')
  })
}
