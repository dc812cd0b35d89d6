/** The chaos program itself: one short run, and what it says of runs that it cannot make. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { programPath } from '../../cluster/program.js'

const program = path.resolve(path.dirname(programPath), '..', '..', 'cluster', 'chaos.js')

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function chaos(...parameters: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...parameters], { stdio: 'pipe' })
  t.teardown(() => child.kill('SIGTERM'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString('utf8')))
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString('utf8')))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

interface Line {
  readonly verdict: string
  readonly why?: string
  readonly strikes?: number
  readonly counts?: { readonly ok: number }
  readonly checks?: readonly { readonly name: string; readonly holds: boolean }[]
}

await t.test('nodes are killed under load, and every check says what it saw', async (t) => {
  const html = path.join(t.testdir(), 'timeline.html')
  const ran = await chaos('--nemesis', 'kill', '--seconds', '5', '--json', '--html', html)
  t.equal(ran.code, 0, ran.stderr)
  const line = JSON.parse(ran.stdout) as Line
  t.equal(line.verdict, 'passed')
  t.ok((line.strikes ?? 0) >= 1, 'a node was killed')
  t.ok((line.counts?.ok ?? 0) > 0, 'clients got answers')
  t.same(
    line.checks?.map(({ name }) => name),
    [
      ...['one state', 'no node ended by itself', 'nothing acknowledged is lost', 'linearizable'],
      ...['watch 1', 'watch 2', 'log is bounded', 'memory is bounded'],
    ],
  )
  t.match(ran.stderr, /chaos: 1 of 1 nemeses passed; .* none failed\n$/, 'the last line sums up')
  const page = readFileSync(html, 'utf8')
  t.match(page, '<h2>kill: passed</h2>')
  t.match(page, '<title>killed', 'the timeline shows the faults')
  t.notMatch(page, '<script', 'it needs no script')
})

await t.test('what cannot be exercised has not passed', async (t) => {
  const html = path.join(t.testdir(), 'timeline.html')
  const ran = await chaos('--nemesis', 'kill,bridge', '--nodes', '1', '--html', html)
  t.equal(ran.code, 2, ran.stderr)
  t.match(ran.stdout, 'kill: not exercised: it needs 3 nodes')
  t.match(ran.stdout, /0 of 2 nemeses passed; .*; not exercised: kill, bridge\n$/)
})

await t.test('options that make no sense are refused with the usage', async (t) => {
  const unknown = await chaos('--nemesis', 'earthquake')
  t.equal(unknown.code, 3)
  t.match(unknown.stderr, 'There is no nemesis earthquake. There are kill, ')
  const fraction = await chaos('--seconds', '0.5')
  t.equal(fraction.code, 3)
  t.match(fraction.stderr, '--seconds must be a whole number above 0, not 0.5.')
  const listed = await chaos('--list')
  t.equal(listed.code, 0)
  t.match(listed.stdout, /^byte-flip +one bit changes/m)
})
