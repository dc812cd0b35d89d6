import t from 'tap'
import { decodeGenesis, limits, type Genesis } from '../../src/approval/index.js'
import { pae, sha256Hex, toBase64 } from '../../src/signing/index.js'
import {
  agent,
  bytesOf,
  examplePeople,
  genesisOf,
  group,
  human,
  keyOf,
  nodeOf,
  policy,
  prod,
  signerOf,
} from './example.js'

const good = genesisOf()
const node = good.nodes[0] as Genesis['nodes'][number]

function refusedBy(document: unknown): string {
  const decoded = decodeGenesis(bytesOf(document))
  return decoded.kind === 'ok' ? 'ok' : `${decoded.refusal.code} ${decoded.refusal.message}`
}

await t.test('the example genesis; its hash is the cluster id', (t) => {
  const bytes = bytesOf(good)
  const decoded = decodeGenesis(bytes)
  if (decoded.kind !== 'ok') throw new Error(decoded.refusal.message)
  t.same(decoded.genesis, good)
  t.equal(decoded.clusterId, sha256Hex(pae('application/vnd.countersign.genesis.v1+json', bytes)))
  t.end()
})

await t.test('bytes: canonical, bounded', (t) => {
  const spaced = new TextEncoder().encode(JSON.stringify(good, null, 1))
  t.match(decodeGenesis(spaced), { refusal: { code: 'GENESIS_INVALID', message: /RFC 8785/ } })
  t.match(decodeGenesis(new Uint8Array()), { refusal: { code: 'GENESIS_INVALID' } })
  t.match(decodeGenesis(new Uint8Array(2 ** 21)), { refusal: { message: /bytes/ } })
  t.equal(refusedBy([]).startsWith('GENESIS_INVALID'), true)
  t.end()
})

await t.test('each field: missing, unknown, out of range', (t) => {
  for (const name of Object.keys(good)) {
    const { [name as keyof Genesis]: _gone, ...rest } = good
    t.match(refusedBy(rest), new RegExp(`GENESIS_INVALID genesis: ${name} is missing`), name)
  }
  const bad: Record<string, object> = {
    'extra is not a known field': { extra: 1 },
    'format must be': { format: 2 },
    'name must be': { name: 'Upper Case' },
    'createdAt must be': { createdAt: -1 },
    'featureLevel must be': { featureLevel: 0 },
    'coolOff must be': { coolOff: '1 day' },
    'floor.config must be': { floor: { ...good.floor, config: 1 } },
    'floor.sys must be': { floor: { ...good.floor, sys: 0 } },
    'floor.lowRisk.0. must be': { floor: { ...good.floor, lowRisk: ['prod'] } },
    'limits.openChanges must be': { limits: { ...good.limits, openChanges: 0 } },
    'defaults.open must be longer': { defaults: { open: '0s', use: '8h' } },
    'lifeMax must be longer': { lifeMax: '0d' },
    'people is not sorted': { people: [...good.people].reverse() },
    'nodes has a duplicate': { nodes: [node, node] },
    'nodes must hold at least 1': { nodes: [] },
    'schemas need feature level 4': { schemas: [{}] },
  }
  for (const [message, change] of Object.entries(bad)) {
    t.match(refusedBy({ ...good, ...change }), new RegExp(`GENESIS_INVALID.*${message}`), message)
  }
  const bare = { ...good, nodes: [{ ...node, address: 'bare' }] }
  t.equal(refusedBy(bare), 'ok', 'level 1 took any address')
  t.match(refusedBy({ ...bare, featureLevel: 2 }), /must be host:port/)
  const ten = Array.from({ length: 10 }, (_, i) => nodeOf(`node-${String(i)}`))
  t.equal(refusedBy({ ...good, nodes: ten }), 'ok')
  t.match(refusedBy({ ...good, nodes: ten, featureLevel: 2 }), /10 nodes are voters; at most 9/)
  t.match(refusedBy({ ...good, featureLevel: 3 }), /VERSION_UNKNOWN .*feature level 3/)
  t.end()
})

await t.test('keys: owners, uses, possession, no key twice', (t) => {
  const keys = (...more: Genesis['keys']): Genesis => genesisOf({ keys: [...good.keys, ...more] })
  const alice = keyOf('alice', ['approve', 'propose'])
  const withNode = (change: object): unknown => ({ ...good, nodes: [{ ...node, ...change }] })
  const spki = (name: string): string => toBase64(signerOf(name).publicKeySpki)
  const bad: Record<string, readonly [unknown, RegExp]> = {
    'an unknown owner': [keys(keyOf('zoe', ['approve'])), /zoe, who is unknown/],
    'an agent that approves': [
      keys(keyOf('agent', ['approve'], 'agent 2')),
      /may not hold approve/,
    ],
    'a human who detects': [keys(keyOf('bob', ['detect'], 'bob 2')), /may not hold detect/],
    'a proof': [keys({ ...keyOf('bob', ['approve'], 'bob 2'), proof: {} }), /carries a proof/],
    'a revoked key': [keys({ ...keyOf('bob', ['approve'], 'b2'), status: 'revoked' }), /revoked/],
    'the same key twice': [keys(alice), /duplicate/],
    'a keyId of another key': [
      keys({ ...keyOf('bob', ['approve'], 'b2'), keyId: '0'.repeat(64) }),
      /not the SHA-256 of publicKey/,
    ],
    'two equal keys of a node': [withNode({ logKey: node.nodeKey }), /used already/],
    "a person's key as a node's": [withNode({ cosignerKey: spki('alice') }), /used already/],
    'a bad point': [withNode({ nodeKey: 'AAAA' }), /SPKI/],
    'only learners': [withNode({ role: 'learner' }), /no node is a voter/],
  }
  for (const [name, [document, message]] of Object.entries(bad)) {
    t.match(refusedBy(document), /^GENESIS_INVALID/, name)
    t.match(refusedBy(document), message, name)
  }
  t.end()
})

await t.test('people and groups name each other', (t) => {
  const people = (...more: Genesis['people']): Genesis =>
    genesisOf({ people: [...examplePeople, ...more] })
  const stranger = genesisOf({ groups: [group('operators', 'alice', 'bob', 'carol', 'zoe')] })
  t.match(refusedBy(people(agent('bot', 'zoe'))), /sponsor of bot must be a human/)
  t.match(refusedBy(people(agent('bot', 'agent'))), /sponsor of bot must be a human/)
  t.match(refusedBy(people({ ...human('bot'), kind: 'agent' })), /sponsor .*exactly for agents/)
  t.match(refusedBy(people(human('zoe', { sponsor: 'alice' }))), /sponsor .*exactly for agents/)
  t.match(refusedBy(people(human('zoe', { scope: ['/x'] }))), /scope is for agents only/)
  t.match(refusedBy(people(human('zoe', { node: 'node-1' }))), /node is for services only/)
  t.match(refusedBy(stranger), /member zoe, who is unknown/)
  const detector = (id: string): Genesis['people'][number] =>
    human(id, { kind: 'service', node: 'node-1' })
  t.equal(refusedBy(people(detector('d1'))), 'ok')
  t.match(refusedBy(people(detector('d1'), detector('d2'))), /two detectors/)
  t.end()
})

await t.test('a state that could not be left is no beginning', (t) => {
  const only = genesisOf({ policies: { prod: policy(prod) } })
  const two = genesisOf({
    people: [human('alice'), human('bob')],
    groups: [group('operators', 'alice', 'bob')],
  })
  t.match(refusedBy(only), /GENESIS_INVALID .*no rule would let anybody propose on \/sys/)
  t.match(refusedBy(two), /GENESIS_INVALID .*nobody is left for a seat of operators/)
  t.end()
})

await t.test('above each limit of genesis the field is named', (t) => {
  const many = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one)
  const person = good.people[0]
  const bad: Readonly<Record<string, object>> = {
    'floor.config must be': { floor: { ...good.floor, config: limits.floorMax + 1 } },
    'limits.openChanges must be': {
      limits: { ...good.limits, openChanges: limits.openChangesMax + 1 },
    },
    'limits.openChangesPerPerson must be': {
      limits: { ...good.limits, openChangesPerPerson: limits.openChangesPerPersonMax + 1 },
    },
    'limits.revisionsPerChange must be': {
      limits: { ...good.limits, revisionsPerChange: limits.revisionsPerChangeMax + 1 },
    },
    'nodes must hold at most': { nodes: many(limits.nodesMax + 1, node) },
    'people must hold at most': { people: many(limits.peopleInGenesisMax + 1, person) },
  }
  for (const [message, change] of Object.entries(bad)) {
    t.match(refusedBy({ ...good, ...change }), new RegExp(`^GENESIS_INVALID .*${message}`), message)
  }
  const highest = {
    openChanges: limits.openChangesMax,
    openChangesPerPerson: limits.openChangesPerPersonMax,
    revisionsPerChange: limits.revisionsPerChangeMax,
  }
  t.equal(refusedBy({ ...good, limits: highest }), 'ok')
  t.end()
})
