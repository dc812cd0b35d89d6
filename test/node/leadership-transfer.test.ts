import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import type { NodeConfig } from '../../src/config/index.js'
import { transferBy, type Asked } from '../../src/node/transfer-command.js'
import { term } from '../../src/raft/index.js'
import type { TransferOutcome } from '../../src/wire/index.js'
import { encodeCanonical, type Json } from '../../src/signing/index.js'
import { InProcessCluster } from './in-process-cluster.js'

await t.test('leadership goes to the named voter, and the answer says who leads', async (t) => {
  const cluster = new InProcessCluster()
  t.teardown(() => cluster.stopAll())
  await cluster.startAll()
  const before = await cluster.leader()
  const { nodeId: id, raft } = before.status()
  const to = cluster.ids.find((other) => other !== id) ?? ''
  const known = await before.transferLeadership(to)
  t.match(known, { asked: true, leader: to, address: `${to}:7100` })
  t.ok(known.term > raft.term, 'by an election of its own term')
  const after = await cluster.leader()
  t.equal(after.status().nodeId, to)
  t.match(await before.transferLeadership(null), { asked: false, leader: to }, 'a hint')
  t.match(await after.transferLeadership(to), { asked: true, leader: to }, 'it leads already')
})

await t.test('nobody named: the voter that is furthest takes over', async (t) => {
  const cluster = new InProcessCluster()
  t.teardown(() => cluster.stopAll())
  await cluster.startAll()
  const before = await cluster.leader()
  const known = await before.transferLeadership(null)
  t.not(known.leader, before.status().nodeId)
  t.equal((await cluster.leader()).status().nodeId, known.leader)
})

await t.test('who cannot lead is refused, and a dead voter does not take over', async (t) => {
  const cluster = new InProcessCluster()
  t.teardown(() => cluster.stopAll())
  await cluster.startAll()
  const leader = await cluster.leader()
  const { nodeId: id } = leader.status()
  await t.rejects(leader.transferLeadership('node-9'), { code: 'INPUT_INVALID' })
  const dead = cluster.ids.find((other) => other !== id) ?? ''
  await cluster.kill(dead)
  await t.rejects(leader.transferLeadership(dead), { code: 'TRANSFER_FAILED' })
  t.equal((await cluster.leader()).status().nodeId, id, 'it leads on')
})

await t.test('the command follows hints, and passes over nodes that are down', async (t) => {
  const cluster = new InProcessCluster()
  const genesisFile = `${t.testdir({
    'genesis.json': Buffer.from(encodeCanonical(cluster.genesis as unknown as Json)),
  })}/genesis.json`
  const config = { nodeId: 'node-2', genesisFile, members: [], peers: {} } as unknown as NodeConfig
  const outcome = (leader: string | null, asked: boolean): TransferOutcome => ({
    hello: {} as TransferOutcome['hello'],
    asked,
    leader,
    term: term(3),
    address: leader === null ? null : `${leader}:7100`,
  })
  const asked: string[] = []
  const down = new CountersignError('UNREACHABLE', 'It is down.')
  const world =
    (answers: Readonly<Record<string, () => TransferOutcome>>) =>
    ({ id }: Asked): Promise<TransferOutcome> => {
      asked.push(id)
      const answer = answers[id]
      return answer === undefined ? Promise.reject(down) : Promise.resolve(answer())
    }

  const hinted = world({
    'node-2': () => outcome('node-3', false),
    'node-3': () => outcome('node-1', true),
  })
  t.strictSame(await transferBy(config, null, hinted), {
    leader: 'node-1',
    term: 3,
    before: 'node-3',
  })
  t.strictSame(asked.splice(0), ['node-2', 'node-3'], 'this node first, then its hint')

  const partly = world({ 'node-3': () => outcome('node-1', true) })
  await transferBy(config, 'node-1', partly)
  t.strictSame(asked.splice(0), ['node-2', 'node-1', 'node-3'])

  await t.rejects(
    transferBy(config, 'node-2', partly),
    { code: 'TRANSFER_FAILED' },
    'not the named one',
  )
  await t.rejects(transferBy(config, null, world({})), { code: 'UNREACHABLE' })
  const lost = world({ 'node-1': () => outcome(null, false) })
  await t.rejects(transferBy(config, null, lost), { code: 'UNREACHABLE' }, 'the last word counts')
  const refused = (): never => {
    throw new CountersignError('INPUT_INVALID', 'It is no voter.')
  }
  asked.splice(0)
  await t.rejects(transferBy(config, 'node-9', world({ 'node-2': refused })), {
    code: 'INPUT_INVALID',
  })
  t.strictSame(asked.splice(0), ['node-2'], 'a refusal that every node would give is the answer')
  const circle = world({
    'node-1': () => outcome('node-2', false),
    'node-2': () => outcome('node-1', false),
  })
  await t.rejects(transferBy(config, null, circle), { code: 'NOT_LEADER' }, 'no endless circle')
})
