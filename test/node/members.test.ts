import t from 'tap'
import { Members } from '../../src/node/members.js'
import { configurationOf } from '../../src/raft/index.js'

const member = (id: string, incarnation = '11'.repeat(16)) => ({
  id,
  address: `${id}:7100`,
  incarnation,
})
const genesisNode = (id: string) => ({ ...member(id), nodeKey: 'key', roles: [] })

/** The members as node-1 sees them; what it sees is the test's. */
function scene(ids: readonly string[]) {
  const world = {
    nodes: ids,
    removed: [] as readonly string[],
    departed: [] as readonly ReturnType<typeof member>[],
    inForce: configurationOf(ids),
    isLost: false,
  }
  const members = new Members({
    nodeId: 'node-1',
    known: ids.map((id) => member(id)),
    addresses: {},
    membership: () =>
      ({
        nodes: world.nodes.map((id) => genesisNode(id)) as never,
        removed: world.removed,
        departed: world.departed,
      }) as never,
    configuration: () => world.inForce,
    isLost: () => world.isLost,
  })
  const knownIds = (): readonly string[] => members.known().members.map(({ id }) => id)
  return { world, members, knownIds }
}

await t.test('a member that hears no leader for long lets anybody in, and joins nothing', (t) => {
  const { world, members } = scene(['node-1', 'node-2'])
  t.match(members.known(), { anyone: false, joins: false, ownAddress: 'node-1:7100' })
  world.isLost = true
  t.match(members.known(), { anyone: true, joins: false })
  world.removed = ['node-1']
  t.match(members.known(), { anyone: false, joins: false }, 'not one that was removed')
  t.end()
})

await t.test('a node that is not in the state yet joins, and lets anybody in', (t) => {
  const { world, members } = scene(['node-1', 'node-2'])
  world.nodes = ['node-2']
  world.inForce = configurationOf(['node-2'])
  t.match(members.known(), { anyone: true, joins: true })
  t.end()
})

await t.test('who was introduced stays known until the state names it, or its end', (t) => {
  const { world, members, knownIds } = scene(['node-1', 'node-2'])
  members.introduced(member('node-8'))
  members.introduced(member('node-9'))
  t.same(knownIds(), ['node-2', 'node-8', 'node-9'])
  t.equal(members.addressOf('node-8'), 'node-8:7100')
  world.removed = ['node-9']
  t.same(knownIds(), ['node-2', 'node-8'])
  world.nodes = ['node-1', 'node-8']
  world.inForce = configurationOf(['node-1', 'node-8'])
  t.same(knownIds(), ['node-8'])
  world.nodes = ['node-1']
  world.inForce = configurationOf(['node-1'])
  t.same(knownIds(), [], 'the state has the last word from then on')
  t.end()
})

await t.test('an introduction gives a known node no other name or life', (t) => {
  const { members } = scene(['node-1', 'node-2'])
  members.introduced(member('node-2', '99'.repeat(16)))
  t.match(members.known().members, [member('node-2')])
  t.end()
})

await t.test('more strangers than a cluster has nodes are not kept', (t) => {
  const { members, knownIds } = scene(['node-1', 'node-2'])
  for (let at = 10; at < 100; at += 1) members.introduced(member(`node-${String(at)}`))
  t.equal(knownIds().length, 1 + 16)
  t.end()
})

await t.test(
  'a voter that the state has given up is found while it counts, after a start too',
  (t) => {
    const { world, knownIds, members } = scene(['node-1', 'node-2'])
    world.removed = ['node-7']
    world.departed = [member('node-7')]
    t.same(knownIds(), ['node-2'])
    world.inForce = configurationOf(['node-1', 'node-7'])
    t.same(knownIds(), ['node-2', 'node-7'])
    t.same(members.known().removed, [], 'its streams are no streams of a removed node yet')
    t.end()
  },
)
