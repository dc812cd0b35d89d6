/** `countersign up`: several nodes in one terminal, stopped by Ctrl-C, and all data there again. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { programPath, runProgram } from '../../cluster/program.js'
import { loopbackHosts } from '../../cluster/loopback.js'

const directory = path.join(t.testdir(), 'cluster')
const hosts = loopbackHosts(3)
const places = hosts.map((host, n) => `--node=node-${n + 1}=${host}`)

interface Terminal {
  /** Resolves when this text has been printed. */
  printed(text: string): Promise<void>
  readonly output: () => string
  readonly ended: Promise<number | null>
  interrupt(): void
  /** Process id of the node that was started first (proc(5): children). */
  firstNode(): number
}

function up(...parameters: readonly string[]): Terminal {
  const child = spawn(process.execPath, [programPath, 'up', '--dir', directory, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const waiting = new Set<() => void>()
  const hear = (part: Buffer) => {
    output += part.toString('utf8')
    for (const look of waiting) look()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.teardown(() => child.kill('SIGTERM') && ended)
  return {
    ended,
    output: () => output,
    interrupt: () => child.kill('SIGINT'),
    firstNode: () => {
      const pid = String(child.pid)
      return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10)
    },
    async printed(text) {
      const heard = new Promise<void>((resolve) => {
        const look = () => {
          if (output.includes(text)) resolve()
        }
        waiting.add(look)
        look()
      })
      const died = ended.then((code) => {
        throw new Error(`up ended with ${code ?? 'a signal'}: ${output}`)
      })
      await Promise.race([heard, died])
    },
  }
}

async function countersign(...parameters: readonly string[]): Promise<Record<string, unknown>> {
  const run = await runProgram([...parameters, '--dir', directory, '--json', '--yes'])
  if (run.code !== 0) throw new Error(run.stdout + run.stderr)
  return (JSON.parse(run.stdout) as { readonly result: Record<string, unknown> }).result
}

const setting = '/prod/payments/timeout_ms'

await t.test('the nodes serve, Ctrl-C stops them, and starting again finds all data', async (t) => {
  const made = await runProgram(['init', '--example', '--dir', directory, ...places])
  t.equal(made.code, 0, 'init succeeds')

  const first = up()
  await first.printed('Ctrl-C stops the nodes.')
  for (const host of hosts) t.match(first.output(), `http://${host}:7300/`, 'the page is named')
  t.match(first.output(), /node-\d .*leader$/m, 'the leader is named')

  const { changeId } = await countersign(
    ...['propose', '--as', 'alice', '--set', `${setting}=2500`, '--title', 'Raise it'],
  )
  await countersign('approve', String(changeId), '--as', 'bob')
  const decided = await countersign('approve', String(changeId), '--as', 'carol')
  t.equal(decided['state'], 'ACTIVE')

  process.kill(first.firstNode(), 'SIGKILL')
  await first.printed('node-1 ended by itself (SIGKILL).')
  await first.printed('countersign node --config ')
  const others = await countersign('get', setting)
  t.equal((others['entry'] as { content: { value: number } }).content.value, 2500, 'others serve')

  const rival = up()
  t.equal(await rival.ended, 2, 'a second start of a running cluster fails')
  t.match(rival.output(), /error CONFIG_INVALID: .* Is this cluster running already\?/)

  first.interrupt()
  t.equal(await first.ended, 0, first.output().slice(-300))

  const second = up('--json')
  await second.printed('"event":"started"')
  t.match(await countersign('get', setting), { entry: { content: { value: 2500 } } })
  second.interrupt()
  t.equal(await second.ended, 0, 'stopped cleanly again')
  const lines = second.output().trimEnd().split('\n')
  t.match(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { ok: true, command: 'up', result: { event: 'started', nodes: [{ id: 'node-1' }, {}, {}] } },
      { ok: true, command: 'up', result: { event: 'stopped' } },
    ],
    'with --json a line at the start and one at the end',
  )
})

await t.test('Ctrl-C while the nodes are still starting stops them as well', async (t) => {
  // One of three nodes never finds a leader, so it never gets ready.
  const alone = up('node-1')
  await alone.printed('Starting the nodes')
  alone.interrupt()
  t.equal(await alone.ended, 130, 'it ended by itself')
  t.match(alone.output(), 'Stopped before the cluster was ready.')
})
