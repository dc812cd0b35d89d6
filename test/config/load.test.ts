import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadNodeConfig, renderConfigurationDocs } from '../../src/config/index.js'
import { environmentName, settingKeys } from '../../src/config/schema.js'

const base = t.testdir()
let files = 0

const least = {
  nodeId: 'node-1',
  dataDirectory: 'data',
  genesisFile: '../genesis.json',
  tls: { caFile: 'ca.pem', certificateFile: 'c.pem', keyFile: '/etc/k.pem' },
  nodeKeyFile: 'node.key.pem',
}

async function fileOf(content: unknown): Promise<string> {
  files += 1
  const file = join(base, `${String(files)}.json`)
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

await t.test(
  'defaults fill in, paths are relative to the file, everything is frozen',
  async (t) => {
    const config = await loadNodeConfig({ file: await fileOf(least) })
    t.equal(config.dataDirectory, join(base, 'data'))
    t.equal(config.genesisFile, join(base, '../genesis.json'))
    t.equal(config.tls.keyFile, '/etc/k.pem')
    t.match(config.raft, { tickMs: 10, heartbeatTicks: 10, electionTicksMin: 100 })
    t.equal(config.listen.status, '127.0.0.1:7300')
    t.equal(config.advertise.client, config.listen.client)
    t.same(config.peers, {})
    t.ok(Object.isFrozen(config) && Object.isFrozen(config.raft))
  },
)

await t.test('file < environment < flags', async (t) => {
  const file = await fileOf({ ...least, raft: { tickMs: 20, heartbeatTicks: 11 } })
  const environment = { COUNTERSIGN_RAFT_TICK_MS: '30', COUNTERSIGN_LOG_PRETTY: 'true' }
  const config = await loadNodeConfig({ file, environment, flags: { 'raft.tickMs': '40' } })
  t.equal(config.raft.tickMs, 40)
  t.equal(config.raft.heartbeatTicks, 11)
  t.equal(config.log.pretty, true)
  const without = await loadNodeConfig({ file, environment })
  t.equal(without.raft.tickMs, 30)
})

await t.test('advertise.client follows what listen.client really is', async (t) => {
  const file = await fileOf({ ...least, listen: { client: '10.0.0.1:7200' } })
  t.equal((await loadNodeConfig({ file })).advertise.client, '10.0.0.1:7200')
})

await t.test('peer addresses from the environment', async (t) => {
  const environment = { COUNTERSIGN_PEERS: 'node-2=h2:1, node-3=[::1]:2' }
  const config = await loadNodeConfig({ file: await fileOf(least), environment })
  t.same(config.peers, { 'node-2': 'h2:1', 'node-3': '[::1]:2' })
})

const incarnation = 'ab'.repeat(16)
const member = { id: 'node-2', address: '10.0.0.2:7100', incarnation, nodeKey: 'MCow' }

const refused: readonly (readonly [name: string, content: unknown, message: RegExp])[] = [
  ['a misspelt key', { ...least, raft: { tickMS: 5 } }, /raft\.tickMS.*mean `raft\.tickMs`/],
  ['a misspelt section', { ...least, rafft: { tickMs: 5 } }, /no key `rafft`/],
  ['a section that is no object', { ...least, raft: 7 }, /`raft`.*section/],
  ['a missing key', { ...least, nodeId: undefined }, /`nodeId`.*missing/],
  ['a number as text', { ...least, raft: { tickMs: '5' } }, /`raft\.tickMs`.*integer/],
  ['a fraction', { ...least, raft: { tickMs: 1.5 } }, /`raft\.tickMs`.*integer/],
  ['below the least', { ...least, raft: { tickMs: 0 } }, /`raft\.tickMs`.*>= 1/],
  ['an unknown level', { ...least, log: { level: 'loud' } }, /`log\.level`.*trace/],
  ['an address without port', { ...least, listen: { peer: 'host' } }, /`listen\.peer`/],
  ['an unfit node id', { ...least, nodeId: 'Node 1' }, /`nodeId`/],
  [
    'elections faster than heartbeats',
    { ...least, raft: { heartbeatTicks: 100 } },
    /`raft\.electionTicksMin`.*heartbeatTicks/,
  ],
  [
    'no room to draw a timeout from',
    { ...least, raft: { electionTicksMax: 100 } },
    /`raft\.electionTicksMax`/,
  ],
  ['joining without an incarnation', { ...least, join: true }, /`incarnation`.*`join`/],
  ['an incarnation without joining', { ...least, incarnation }, /`incarnation`.*`join`/],
  [
    'an incarnation that is no hex',
    { ...least, join: true, incarnation: 'X'.repeat(32) },
    /`incarnation`.*pattern/,
  ],
  ['members that are no list', { ...least, members: {} }, /`members`.*array/],
  ['a member without a key', { ...least, members: [{ ...member, nodeKey: undefined }] }, /nodeKey/],
  ['a member without a port', { ...least, members: [{ ...member, address: 'h' }] }, /address/],
  ['a member with more', { ...least, members: [{ ...member, role: 'voter' }] }, /`members/],
  ['no room for a snapshot', { ...least, raft: { snapshotEntries: 0 } }, /snapshotEntries.*>= 1/],
  ['less than no entries kept', { ...least, raft: { keptEntries: -1 } }, /keptEntries.*>= 0/],
  ['no patience at all', { ...least, raft: { pinTicksMax: 0 } }, /pinTicksMax.*>= 1/],
  ['scrubbing once in two years', { ...least, scrub: { everyHours: 17_520 } }, /scrub\.everyHours/],
  ['not JSON', '{', /is not JSON/],
  ['a list', [], /object/],
]

await t.test('refused with the key and what to do', async (t) => {
  for (const [name, content, message] of refused) {
    const file = await fileOf(content)
    await t.rejects(loadNodeConfig({ file }), { code: 'CONFIG_INVALID', message }, name)
  }
  await t.rejects(loadNodeConfig({ file: join(base, 'none.json') }), { code: 'CONFIG_INVALID' })
})

await t.test('a misspelt variable is refused, one of another program is not', async (t) => {
  const file = await fileOf(least)
  await t.rejects(loadNodeConfig({ file, environment: { COUNTERSIGN_RAFT_TICKMS: '5' } }), {
    message: /COUNTERSIGN_RAFT_TICK_MS/,
  })
  await t.resolves(loadNodeConfig({ file, environment: { COUNTERSIGN_DIR: '/x', HOME: '/' } }))
})

await t.test('test options need the switch', async (t) => {
  const file = await fileOf({ ...least, test: { admitForged: true } })
  await t.rejects(loadNodeConfig({ file }), { message: /COUNTERSIGN_TEST_OPTIONS=1/ })
  const environment = { COUNTERSIGN_TEST_OPTIONS: '1' }
  t.equal((await loadNodeConfig({ file, environment })).test.admitForged, true)
  const cut = await fileOf({ ...least, test: { powerCut: true } })
  await t.rejects(loadNodeConfig({ file: cut }), { message: /test\.powerCut.*TEST_OPTIONS=1/ })
  t.equal((await loadNodeConfig({ file: cut, environment })).test.powerCut, true)
})

await t.test('the reference names every key and every variable is told apart', (t) => {
  const text = renderConfigurationDocs()
  for (const key of settingKeys) t.match(text, `| \`${key}\` |`)
  t.equal(new Set(settingKeys.map(environmentName)).size, settingKeys.length)
  t.end()
})
