/** Snapshots in a running cluster: saved, fetched by those far behind, and started from. */
import t from 'tap'
import type { WatchBatch } from '../../src/node/ports.js'
import { InProcessCluster, until } from './in-process-cluster.js'
import { allAgree, write } from './work.js'

await t.test(
  'a node that is far behind is fed a snapshot; its watchers miss nothing',
  async (t) => {
    const cluster = new InProcessCluster({ snapshotEntries: 20, keptEntries: 4 })
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    const leader = await cluster.leader()
    const behind = cluster.ids.find((id) => id !== leader.status().nodeId) ?? ''
    const seen: WatchBatch[] = []
    cluster.node(behind).watch({ prefix: '/prod/' }, (batch) => seen.push(batch))
    await write(cluster, 0, 2)
    await until(() => seen.length === 2)

    cluster.network.isolate(behind)
    await write(cluster, 2, 12)
    await until(() => cluster.node(leader.status().nodeId).status().raft.firstIndex > 10)
    cluster.network.heal()
    cluster.network.reconnect(behind)
    await until(() => allAgree(cluster))
    t.ok(
      cluster.network.fetches.some(({ by, wanted }) => by === behind && wanted.kind === 'snapshot'),
      'it came as a snapshot',
    )
    await until(() => seen.length >= 14)
    t.same(
      seen.map(({ written }) => written[0]?.path),
      Array.from({ length: 14 }, (_, at) => `/prod/key-${String(at)}`),
      'each activation once, in log order',
    )
    t.ok(cluster.node(behind).status().snapshot.lastRestoreMs !== null)
    const sent = cluster.ids.map((id) => cluster.node(id).status().snapshot.sentBytes)
    t.ok(Math.max(...sent) > 0, 'its leader counted what it gave')
    await write(cluster, 14, 1)
    await until(() => seen.length === 15)
    t.same([...cluster.failures], [])
  },
)

await t.test('a restart begins with the snapshot and what the log still holds', async (t) => {
  const cluster = new InProcessCluster({ nodes: 1, snapshotEntries: 10, keptEntries: 2 })
  const [id = ''] = cluster.ids
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  await write(cluster, 0, 8)
  const before = cluster.node(id)
  await until(() => before.status().raft.firstIndex > 1 && !before.status().snapshot.isSaving)
  const { stateDigest, appliedIndex } = before.status().machine
  await cluster.kill(id)

  const { state } = cluster.disk(id)
  const [victim] = [...state.records.keys()]
  t.ok(victim !== undefined && state.records.delete(victim), 'the state store is broken as well')
  const again = await cluster.start(id)
  await until(() => again.status().ready)
  t.ok(again.status().raft.appliedIndex > appliedIndex)
  const { value } = await again.read('linearizable', (reads) => reads.get('/prod/key-0'))
  t.match(value, { content: { value: 0 } })
  t.equal(stateDigest.length, 64)
  await write(cluster, 8, 8)
  t.same([...cluster.failures], [])
})

await t.test('a state store that lost a record saves no snapshot: the node ends', async (t) => {
  const cluster = new InProcessCluster({ nodes: 1, snapshotEntries: 12, keptEntries: 2 })
  const [id = ''] = cluster.ids
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  await cluster.leader()
  const { records } = cluster.disk(id).state
  const victim = [...records.keys()].find((key) => key.startsWith('entry'))
  t.ok(victim !== undefined && records.delete(victim))
  await write(cluster, 0, 8).catch(() => undefined)
  await until(() => cluster.failures.has(id))
  t.match(cluster.failures.get(id), { code: 'STORE_DAMAGED' })
  t.equal((await cluster.disk(id).snapshots.open()).latest(), null)
})

await t.test(
  'a record lost behind a snapshot ends the node once: its next start rebuilds',
  async (t) => {
    const cluster = new InProcessCluster({ nodes: 1, snapshotEntries: 12, keptEntries: 2 })
    const [id = ''] = cluster.ids
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    await write(cluster, 0, 8)
    const before = cluster.node(id)
    await until(() => before.status().snapshot.index > 0 && !before.status().snapshot.isSaving)
    const { index } = before.status().snapshot
    const { records, written } = cluster.disk(id).state
    const changed = new Set(written.flatMap(({ keys }) => keys))
    const victim = [...records.keys()].find((key) => key.startsWith('entry') && !changed.has(key))
    t.ok(victim !== undefined && records.delete(victim))
    await write(cluster, 8, 8).catch(() => undefined)
    await until(() => cluster.failures.has(id))
    t.match(cluster.failures.get(id), { code: 'STORE_DAMAGED' })
    cluster.failures.clear()
    await cluster.kill(id)

    const again = await cluster.start(id)
    await until(() => again.status().ready)
    t.ok(records.has(victim ?? ''), 'it is there again')
    await write(cluster, 16, 8)
    await until(() => again.status().snapshot.index > index)
    t.same([...cluster.failures], [])
  },
)
