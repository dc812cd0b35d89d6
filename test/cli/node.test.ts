import { access, readFile, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { loadNodeConfig } from '../../src/config/index.js'
import { readKeyFile } from '../../src/signing/key-file.js'
import { toBase64 } from '../../src/signing/index.js'
import { loneMachine } from './lone-machine.js'
import { run, type Ran } from './terminal.js'

const workingDirectory = t.testdir({})
await run(['init', '--example', '--dir', 'c'], { workingDirectory })
const client = await loneMachine(path.join(workingDirectory, 'c'))
const inCluster = (...names: string[]): string => path.join(workingDirectory, 'c', ...names)

async function cs(line: string): Promise<Ran> {
  return run([...line.split(' '), '--dir', 'c'], { workingDirectory, client })
}

async function json(line: string): Promise<Ran['json']> {
  return (await cs(`${line} --json --yes`)).json
}

async function approved(changeId: unknown): Promise<void> {
  for (const by of ['bob', 'carol']) await json(`approve ${String(changeId)} --as ${by}`)
}

const members = () => client.machine.membership().nodes.map(({ id }) => id)
const nodesOfFile = async () =>
  (JSON.parse(await readFile(inCluster('cluster.json'), 'utf8')) as { nodes: { id: string }[] })
    .nodes

await t.test('node add makes a whole folder, proposes the node, and says what to do', async (t) => {
  const ran = await cs('node add node-4 --peer 127.0.0.1:7104 --as alice --yes')
  t.equal(ran.exit, 0, ran.stderr)
  t.match(ran.stdout, /change [0-9a-f]{32} {2}OPEN/)
  t.match(ran.stderr, /Add the node node-4 \(voter\)/)
  t.match(ran.stderr, /countersign node --config .*node-4.node\.json/)
  t.match(ran.stderr, /countersign approve/)
  const config = await loadNodeConfig({ file: inCluster('nodes', 'node-4', 'node.json') })
  t.match(config, { nodeId: 'node-4', join: true, listen: { peer: '127.0.0.1:7104' } })
  t.same(
    config.members.map(({ id }) => id),
    ['node-1', 'node-2', 'node-3', 'node-4'],
  )
  const key = await readKeyFile(config.nodeKeyFile)
  t.equal(config.members[3]?.nodeKey, toBase64(key.publicKeySpki))
  t.equal(config.members[3]?.incarnation, config.incarnation)
  const leaf = new X509Certificate(await readFile(config.tls.certificateFile))
  const ca = new X509Certificate(await readFile(inCluster('ca.pem')))
  t.ok(leaf.verify(ca.publicKey), 'signed by the CA of the cluster')
  t.match(leaf.subjectAltName, /DNS:node-4\.node/)
  t.equal((await stat(config.tls.keyFile)).mode & 0o777, 0o600)
  await access(path.join(config.dataDirectory, 'identity'))
  t.match((await nodesOfFile()).at(-1), {
    id: 'node-4',
    client: '127.0.0.1:7204',
    status: '127.0.0.1:7304',
    joined: true,
  })
  t.notOk((await readdir(inCluster('nodes'))).some((name) => name.includes('draft')))
})

await t.test('called again it goes on where it was', async (t) => {
  const first = await json('node add node-4 --peer 127.0.0.1:7104 --as alice')
  t.match(first.result, { state: 'OPEN', repeated: true, node: 'node-4' })
  const other = await json('node add node-4 --peer 127.0.0.1:9104 --as alice')
  t.match(other.error, { code: 'INPUT_INVALID', message: /made by an earlier run/ })
  await json(`withdraw ${String(first.result['changeId'])} --as alice`)
  const second = await json('node add node-4 --peer 127.0.0.1:7104 --as alice')
  t.match(second.result, { state: 'OPEN', repeated: false })
  t.not(second.result['changeId'], first.result['changeId'])
  await approved(second.result['changeId'])
  t.same(members(), ['node-1', 'node-2', 'node-3', 'node-4'])
  const done = await json('node add node-4 --peer 127.0.0.1:7104 --as alice')
  t.match(done.result, { state: 'ACTIVE', repeated: true })
})

await t.test('node replace: one change, a fresh id', async (t) => {
  const same = await json('node replace node-4 --with node-4 --peer 127.0.0.1:7105 --as alice')
  t.match(same.error, { code: 'USAGE' })
  const nobody = await json('node replace node-9 --with node-5 --peer 127.0.0.1:7105 --as alice')
  t.match(nobody.error, { code: 'INPUT_INVALID', message: /no node node-9/ })
  // The same machine and port: the old node goes in the very change.
  const line = 'node replace node-4 --with node-5 --peer 127.0.0.1:7104 --as alice'
  const { result } = await json(line)
  t.match(result, { state: 'OPEN', node: 'node-5' })
  await approved(result['changeId'])
  t.same(members(), ['node-1', 'node-2', 'node-3', 'node-5'])
  t.same(client.machine.membership().removed, ['node-4'])
  t.match((await json(line)).result, { state: 'ACTIVE', repeated: true })
  const config = await loadNodeConfig({ file: inCluster('nodes', 'node-5', 'node.json') })
  t.notOk(config.members.some(({ id }) => id === 'node-4'))
  await rm(inCluster('nodes', 'node-4'), { recursive: true })
  const again = await json('node add node-4 --peer 127.0.0.1:7109 --as alice')
  t.match(again.error, { code: 'NODE_ID_USED' })
})

await t.test('node remove, and the tidying up after it', async (t) => {
  const { result } = await json('node remove node-5 --as alice')
  t.match(result, { state: 'OPEN', node: 'node-5' })
  t.match((await json('node remove node-5 --as alice')).result, { repeated: true })
  await approved(result['changeId'])
  t.same(members(), ['node-1', 'node-2', 'node-3'])
  t.match((await json('node remove node-5')).result, { state: 'ACTIVE', node: 'node-5' })
  t.notOk((await nodesOfFile()).some(({ id }) => id === 'node-5'))
  t.match((await json('node remove node-5')).error, { code: 'INPUT_INVALID' })
})

await t.test('node list, and what cannot be', async (t) => {
  const list = await json('node list')
  t.match(list.result['nodes'], [
    { id: 'node-1', role: 'voter', owner: 'founder', answers: false },
    { id: 'node-2' },
    { id: 'node-3' },
  ])
  t.match((await cs('node list')).stdout, /node-1 +127\.0\.0\.1:7101 +voter +founder +no answer/)
  t.match((await json('node add node-6 --peer nowhere --as alice')).error, { code: 'USAGE' })
  t.match((await json('node add Node --peer h:1 --as alice')).error, { code: 'INPUT_INVALID' })
  const bare = await json('node add node-6 --peer h:7100 --as alice --ca-key none.pem')
  t.match(bare.error, { code: 'INPUT_INVALID', message: /CA's private key/ })
  t.notOk((await readdir(inCluster('nodes'))).includes('node-6'), 'nothing half made')
  t.match((await json('node')).error, { code: 'USAGE', message: /--config/ })
  t.match(
    (await run(['node', '--help'], { workingDirectory })).stdout,
    /--config <file>[^]*replace/,
  )
})
