/** The consensus configuration follows the governed documents under /sys/nodes. */
import t from 'tap'
import type { Json } from '../../src/signing/index.js'
import { InProcessCluster, until } from './in-process-cluster.js'
import { allAgree, write } from './work.js'

const pathOf = (id: string): string => `/sys/nodes/${id}`
const rolesOn = (cluster: InProcessCluster, id: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    cluster
      .node(id)
      .status()
      .members.map((member) => [member.id, member.role]),
  )

await t.test(
  'a learner is added, catches up, and becomes a voter when it is made one',
  async (t) => {
    const cluster = new InProcessCluster()
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    await write(cluster, 0, 3)
    const learner = cluster.found(4, 'learner')
    const joining = await cluster.start(learner.id)
    t.notOk(joining.status().ready)
    await cluster.govern({ [pathOf(learner.id)]: learner as unknown as Json })
    await until(() => allAgree(cluster) && joining.status().ready)
    t.equal(rolesOn(cluster, learner.id)[learner.id], 'learner')

    await cluster.govern({ [pathOf(learner.id)]: { ...learner, role: 'voter' } })
    await until(() => rolesOn(cluster, learner.id)[learner.id] === 'voter')
    await until(() => [...cluster.running.values()].every((node) => isSettled(node.status())))
    t.equal(cluster.node(learner.id).status().raft.voters.length, 4)
    await write(cluster, 3, 2)
    await until(() => allAgree(cluster))
    t.same([...cluster.failures], [])
  },
)

await t.test('one change replaces a node; the one that goes hears of it', async (t) => {
  const cluster = new InProcessCluster()
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const leader = await cluster.leader()
  const leaves = cluster.ids.find((id) => id !== leader.status().nodeId) ?? ''
  const comes = cluster.found(4)
  await cluster.start(comes.id)
  await cluster.govern({ [pathOf(leaves)]: null, [pathOf(comes.id)]: comes as unknown as Json })
  await until(() => cluster.node(leaves).status().removed)
  const { nodeId } = (await cluster.leader(leaves)).status()
  await until(() => isSettled(cluster.node(nodeId).status()))
  t.same(Object.keys(rolesOn(cluster, nodeId)).sort(), without(cluster, leaves, comes.id))
  t.notOk(cluster.node(leaves).status().ready)
  await cluster.kill(leaves)
  await write(cluster, 0, 3)
  await until(() => allAgree(cluster))
  t.same([...cluster.failures], [])
})

await t.test('a leader that is removed hands over, and the others go on', async (t) => {
  const cluster = new InProcessCluster({ nodes: 4 })
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const { nodeId: old } = (await cluster.leader()).status()
  await cluster.govern({ [pathOf(old)]: null })
  await until(() => cluster.node(old).status().raft.role !== 'leader')
  const { nodeId } = (await cluster.leader(old)).status()
  t.not(nodeId, old)
  await until(() => isSettled(cluster.node(nodeId).status()))
  t.equal(cluster.node(nodeId).status().raft.voters.length, 3)
  await cluster.kill(old)
  await write(cluster, 0, 2)
  await until(() => allAgree(cluster))
  t.same([...cluster.failures], [])
})

await t.test('a node joins a cluster whose log is cut: snapshot first', async (t) => {
  const cluster = new InProcessCluster({ snapshotEntries: 15, keptEntries: 2 })
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  await write(cluster, 0, 10)
  const { nodeId } = (await cluster.leader()).status()
  await until(() => cluster.node(nodeId).status().raft.firstIndex > 10)
  const comes = cluster.found(4)
  await cluster.start(comes.id)
  await cluster.govern({ [pathOf(comes.id)]: comes as unknown as Json })
  await until(() => rolesOn(cluster, comes.id)[comes.id] === 'voter' && allAgree(cluster))
  t.ok(cluster.network.fetches.some(({ by }) => by === comes.id))
  t.same([...cluster.failures], [])
})

function isSettled({ raft }: ReturnType<ReturnType<InProcessCluster['node']>['status']>): boolean {
  const { outgoing, target } = raft.configuration
  return raft.configurationCommitted && outgoing.length === 0 && target === null
}

function without(cluster: InProcessCluster, gone: string, come: string): readonly string[] {
  return [...cluster.ids.filter((id) => id !== gone), come].sort()
}
