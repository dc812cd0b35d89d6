import t, { type Test } from 'tap'
import { Connections } from '../../src/client/connections.js'
import { LeaderSearch } from '../../src/client/leader.js'
import { SecondOpinion } from '../../src/client/second-opinion.js'
import { stage, type Stage } from '../api/stage.js'

function opinionOf(t: Test, on: Stage): { opinion: SecondOpinion; search: LeaderSearch } {
  const connections = new Connections({ plaintext: true })
  const closing = new AbortController()
  t.teardown(() => {
    closing.abort()
    connections.close()
  })
  const search = new LeaderSearch(on.addresses)
  const { addresses } = on
  return {
    search,
    opinion: new SecondOpinion({ connections, search, addresses, closed: closing.signal }),
  }
}

await t.test('a silent leader is left once another node names another leader', async (t) => {
  const on = await stage(t)
  const { opinion, search } = opinionOf(t, on)
  const [first = '', second = ''] = on.addresses
  search.answeredAsLeader(first)
  const order: string[] = []
  const moved = ['one call', 'another call'].map(
    (name) =>
      new Promise<void>((resolve) =>
        opinion.whileSilent(first, () => {
          order.push(name)
          resolve()
        }),
      ),
  )
  // The others are asked while node-1 still leads: that alone moves nobody.
  await new Promise<void>((resolve) => {
    const other = on.cluster.node('node-2')
    const status = other.status.bind(other)
    other.status = () => {
      resolve()
      return status()
    }
  })
  order.push('elected')
  on.cluster.elect('node-2')
  await Promise.all(moved)
  t.same(order.toSorted(), ['another call', 'elected', 'one call'])
  t.equal(order[0], 'elected', 'nobody moves before there is another leader')
  t.equal(search.leader, second)
})

await t.test('the same bytes go to the new leader, and are applied once', async (t) => {
  const on = await stage(t, { deadlineMs: 30_000 })
  const message = await on.propose('alice', [{ action: 'put', path: '/prod/a', value: 1 }])
  // Frozen when it has taken the command: it never answers.
  const taken = new Promise<void>((resolve) => {
    on.cluster.first.twists.push(() => {
      resolve()
      return new Promise(() => undefined)
    })
  })
  const answer = on.client.propose(message)
  await taken
  on.cluster.elect('node-2')
  t.match(await answer, { state: 'OPEN', repeated: false })
  const [frozenOne] = on.cluster.first.received
  t.same(on.cluster.node('node-2').received.at(-1), frozenOne)
  t.equal(on.cluster.world.machine.reads.changes({ limit: 10 }).length, 1)
})
