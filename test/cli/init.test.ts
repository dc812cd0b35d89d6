import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { decodeGenesis, type Genesis } from '../../src/approval/index.js'
import { loadNodeConfig } from '../../src/config/index.js'
import { generateSigner, readKeyFile } from '../../src/signing/key-file.js'
import { toBase64 } from '../../src/signing/index.js'
import { exampleFounding, examplePeople } from '../../src/cli/founding/genesis.js'
import { foundCluster, genesisKey } from '../../src/cli/founding/material.js'
import { loopbackPlaces, parsePlace } from '../../src/cli/founding/places.js'
import { run } from './terminal.js'

const base = t.testdir()
const made = await run(['init', '--example', '--dir', 'toy', '--json'], { workingDirectory: base })
const toy = path.join(base, 'toy')

async function genesisOf(directory: string): Promise<Genesis> {
  const decoded = decodeGenesis(await readFile(path.join(directory, 'genesis.json')))
  if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
  return decoded.genesis
}

await t.test('the answer names the cluster and its nodes', async (t) => {
  t.equal(made.exit, 0)
  t.match(made.json, {
    ok: true,
    command: 'init',
    result: {
      directory: toy,
      clusterId: /^[0-9a-f]{64}$/,
      nodes: [
        {
          id: 'node-1',
          peer: '127.0.0.1:7101',
          client: '127.0.0.1:7201',
          status: '127.0.0.1:7301',
        },
        { id: 'node-2', peer: '127.0.0.1:7102' },
        { id: 'node-3', peer: '127.0.0.1:7103' },
      ],
      people: ['agent', 'alice', 'bob', 'carol'],
    },
  })
  const warnings = (made.json.result['warnings'] as string[]).join('\n')
  t.match(warnings, /toy/)
  t.match(warnings, /coolOff is 0s: .* at once/)
  t.match(warnings, /3 people .* fewer than 4/)
})

await t.test('genesis is the example, and passes its own judgement', async (t) => {
  const genesis = await genesisOf(toy)
  t.same(genesis.floor, { config: 2, sys: 2, lowRisk: [] })
  t.equal(genesis.coolOff, '0s')
  t.equal(genesis.featureLevel, 2)
  t.same(
    genesis.groups.map(({ name, members }) => [name, members]),
    [['operators', ['alice', 'bob', 'carol']]],
  )
  t.same(
    genesis.policies.map(({ name, document }) => [name, document.rules.map(({ need }) => need)]),
    [
      ['governance', [[{ count: 2, group: 'operators' }]]],
      ['prod', [[{ count: 2, group: 'operators' }]]],
    ],
  )
  t.equal(genesis.people.find(({ id }) => id === 'agent')?.sponsor, 'alice')
})

await t.test('a node has a certificate that names it, under the CA', async (t) => {
  const ca = new X509Certificate(await readFile(path.join(toy, 'ca.pem')))
  t.ok(ca.ca)
  t.ok(ca.verify(ca.publicKey))
  t.equal(ca.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  const folder = path.join(toy, 'nodes/node-2')
  const certificate = new X509Certificate(await readFile(path.join(folder, 'certificate.pem')))
  t.ok(certificate.verify(ca.publicKey))
  t.ok(certificate.checkIssued(ca))
  t.notOk(certificate.ca)
  t.equal(certificate.checkHost('node-2.node'), 'node-2.node')
  t.equal(certificate.checkHost('node-1.node'), undefined)
  t.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  // serverAuth and clientAuth (RFC 5280, 4.2.1.12).
  t.same([...certificate.keyUsage].sort(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  t.ok(Number.parseInt(certificate.serialNumber.slice(0, 2), 16) < 0x80, 'a positive serial number')
  t.ok(Date.parse(certificate.validFrom) <= Date.now() - 3_590_000, 'valid since an hour ago')
  const key = createPrivateKey(await readFile(path.join(folder, 'certificate.key.pem')))
  t.ok(certificate.checkPrivateKey(key))
})

await t.test('every private key is for its owner only', async (t) => {
  const files = (await readdir(toy, { recursive: true })).filter((name) =>
    name.endsWith('.key.pem'),
  )
  // The CA, four people, and four keys for each node.
  t.equal(files.length, 1 + 4 + 3 * 4)
  for (const file of files) {
    t.equal((await stat(path.join(toy, file))).mode & 0o777, 0o600, file)
  }
})

await t.test('keys on disk are those of genesis', async (t) => {
  const genesis = await genesisOf(toy)
  for (const person of ['alice', 'agent']) {
    const signer = await readKeyFile(path.join(toy, 'people', `${person}.key.pem`))
    t.equal(genesis.keys.find((key) => key.keyId === signer.keyId)?.person, person)
  }
  const node = await readKeyFile(path.join(toy, 'nodes/node-3/node.key.pem'))
  t.equal(genesis.nodes.find(({ id }) => id === 'node-3')?.nodeKey, toBase64(node.publicKeySpki))
})

await t.test('the configuration of a node is accepted by the node', async (t) => {
  const file = path.join(toy, 'nodes/node-1/node.json')
  const config = await loadNodeConfig({ file, environment: {} })
  t.match(config, {
    nodeId: 'node-1',
    dataDirectory: path.join(toy, 'nodes/node-1/data'),
    listen: { peer: '127.0.0.1:7101', client: '127.0.0.1:7201', status: '127.0.0.1:7301' },
    advertise: { client: '127.0.0.1:7201' },
  })
})

await t.test('what is there is never touched', async (t) => {
  const before = await readFile(path.join(toy, 'cluster.json'), 'utf8')
  const again = await run(['init', '--example', '--dir', 'toy', '--json'], {
    workingDirectory: base,
  })
  t.equal(again.exit, 4)
  t.match(again.json, { ok: false, command: 'init', error: { code: 'ALREADY_INITIALISED' } })
  t.equal(await readFile(path.join(toy, 'cluster.json'), 'utf8'), before)
  const content = await run(['init', '--example', '--dir', 'toy', '--if-missing', '--json'], {
    workingDirectory: base,
  })
  t.match(content.json, { ok: true, result: { created: false } })
})

await t.test('folders of nodes can be placed elsewhere, for containers', async (t) => {
  const volumes = t.testdir({ 'node-1': {}, 'node-2': {} })
  const at = (id: string) => path.join(volumes, id, 'node')
  const ran = await run(
    [
      ...['init', '--example', '--json', '--dir', path.join(volumes, 'client')],
      ...['--node', 'node-1=node-1', '--node', 'node-2=node-2', '--node', 'node-3=10.1.2.3'],
      ...['--listen', '0.0.0.0', '--also-name', 'gateway.example'],
      ...['--place', `node-1=${at('node-1')}`, '--place', `node-2=${at('node-2')}`],
    ],
    { workingDirectory: base },
  )
  t.equal(ran.exit, 0, ran.stdout)
  t.same((await readdir(path.join(volumes, 'client/nodes'))).sort(), ['node-3'])
  const config = JSON.parse(await readFile(path.join(at('node-1'), 'node.json'), 'utf8')) as object
  t.match(config, {
    listen: { peer: '0.0.0.0:7100', client: '0.0.0.0:7200' },
    advertise: { client: 'node-1:7200' },
  })
  const certificate = new X509Certificate(
    await readFile(path.join(at('node-1'), 'certificate.pem')),
  )
  for (const name of ['node-1.node', 'node-1', 'localhost', 'gateway.example']) {
    t.equal(certificate.checkHost(name), name)
  }
  t.match(await genesisOf(path.join(volumes, 'client')), {
    nodes: [{ address: 'node-1:7100' }, { address: 'node-2:7100' }, { address: '10.1.2.3:7100' }],
  })
})

await t.test('an interrupted founding leaves nothing', async (t) => {
  const folder = t.testdir()
  const signers = new Map(examplePeople.map(({ id }) => [id, generateSigner()]))
  const keys = examplePeople.flatMap(({ id, uses }) => {
    const signer = signers.get(id)
    return signer === undefined ? [] : [genesisKey(id, signer, uses)]
  })
  const interruptedAt = (step: string) =>
    foundCluster({
      directory: path.join(folder, 'cluster'),
      places: loopbackPlaces(),
      alsoNames: [],
      elsewhere: new Map([['node-2', path.join(folder, 'elsewhere/node-2')]]),
      founding: exampleFounding(keys),
      peopleKeys: signers,
      wallMs: Date.now(),
      progress: (what) => {
        if (what === step) throw new Error('stopped')
      },
    })
  const killed = path.join(folder, '.cluster-draft-killed')
  await mkdir(killed)
  const longAgo = new Date(Date.now() - 3_600_000)
  await utimes(killed, longAgo, longAgo)
  for (const step of ['making node-1', 'making node-3', 'putting everything in place']) {
    await t.rejects(interruptedAt(step), { message: 'stopped' }, step)
    t.same(
      (await readdir(folder, { recursive: true })).filter((name) => name !== 'elsewhere'),
      [],
      `nothing is left after ${step}`,
    )
  }
})

await t.test('founders decide by a file', async (t) => {
  const folder = t.testdir()
  const people = ['ana', 'ben', 'cleo', 'dan']
  const pem = (): string =>
    createPublicKey({
      key: Buffer.from(generateSigner().publicKeySpki),
      format: 'der',
      type: 'spki',
    })
      .export({ type: 'spki', format: 'pem' })
      .toString()
  await mkdir(path.join(folder, 'keys'))
  for (const id of people) await writeFile(path.join(folder, 'keys', `${id}.pub.pem`), pem())
  const genesis = `
name: payments.example
people: [${people.map((id) => `{id: ${id}, kind: human}`).join(', ')}]
keys: [${people.map((id) => `{person: ${id}, publicKeyFile: keys/${id}.pub.pem}`).join(', ')}]
groups: [{name: operators, purpose: Run it, members: [${people.join(', ')}]}]
policies:
  prod: prod.yaml
  governance:
    format: 1
    rules:
      - {id: all, paths: [/sys/**], propose: {groups: [operators]}, need: [{count: 2, group: operators}]}
floor: {config: 2, sys: 2, lowRisk: []}
`
  await writeFile(
    path.join(folder, 'prod.yaml'),
    'format: 1\nrules:\n  - {id: all, paths: [/prod/**], propose: {groups: [operators]}, need: [{count: 2, group: operators}]}\n',
  )
  const file = path.join(folder, 'genesis.yaml')
  await writeFile(file, genesis)
  const init = (name: string) =>
    run(['init', '--genesis-file', file, '--dir', name, '--json'], { workingDirectory: folder })

  const good = await init('good')
  t.equal(good.exit, 0, good.stdout)
  t.same(good.json.result['warnings'], [], 'four operators and a day of cool-off need no warning')
  t.match(await genesisOf(path.join(folder, 'good')), { coolOff: '24h', lifeMax: '30d' })
  t.same(await readdir(path.join(folder, 'good/people')), [])

  await writeFile(
    file,
    genesis.replace('count: 2, group: operators}]}\n', 'count: 4, group: operators}]}\n'),
  )
  t.match(
    (await init('bad-1')).json,
    { error: { code: 'GENESIS_INVALID' } },
    'nobody could satisfy it',
  )
  await writeFile(file, genesis.replace('people:', 'persons:'))
  t.match((await init('bad-2')).json, { error: { code: /GENESIS_INVALID|INPUT_INVALID/ } })
  await writeFile(file, `${genesis}\nname: again\n`)
  t.match((await init('bad-3')).json, { error: { code: 'INPUT_INVALID', message: /line/ } })
  t.same(
    (await readdir(folder)).filter((name) => name.startsWith('bad')),
    [],
  )
})

await t.test('places of nodes', async (t) => {
  t.same(parsePlace('a=10.0.0.1'), {
    id: 'a',
    host: '10.0.0.1',
    peerPort: 7100,
    clientPort: 7200,
    statusPort: 7300,
  })
  t.match(parsePlace('a=[::1]:1:2:3'), { host: '::1', peerPort: 1, clientPort: 2, statusPort: 3 })
  for (const bad of [
    'a',
    '=h',
    'A=h',
    'a=',
    'a=h:1',
    'a=h:1:2',
    'a=h:1:1:2',
    'a=h:0:1:2',
    'a=h_x',
    'a=h:1:2:99999',
  ]) {
    t.throws(() => parsePlace(bad), { code: 'USAGE' }, bad)
  }
})

await t.test('refusals before anything is written', async (t) => {
  const folder = t.testdir()
  const refused = async (...argv: string[]) => {
    const ran = await run(['init', ...argv, '--dir', 'x', '--json'], { workingDirectory: folder })
    t.equal(ran.exit, 2, argv.join(' '))
    return ran.json.error
  }
  t.match(await refused(), { code: 'USAGE', message: /--example or --genesis-file/ })
  t.match(await refused('--example', '--node', 'a=h', '--node', 'a=i'), { message: /twice/ })
  t.match(await refused('--example', '--place', 'z=/x'), { message: /no node z/ })
  t.match(await refused('--example', '--base-port', '99'), { message: /1024/ })
  t.same(await readdir(folder), [])
  if (process.getuid?.() === 0) return
  await chmod(folder, 0o500)
  const ran = await run(['init', '--example', '--dir', 'x'], { workingDirectory: folder })
  t.not(ran.exit, 0)
})
