/** What becomes of the nodes of a program that a signal ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const modulePath = fileURLToPath(new URL('../../cluster/node-process.js', import.meta.url))

/** Starts a stand-in for a node, which never ends, and tells its process id. */
const launcher = (folder: string, more: string): string => `
  import { NodeProcess } from ${JSON.stringify(modulePath)}
  const node = new NodeProcess({
    id: 'node-1', config: 'none', status: '127.0.0.1:1',
    logFile: ${JSON.stringify(path.join(folder, 'node.log'))},
    program: ${JSON.stringify(path.join(folder, 'stand-in.mjs'))},
  })
  ${more}
  node.start()
  console.log(node.pid)
  setInterval(() => {}, 1000)
`

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

await t.test('a signal ends a program and its nodes, unless it listens itself', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-left-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(path.join(folder, 'stand-in.mjs'), 'setInterval(() => {}, 1000)\n')
  for (const { more, signal, code } of [
    { more: '', signal: 'SIGTERM', code: 143 },
    { more: '', signal: 'SIGHUP', code: 129 },
    { more: "process.once('SIGINT', () => process.exit(7))", signal: 'SIGINT', code: 7 },
  ] as const) {
    const program = spawn(process.execPath, ['--input-type=module', '-e', launcher(folder, more)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(program.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    t.ok(isAlive(pid))
    program.kill(signal)
    t.same(await once(program, 'exit'), [code, null])
    // The kernel takes a moment to end it, and its new parent another one to notice.
    while (isAlive(pid)) await delay(20)
    t.pass(`${signal}: the node is gone`)
  }
})
