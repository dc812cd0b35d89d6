/**
 * The disk of the leader fills up. It ends with its own exit code, what was acknowledged stands on
 * the others, and it comes back when there is space again. The disk is a small tmpfs.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, open, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { launch, type RunningCluster } from '../../cluster/launch.js'
import { loopbackHosts } from '../../cluster/loopback.js'
import { runProgram } from '../../cluster/program.js'
import { composePropose, connect, sign } from '../../src/client/index.js'
import { errorTable } from '../../src/errors.js'
import { readKeyFile } from '../../src/signing/key-file.js'

/** The reserve of 32 MiB, and a little to run with. */
const diskBytes = 40 * 1024 * 1024

function mountSmall(at: string): boolean {
  try {
    const options = `size=${String(diskBytes)}`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at], { stdio: 'pipe' })
  } catch {
    return false
  }
  return true
}

/** Takes every byte that is left. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'a')
  try {
    for (const bytes of [1024 * 1024, 4096, 1]) {
      const chunk = Buffer.alloc(bytes)
      let isFull = false
      while (!isFull) isFull = await handle.write(chunk).then(() => false, isNoSpace)
    }
  } finally {
    await handle.close()
  }
}

function isNoSpace(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return true
  throw error
}

await t.test('a leader with a full disk ends, loses nothing, and comes back', async (t) => {
  const directory = path.join(t.testdir(), 'cluster')
  const places = loopbackHosts(3).flatMap((host, at) => [
    '--node',
    `node-${String(at + 1)}=${host}`,
  ])
  const made = await runProgram(['init', '--example', '--dir', directory, ...places])
  t.equal(made.code, 0, made.stderr)
  const data = path.join(directory, 'nodes', 'node-1', 'data')
  const whole = `${data}-whole`
  await cp(data, whole, { recursive: true })
  await rm(data, { recursive: true })
  await mkdir(data)
  if (!mountSmall(data)) {
    t.pass('skipped: this machine lets nobody mount a tmpfs')
    return
  }
  try {
    await cp(whole, data, { recursive: true })
    const cluster = await launch({ directory })
    try {
      await fillTheLeader(t, directory, data, cluster)
    } finally {
      await cluster.stop()
    }
  } finally {
    // Before tap removes the fixture.
    execFileSync('umount', ['-l', data])
  }
})

async function fillTheLeader(
  t: Test,
  directory: string,
  data: string,
  cluster: RunningCluster,
): Promise<void> {
  for (const to of ['node-2', 'node-1']) {
    const moved = await runProgram(['transfer', '--to', to, '--dir', directory, '--json'])
    t.match(JSON.parse(moved.stdout), { ok: true, result: { leader: to } }, moved.stdout)
    while ((await cluster.leader()) !== to) {
      // On a busy machine an election may come between.
      await runProgram(['transfer', '--to', to, '--dir', directory, '--json'])
    }
  }

  const alice = await readKeyFile(path.join(directory, 'people', 'alice.key.pem'))
  const { clusterId, ca } = cluster.file
  const client = connect({ addresses: cluster.file.nodes.map((node) => node.client), ca })
  t.teardown(() => {
    client.close()
  })
  const acknowledged: string[] = []
  const propose = async (number: number): Promise<void> => {
    const target = `/prod/full/${String(number)}`
    const proposal = composePropose({
      ...{ clusterId, person: 'alice', keyId: alice.keyId, title: `Set ${target}` },
      ops: [{ action: 'put', path: target, value: 'x'.repeat(4000) }],
      base: [{ path: target, modRevision: 0 }],
    })
    await client.propose(sign(proposal, alice))
    acknowledged.push(proposal.body.changeId)
  }
  await propose(0)
  const node = cluster.node('node-1')
  const filler = path.join(data, 'filler')
  await fill(filler)
  // What the leader cannot write it does not acknowledge; the next leader takes the same bytes.
  for (let number = 1; node.isRunning && number < 50; number += 1) await propose(number)
  t.same(await node.exited(), { code: errorTable.DISK_FULL.exit, signal: null })
  await propose(99)
  const leader = await cluster.leader()
  t.ok(leader !== undefined && leader !== 'node-1', `${leader ?? 'nobody'} leads`)

  node.start()
  t.same(await node.exited(), { code: errorTable.DISK_FULL.exit, signal: null }, 'still full')
  const log = await readFile(path.join(directory, 'logs', 'node-1.log'), 'utf8')
  t.match(log, /"code":"DISK_FULL".*Free space, then start the node again/)

  await rm(filler)
  node.start()
  await node.ready()
  const [first] = cluster.file.nodes
  const alone = connect({ addresses: [first?.client ?? ''], ca })
  t.teardown(() => {
    alone.close()
  })
  const last = acknowledged.at(-1) ?? ''
  const read = () => alone.getChange(last, { local: true }).catch(() => undefined)
  while ((await read()) === undefined) await delay(20)
  for (const changeId of acknowledged) {
    const { value } = await alone.getChange(changeId, { local: true })
    t.equal(value.changeId, changeId)
  }
}
