/**
 * Three real nodes under load, killed with SIGKILL again and again. Afterwards every change whose
 * activation was acknowledged stands in the history of every node, and all nodes hold one state.
 */
import { setTimeout as delay } from 'node:timers/promises'
import path from 'node:path'
import t from 'tap'
import { launch, type RunningCluster } from '../../cluster/launch.js'
import { loopbackHosts } from '../../cluster/loopback.js'
import { runProgram } from '../../cluster/program.js'
import {
  composeDecision,
  composePropose,
  connect,
  sign,
  type CountersignClient,
} from '../../src/client/index.js'
import type { Signer } from '../../src/signing/index.js'
import { readKeyFile } from '../../src/signing/key-file.js'
import { SeededRandom } from '../simulation/random.js'

const writers = 4
const rounds = 6
const pauseMs = { min: 100, max: 800 }
/** So many changes must be acknowledged between two kills. */
const changesARound = 2
/** Share of the rounds that take all nodes at once. */
const allShare = 0.2
/** KILL_SEED repeats a plan. */
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)

interface Acknowledged {
  readonly path: string
  readonly value: number
  readonly changeId: string
  readonly activatedAt: number
}

const directory = path.join(t.testdir(), 'cluster')
const hosts = loopbackHosts(3)
const places = hosts.flatMap((host, at) => ['--node', `node-${String(at + 1)}=${host}`])
const made = await runProgram(['init', '--example', '--dir', directory, ...places])
t.equal(made.code, 0, made.stderr)

const cluster = await launch({ directory })
t.teardown(() => cluster.stop())
const { clusterId, ca } = cluster.file
const people = Object.fromEntries(
  await Promise.all(
    ['alice', 'bob', 'carol'].map(
      async (id) =>
        [id, await readKeyFile(path.join(directory, 'people', `${id}.key.pem`))] as const,
    ),
  ),
)

function signerOf(person: string): Signer {
  const signer = people[person]
  if (signer === undefined) throw new Error(`${person} has no key`)
  return signer
}

/** One whole change; rejects when its outcome is not known, or it was refused. */
async function change(
  client: CountersignClient,
  target: string,
  value: number,
): Promise<Acknowledged> {
  const alice = signerOf('alice')
  const current = await client.get(target).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'UNKNOWN_PATH') return undefined
    throw error
  })
  const proposal = composePropose({
    ...{ clusterId, person: 'alice', keyId: alice.keyId, title: `Set ${target}` },
    ops: [{ action: 'put', path: target, value }],
    base: [{ path: target, modRevision: current?.value.modRevision ?? 0 }],
  })
  const { changeId } = proposal.body
  await client.propose(sign(proposal, alice))
  for (const person of ['bob', 'carol']) {
    const signer = signerOf(person)
    const { value: view } = await client.getChange(changeId, { asker: person })
    const { keyId } = signer
    const decision = { clusterId, person, keyId, decision: 'approve', change: view } as const
    const result = await client.decide(sign(composeDecision(decision), signer))
    if (result.activatedAt !== undefined) {
      return { path: target, value, changeId, activatedAt: result.activatedAt }
    }
  }
  throw new Error(`${changeId} was approved twice and is not active`)
}

async function write(
  name: string,
  signal: AbortSignal,
  acknowledged: Acknowledged[],
): Promise<number> {
  const client = connect({ addresses: cluster.file.nodes.map((node) => node.client), ca })
  let unknown = 0
  try {
    for (let value = 1; !signal.aborted; value += 1) {
      try {
        acknowledged.push(await change(client, `/prod/${name}`, value))
      } catch {
        unknown += 1
      }
    }
  } finally {
    client.close()
  }
  return unknown
}

/**
 * The plan comes from the seed; what the machine makes of it between the kills does not. Each round
 * waits until changes went through since the last one, so that a slow machine is killed under load
 * as often as a fast one.
 */
async function killAndRestart(
  running: RunningCluster,
  random: SeededRandom,
  acknowledged: readonly Acknowledged[],
): Promise<number> {
  let kills = 0
  for (let round = 0; round < rounds; round += 1) {
    const before = acknowledged.length
    while (acknowledged.length < before + changesARound) await delay(20)
    await delay(random.between(pauseMs.min, pauseMs.max))
    const victims = random.chance(allShare) ? running.nodes : [random.pick(running.nodes)]
    await Promise.all(victims.map((node) => node.kill()))
    kills += victims.length
    for (const node of victims) node.start()
    await Promise.all(victims.map((node) => node.ready()))
  }
  return kills
}

interface Standing {
  readonly indexes: { readonly applied: number; readonly last: number }
  readonly stateDigest: string
}

async function standings(): Promise<readonly Standing[]> {
  return Promise.all(
    cluster.file.nodes.map(async ({ status }) => {
      const answer = await fetch(`http://${status}/status`)
      return (await answer.json()) as Standing
    }),
  )
}

await t.test('no acknowledged change is lost, and all nodes agree', async (t) => {
  const acknowledged: Acknowledged[] = []
  const stop = new AbortController()
  const writing = Array.from({ length: writers }, (_, at) =>
    write(`writer-${String(at)}`, stop.signal, acknowledged),
  )
  t.comment(`KILL_SEED=${String(seed)}`)
  const kills = await killAndRestart(cluster, new SeededRandom(seed), acknowledged)
  // The load goes on after the last restart, so that the end is not an idle one.
  await delay(1000)
  stop.abort()
  const unknown = (await Promise.all(writing)).reduce((sum, each) => sum + each, 0)
  t.comment(
    `${String(kills)} kills, ${String(acknowledged.length)} acknowledged, ${String(unknown)} not`,
  )
  t.ok(kills >= rounds, 'nodes were killed')
  t.ok(acknowledged.length >= rounds * changesARound, 'changes went through between the kills')

  let now = await standings()
  while (!now.every(({ indexes }) => indexes.applied === now[0]?.indexes.last)) {
    await delay(50)
    now = await standings()
  }
  t.equal(new Set(now.map(({ stateDigest }) => stateDigest)).size, 1, 'one state')

  for (const { client: address } of cluster.file.nodes) {
    const client = connect({ addresses: [address], ca })
    const kept = new Map<string, string>()
    for (let at = 0; at < writers; at += 1) {
      const target = `/prod/writer-${String(at)}`
      const { value: history } = await client.history(target, { local: true })
      for (const { modRevision, changeId } of history) {
        kept.set(`${target} ${String(modRevision)}`, changeId)
      }
    }
    const lost = acknowledged.filter(
      (each) => kept.get(`${each.path} ${String(each.activatedAt)}`) !== each.changeId,
    )
    t.same(lost, [], `nothing lost at ${address}`)
    client.close()
  }
})
