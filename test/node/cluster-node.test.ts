import t from 'tap'
import type { WatchBatch } from '../../src/node/ports.js'
import { recoverState } from '../../src/node/recover-state.js'
import { command, InProcessCluster, until } from './in-process-cluster.js'

await t.test(
  'three nodes elect, commit a change with two approvals, read and watch it',
  async (t) => {
    const cluster = new InProcessCluster()
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    const leader = await cluster.leader()
    const seen = new Map<string, WatchBatch[]>()
    for (const [id, node] of cluster.running) {
      const batches: WatchBatch[] = []
      seen.set(id, batches)
      node.watch({ prefix: '/prod/' }, (batch) => batches.push(batch))
    }

    const { changeId, message } = cluster.propose('alice', '/prod/limit', 42)
    const proposed = await leader.submit(command(message))
    t.match(proposed, { kind: 'accepted', state: 'OPEN', repeated: false })
    t.match(await leader.submit(command(message)), { kind: 'accepted', repeated: true })

    const own = await leader.submit(command(await cluster.approve('alice', changeId, leader)))
    t.match(own, { kind: 'refused', refusal: { code: 'SELF_APPROVAL' } })
    const first = await leader.submit(command(await cluster.approve('bob', changeId, leader)))
    t.match(first, { kind: 'accepted', state: 'OPEN' })
    const second = await leader.submit(command(await cluster.approve('carol', changeId, leader)))
    t.match(second, { kind: 'accepted', state: 'ACTIVE' })

    const { value, revision } = await leader.read('linearizable', (reads) =>
      reads.get('/prod/limit'),
    )
    t.match(value, { content: { kind: 'value', value: 42 }, changeId })
    t.ok(revision >= (value?.modRevision ?? Infinity))
    await until(() => [...seen.values()].every((batches) => batches.length === 1))
    for (const [id, batches] of seen) {
      t.match(batches, [{ changeId, written: [{ path: '/prod/limit' }] }], id)
    }
    await until(() => sameIndexes(cluster))
    const digests = [...cluster.running.values()].map((node) => node.status().machine.stateDigest)
    t.equal(new Set(digests).size, 1, 'one state on all nodes')
    t.equal(cluster.failures.size, 0)
  },
)

await t.test('a follower answers with the leader and its address, and never appends', async (t) => {
  const cluster = new InProcessCluster()
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const leader = (await cluster.leader()).status()
  const follower = cluster.node(cluster.ids.find((id) => id !== leader.nodeId) ?? '')
  const { message } = cluster.propose('alice', '/prod/a', 1)
  const hint = {
    code: 'NOT_LEADER',
    details: { leaderId: leader.nodeId, clientAddress: leader.clientAddress },
  }
  await t.rejects(follower.submit(command(message)), hint)
  await t.rejects(
    follower.read('linearizable', () => 0),
    hint,
  )
  t.match(await follower.read('local', (reads) => reads.status().featureLevel), { value: 2 })
  const forged = { ...message.envelope, signature: new Uint8Array(64) }
  t.match(await follower.submit({ kind: 'submit', envelope: forged, detached: [] }), {
    kind: 'refused',
    refusal: { code: 'BAD_SIGNATURE' },
  })
})

await t.test(
  'the leader is killed: another one leads, and the killed one catches up',
  async (t) => {
    const cluster = new InProcessCluster()
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    const first = await cluster.leader()
    const gone = first.status().nodeId
    await first.submit(command(cluster.propose('alice', '/prod/a', 1).message))
    await cluster.kill(gone)
    const second = await cluster.leader()
    t.not(second.status().nodeId, gone)
    await second.submit(command(cluster.propose('alice', '/prod/b', 2).message))
    const restarted = await cluster.start(gone)
    await until(() => restarted.status().ready && sameIndexes(cluster))
    t.equal(restarted.status().machine.stateDigest, second.status().machine.stateDigest)
  },
)

await t.test('a state store that went wrong is rebuilt from the log', async (t) => {
  const cluster = new InProcessCluster({ nodes: 1 })
  const [id = ''] = cluster.ids
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const node = await cluster.leader()
  await node.submit(command(cluster.propose('alice', '/prod/a', 1).message))
  const { stateDigest, appliedIndex } = node.status().machine
  await cluster.kill(id)
  const { records } = cluster.disk(id).state
  const [victim] = [...records.keys()].filter((key) => key.startsWith('change'))
  t.ok(victim !== undefined && records.delete(victim), 'one record is gone')
  const { machine, rebuilt } = await recoverState({
    genesis: cluster.genesis,
    clusterId: cluster.clusterId,
    stateStore: cluster.disk(id).state.open(),
    snapshotStore: await cluster.disk(id).snapshots.open(),
    firstIndex: 1,
    lastIndex: appliedIndex,
  })
  t.match(rebuilt, /digest/)
  t.equal(machine.status().appliedIndex, 0)
  await cluster.start(id)
  const again = await cluster.leader()
  t.ok(again.status().machine.appliedIndex > appliedIndex)
  const { value } = await again.read('local', (reads) => reads.changes({ limit: 10 }))
  t.equal(value.length, 1)
  t.equal(stateDigest.length, 64)
})

await t.test(
  'a failed write ends the node, and its caller learns that the outcome is open',
  async (t) => {
    let isBroken = false
    const cluster = new InProcessCluster({
      nodes: 1,
      logStore: (_id, store) => ({
        write: (batch) => (isBroken ? Promise.reject(new Error('EIO')) : store.write(batch)),
        chainAt: (index) => store.chainAt(index),
        close: () => store.close(),
      }),
    })
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    const node = await cluster.leader()
    isBroken = true
    await t.rejects(node.submit(command(cluster.propose('alice', '/prod/a', 1).message)), {
      code: 'UNKNOWN_OUTCOME',
    })
    t.match(cluster.failures.get(node.status().nodeId), { message: 'EIO' })
    await t.rejects(
      node.read('local', () => 0),
      { code: 'NODE_STOPPING' },
    )
  },
)

await t.test('an isolated leader answers no linearizable read and no command', async (t) => {
  const cluster = new InProcessCluster()
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const old = await cluster.leader()
  cluster.network.isolate(old.status().nodeId)
  const write = old.submit(command(cluster.propose('alice', '/prod/a', 1).message))
  await t.rejects(
    old.read('linearizable', () => 0),
    { code: 'NO_QUORUM' },
  )
  await t.rejects(write, { code: 'UNKNOWN_OUTCOME' })
  cluster.network.heal()
})

await t.test('drain hands leadership over before the node stops', async (t) => {
  const cluster = new InProcessCluster()
  await cluster.startAll()
  t.teardown(() => cluster.stopAll())
  const old = await cluster.leader()
  await old.drain()
  t.not(old.status().raft.role, 'leader')
  t.notOk(old.status().ready)
  await t.rejects(old.submit(command(cluster.propose('alice', '/prod/a', 1).message)), {
    code: 'NODE_STOPPING',
  })
})

await t.test(
  'a cheating leader puts a forged command into the log, and it changes nothing',
  async (t) => {
    const cluster = new InProcessCluster({ admitForged: true })
    await cluster.startAll()
    t.teardown(() => cluster.stopAll())
    const leader = await cluster.leader()
    const { message, changeId } = cluster.propose('alice', '/prod/a', 1)
    const envelope = { ...message.envelope, signature: new Uint8Array(64).fill(7) }
    const result = await leader.submit({ kind: 'submit', envelope, detached: message.detached })
    t.match(result, { kind: 'refused', refusal: { code: 'BAD_SIGNATURE' } })
    t.ok(result.index > 0, 'it stands in the log')
    await until(() => sameIndexes(cluster))
    for (const node of cluster.running.values()) {
      t.equal(node.status().machine.noise, 1)
      t.equal((await node.read('local', (reads) => reads.change(changeId))).value, undefined)
    }
  },
)

function sameIndexes(cluster: InProcessCluster): boolean {
  const nodes = [...cluster.running.values()].map((node) => node.status())
  const last = Math.max(...nodes.map(({ raft }) => raft.lastIndex))
  return nodes.every(({ machine }) => machine.appliedIndex === last)
}
