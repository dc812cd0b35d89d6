/** Governed membership (feature level 2): what may become of nodes, and what the runtime is told. */
import t from 'tap'
import { createMachine, restoreMachine } from '../../src/machine/index.js'
import type { Json } from '../../src/signing/index.js'
import { toBase64 } from '../../src/signing/index.js'
import {
  World,
  hour,
  json,
  keyOf,
  minute,
  nodeAt,
  nodeOf,
  outcome,
  policy,
  rule,
  signerOf,
} from './world.js'

const quorum = ['bob', 'carol']
const add = (id: string, port: number, fields = {}): Record<string, Json> => ({
  [`/sys/nodes/${id}`]: json(nodeAt(id, port, fields)),
})
const remove = (id: string): Record<string, Json> => ({ [`/sys/nodes/${id}`]: null })

const atLevelTwo = (nodes = 3): World =>
  new World({ nodes, genesis: { featureLevel: 2, ...spread(nodes) } })

/** Level 2 asks for addresses that differ only of nodes that a change writes. */
function spread(count: number) {
  return {
    nodes: Array.from({ length: count }, (_, i) => nodeAt(`node-${String(i + 1)}`, 7101 + i)),
  }
}

await t.test('a node is added, promoted, replaced and removed by approved changes', async (t) => {
  const world = atLevelTwo()
  world.tick()
  const first = world.machine.membership()
  t.equal(first.revision, 1)
  t.same(first.removed, [])
  t.same(
    first.nodes.map(({ id }) => id),
    ['node-1', 'node-2', 'node-3'],
  )
  t.match(first.nodes[0], { address: '127.0.0.1:7101', role: 'voter' })
  t.equal(first.nodes[0]?.nodeKey.length, 32)
  t.equal(world.machine.membership(), first, 'worked out once')

  world.carry({ by: 'alice', set: add('node-4', 7104, { role: 'learner' }) }, quorum)
  const added = world.machine.membership()
  t.equal(added.revision, world.index)
  t.match(added.nodes.at(-1), { id: 'node-4', role: 'learner' })
  world.carry({ by: 'alice', set: add('node-4', 7104) }, quorum)
  t.match(world.machine.membership().nodes.at(-1), { id: 'node-4', role: 'voter' })
  world.tick()

  world.carry({ by: 'alice', set: { ...remove('node-1'), ...add('node-5', 7105) } }, quorum)
  const replaced = world.machine.membership()
  t.equal(replaced.revision, world.index)
  t.same(replaced.removed, ['node-1'])
  t.same(
    replaced.nodes.map(({ id }) => id),
    ['node-2', 'node-3', 'node-4', 'node-5'],
  )
  world.carry({ by: 'alice', set: add('node-5', 9105) }, quorum)
  t.match(world.machine.membership().nodes.at(-1), { address: '127.0.0.1:9105' })
  world.carry({ by: 'alice', set: remove('node-5') }, quorum)
  t.same(world.machine.membership().removed, ['node-1', 'node-5'])
  t.match(
    world.machine.membership().departed,
    [
      { id: 'node-1', address: '127.0.0.1:7101', incarnation: first.nodes[0]?.incarnation },
      { id: 'node-5', address: '127.0.0.1:9105', incarnation: replaced.nodes[3]?.incarnation },
    ],
    'as they were last',
  )
})

await t.test('an id, an incarnation and a key name one node for ever', async (t) => {
  const world = atLevelTwo()
  const propose = (set: Record<string, Json>): string =>
    outcome(world.propose({ by: 'alice', set }))
  world.carry({ by: 'alice', set: add('node-4', 7104) }, quorum)
  world.carry({ by: 'alice', set: remove('node-4') }, quorum)
  const fresh = nodeAt('node-5', 7105)
  const used: readonly (readonly [string, Record<string, Json>, string])[] = [
    ['a removed id', add('node-4', 7104), 'NODE_ID_USED'],
    ['a removed id with new keys', put({ ...fresh, id: 'node-4' }), 'NODE_ID_USED'],
    [
      'another incarnation',
      put({ ...nodeAt('node-1', 7101), incarnation: '0'.repeat(32) }),
      'NODE_IDENTITY',
    ],
    ['another key', put({ ...nodeAt('node-1', 7101), nodeKey: fresh.nodeKey }), 'NODE_IDENTITY'],
    [
      'an old incarnation',
      put({ ...fresh, incarnation: nodeOf('node-4').incarnation }),
      'NODE_IDENTITY',
    ],
    [
      'a key of a node that is there',
      put({ ...fresh, logKey: nodeOf('node-2').logKey }),
      'NODE_KEY_USED',
    ],
    [
      'a key of a node that is gone',
      put({ ...fresh, nodeKey: nodeOf('node-4').logKey }),
      'NODE_KEY_USED',
    ],
    ['a key of a person', put({ ...fresh, cosignerKey: keyOf('bob').publicKey }), 'NODE_KEY_USED'],
    ['an address of another node', put({ ...fresh, address: '127.0.0.1:7102' }), 'BODY_INVALID'],
  ]
  for (const [what, set, code] of used) t.equal(propose(set), code, what)
  const twins = { ...put(fresh), ...put({ ...nodeAt('node-6', 7106), logKey: fresh.logKey }) }
  t.equal(propose(twins), 'NODE_KEY_USED', 'two new nodes with one key')
  const person = json({ ...keyOf('erin'), person: 'alice', publicKey: nodeOf('node-1').nodeKey })
  t.equal(
    propose({ [`/sys/keys/${signerOf('node-1 node').keyId}`]: withId(person) }),
    'BODY_INVALID',
  )
})

await t.test('two open changes: the second is judged by what the first has left', async (t) => {
  const world = atLevelTwo()
  const both = [add('node-4', 7104), { ...put({ ...nodeAt('node-5', 7104) }) }].map((set) =>
    world.propose({ by: 'alice', set }),
  )
  for (const { changeId } of both) for (const by of quorum) world.approve(by, changeId)
  t.same(
    both.map(({ changeId }) => world.state(changeId)),
    ['ACTIVE', 'APPROVED'],
    'the same address: not activated',
  )
})

await t.test('the voters that stay can go on alone', async (t) => {
  const propose = (world: World, set: Record<string, Json>): string =>
    outcome(world.propose({ by: 'alice', set }))
  const three = atLevelTwo()
  const many = Object.assign(
    {},
    ...[4, 5, 6].map((n) => add(`node-${String(n)}`, 7100 + n)),
  ) as Record<string, Json>
  t.equal(propose(three, many), 'VOTERS_UNSAFE', '3 of 6 are no majority')
  const two = { ...add('node-4', 7104), ...add('node-5', 7105) }
  t.equal(propose(three, two), 'OPEN', '3 of 5 are one')
  t.equal(propose(three, { ...two, ...remove('node-1') }), 'VOTERS_UNSAFE', '2 of 4 are none')
  const one = atLevelTwo(1)
  t.equal(propose(one, remove('node-1')), 'VOTERS_UNSAFE', 'nobody would be left')
  t.equal(propose(one, add('node-1', 7101, { role: 'learner' })), 'VOTERS_UNSAFE', 'no voter')
  t.equal(propose(one, add('node-2', 7102)), 'VOTERS_UNSAFE', '1 of 2 is no majority')
  one.carry({ by: 'alice', set: add('node-2', 7102, { role: 'learner' }) }, quorum)
  t.equal(propose(one, add('node-2', 7102)), 'OPEN', 'a learner of today may be promoted')
  const nine = atLevelTwo(9)
  t.equal(propose(nine, add('node-a', 7200)), 'VOTERS_UNSAFE', 'ten voters')
  t.equal(propose(nine, add('node-a', 7200, { role: 'learner' })), 'OPEN')
})

await t.test('log time is attested by the voters of now', async (t) => {
  const world = atLevelTwo()
  world.tick()
  world.carry({ by: 'alice', set: { ...remove('node-1'), ...add('node-4', 7104) } }, quorum)
  world.now += minute
  const stamps = (...nodes: string[]) =>
    outcome(world.apply(world.tickCommand(nodes.map((node) => ({ node, ms: world.now })))))
  t.equal(stamps('node-1', 'node-2'), 'BODY_INVALID', 'node-1 is no voter any more')
  t.equal(stamps('node-2', 'node-4'), 'accepted')
})

await t.test('a node change is no weakening: it does not wait for the delay', async (t) => {
  const world = new World({
    governance: { weakeningDelay: '1h' },
    genesis: { featureLevel: 2, ...spread(3) },
  })
  world.tick()
  const { changeId } = world.carry({ by: 'alice', set: remove('node-3') }, quorum)
  t.equal(world.change(changeId).activation?.weakening, 'no')
})

await t.test('level 1 knows no nodes; the level is raised by a change', async (t) => {
  const world = new World()
  t.equal(outcome(world.propose({ by: 'alice', set: add('node-4', 7104) })), 'FEATURE_LEVEL')
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/none': null } })), 'OPEN')
  world.carry({ by: 'alice', set: { '/sys/cluster/featureLevel': 2 } }, quorum)
  t.equal(world.machine.status().featureLevel, 2)
  t.same(world.machine.membership().removed, [])
  world.carry({ by: 'alice', set: remove('node-3') }, quorum)
  t.same(world.machine.membership().removed, ['node-3'], 'founders count as used from then on')
  t.equal(outcome(world.propose({ by: 'alice', set: add('node-3', 7103) })), 'NODE_ID_USED')
})

await t.test('level 2 asks that somebody may propose on /sys/nodes', async (t) => {
  const families = ['policies', 'people', 'keys', 'groups', 'freezes', 'cluster']
  const world = new World({ governance: { paths: families.map((name) => `/sys/${name}/*`) } })
  const raise = { '/sys/cluster/featureLevel': 2 }
  t.equal(outcome(world.propose({ by: 'alice', set: raise })), 'POLICY_UNSATISFIABLE')
  const open = json(policy(rule('nodes', ['/sys/nodes/*'])))
  world.carry({ by: 'alice', set: { '/sys/policies/nodes': open } }, quorum)
  world.carry({ by: 'alice', set: raise }, quorum)
  t.equal(
    outcome(world.propose({ by: 'alice', set: { '/sys/policies/nodes': null } })),
    'POLICY_UNSATISFIABLE',
  )
})

await t.test('what is not there cannot be deleted', async (t) => {
  const world = atLevelTwo()
  const gone = world.propose({ by: 'alice', set: { '/prod/a': 1, '/prod/none': null } })
  t.match(gone.result, {
    refusal: { code: 'NOTHING_TO_DELETE', details: { paths: ['/prod/none'] } },
  })
  t.equal(outcome(world.propose({ by: 'alice', set: remove('node-9') })), 'NOTHING_TO_DELETE')
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, quorum)
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/a': null } })), 'OPEN')
  const base = [{ path: '/prod/b', modRevision: 7 }]
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/b': null }, base })), 'STALE_BASE')
})

await t.test('the table of used ids is in the records', async (t) => {
  const world = atLevelTwo()
  const records = new Map(world.machine.genesisWrites().map(({ key, value }) => [key, value]))
  t.ok(records.has('node/node-1'), 'from genesis on')
  world.tick(hour)
  world.carry({ by: 'alice', set: { ...remove('node-1'), ...add('node-4', 7104) } }, quorum)
  const replay = createMachine(world.genesis, world.clusterId)
  world.log.forEach((command, i) => {
    const { writes } =
      command === null
        ? replay.skip(i + 1, 1)
        : replay.apply({ index: i + 1, term: 1, command }, () => true)
    for (const { key, value } of writes) records.set(key, value)
  })
  const kept = [...records].flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  )
  const restored = restoreMachine(world.genesis, world.clusterId, kept)
  t.same(restored.membership(), world.machine.membership())
  t.same(restored.status(), world.machine.status())
})

/** The op that puts one node document. */
function put(node: ReturnType<typeof nodeOf>): Record<string, Json> {
  return { [`/sys/nodes/${node.id}`]: json(node) }
}

function withId(key: Json): Json {
  const signer = signerOf('node-1 node')
  return { ...(key as object), keyId: signer.keyId, publicKey: toBase64(signer.publicKeySpki) }
}
