/** A node whose log is damaged: real stores, real streams, three nodes in this process. */
import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { pino } from 'pino'
import { loopbackHosts } from '../../cluster/loopback.js'
import { exampleFounding, examplePeople } from '../../src/cli/founding/genesis.js'
import { foundCluster, genesisKey, type Founded } from '../../src/cli/founding/material.js'
import { loadNodeConfig } from '../../src/config/index.js'
import { composeNode, type RunningNode } from '../../src/node/compose.js'
import { generateSigner } from '../../src/signing/key-file.js'

const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' })

async function found(directory: string): Promise<Founded> {
  const peopleKeys = new Map(examplePeople.map(({ id }) => [id, generateSigner()]))
  const keys = examplePeople.flatMap(({ id, uses }) => {
    const signer = peopleKeys.get(id)
    return signer === undefined ? [] : [genesisKey(id, signer, uses)]
  })
  return foundCluster({
    directory,
    places: loopbackHosts(3).map((host, at) => ({
      id: `node-${String(at + 1)}`,
      host,
      peerPort: 7100,
      clientPort: 7200,
      statusPort: 7300,
    })),
    alsoNames: [],
    elsewhere: new Map(),
    founding: exampleFounding(keys),
    peopleKeys,
    wallMs: Date.now(),
    progress: () => undefined,
  })
}

async function start(folder: string, stop = new AbortController()): Promise<RunningNode> {
  const config = await loadNodeConfig({ file: path.join(folder, 'node.json') })
  return composeNode({
    config,
    log: log.child({ node: config.nodeId }),
    failed: (thrown) => {
      throw thrown
    },
    stop: stop.signal,
  })
}

async function statusUrl(folder: string): Promise<string> {
  const { listen } = await loadNodeConfig({ file: path.join(folder, 'node.json') })
  return `http://${listen.status}`
}

async function ask(url: string): Promise<{ status: number; body: Record<string, unknown> } | null> {
  try {
    const response = await fetch(url)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  } catch {
    return null
  }
}

/** Asks until the answer fits; the test's own time limit ends a wait in vain. */
async function until(url: string, fits: (body: Record<string, unknown>) => boolean): Promise<void> {
  for (;;) {
    const answer = await ask(url)
    if (answer !== null && fits(answer.body)) return
    await new Promise((next) => setTimeout(next, 20))
  }
}

const damages: Readonly<Record<string, (data: string) => Promise<void>>> = {
  'the whole Raft store is gone': async (data) => {
    for (const name of await readdir(path.join(data, 'raft'))) {
      await rm(path.join(data, 'raft', name))
    }
  },
  'the list of its files is rotten': (data) =>
    writeFile(path.join(data, 'raft', 'CURRENT'), 'MANIFEST-999999\n'),
}

for (const [name, damage] of Object.entries(damages)) {
  await t.test(`${name}: it says so, fetches what it lacks, and serves`, async (t) => {
    const { nodes } = await found(path.join(t.testdir({}), 'cluster'))
    const folders = nodes.map(({ folder }) => folder)
    const last = folders[2] ?? ''
    const before = await Promise.all(folders.map((folder) => start(folder)))
    const url = await statusUrl(last)
    await until(`${url}/readyz`, ({ ready }) => ready === true)
    await Promise.all(before.map((node) => node.stop()))

    await damage(path.join(last, 'data'))
    const stop = new AbortController()
    const inVain = start(last, stop)
    await until(`${url}/status`, ({ missing }) => missing !== null && missing !== undefined)
    stop.abort()
    await t.rejects(inVain, { code: 'CANCELLED' }, 'nobody helps, and it can be stopped')

    const repairing = start(last)
    await until(`${url}/status`, ({ state }) => state === 'repairing')
    const told = await ask(`${url}/status`)
    t.match(told?.body, { node: { id: 'node-3', ready: false }, damages: [{ file: /raft/ }] })
    t.match(await ask(`${url}/readyz`), { status: 503, body: { error: { code: 'NODE_STARTING' } } })

    const others = await Promise.all(folders.slice(0, 2).map((folder) => start(folder)))
    const repaired = await repairing
    t.teardown(() => Promise.all([...others, repaired].map((node) => node.stop())))
    await until(`${url}/readyz`, ({ ready }) => ready === true)
    t.match((await ask(`${url}/status`))?.body, { node: { ready: true } })
  })
}
