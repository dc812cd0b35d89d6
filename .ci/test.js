/**
 * `npm test`: every test file, as the build compiled it. But not those of the page, which need a
 * browser, and of the house: they test the rules that `npm run check` runs, and run there.
 * `npm test -- raft client` takes the files with one of these words in their path.
 *
 * Not by tap's own runner (docs/decisions/021-test-runner.md): its hooks in each test process, and in
 * every program that a test starts, took more time than the tests did. One file that is not yet
 * compiled is still its business: `npx tap test/raft/log.test.ts`.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** Tests of processes mostly wait: two for each core keep all cores busy. */
const jobs = 2 * os.availableParallelism()
/** A test file gives up by itself after this; tap reads it from its environment. */
const fileSecondsMax = 600
/** And is ended when it does not even do that. */
const fileMsMax = (fileSecondsMax + 60) * 1000
/**
 * Their files have a process each, since they take long. Begun first, they do not stand alone at the
 * end. The files of another folder share one: to start Node and load tap costs more than most tests.
 */
const alone = ['process', 'cluster', 'simulation', 'formal', 'storage']

const words = process.argv.slice(2)
const files = readdirSync(path.join(root, 'test'), { recursive: true })
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('page/'))
  .filter((name) =>
    words.length === 0
      ? !name.startsWith('house/')
      : words.some((word) => `test/${name}`.includes(word)),
  )
  .sort()

/** What each process runs. */
function groupsOf(files) {
  const groups = new Map()
  for (const file of files) {
    const folder = file.split('/', 1)[0]
    const key = alone.includes(folder) ? file : folder
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  const rank = (name) =>
    (alone.indexOf(name.split('/', 1)[0]) + alone.length + 1) % (alone.length + 1)
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

const running = new Set()
const total = { total: 0, pass: 0, fail: 0, skip: 0, todo: 0 }
const failed = []

/** What tap counted; nothing when the process ended before tap did. */
function countsOf(output) {
  const line = output.match(/^# \{ total: .*\}$/gm)?.at(-1)
  if (line === undefined) return undefined
  return Object.fromEntries(
    [...line.matchAll(/(\w+): (\d+)/g)].map(([, name, count]) => [name, Number(count)]),
  )
}

function run([name, group]) {
  const startedMs = performance.now()
  const scripts = group.map((file) => path.join('dist/test', file.replace(/\.ts$/, '.js')))
  const script = group.length === 1 ? scripts : ['.ci/test-group.js', name]
  const child = spawn(process.execPath, ['--enable-source-maps', ...script], {
    cwd: root,
    env: {
      ...process.env,
      TAP_TIMEOUT: String(fileSecondsMax),
      TEST_FILES: JSON.stringify(scripts),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: fileMsMax,
    killSignal: 'SIGKILL',
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  }
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
      report(name, seconds, output, code ?? signal)
      resolve()
    })
  })
}

/** One line for a process that passed; for one that did not, all that it said but what passed. */
function report(name, seconds, output, ending) {
  const counts = countsOf(output)
  for (const name of Object.keys(total)) total[name] += counts?.[name] ?? 0
  if (ending === 0 && counts !== undefined && counts.fail === undefined) {
    console.log(`ok test/${name} # ${counts.total} in ${seconds} s`)
    return
  }
  failed.push(name)
  if (counts?.fail === undefined) {
    total.total += 1
    total.fail += 1
  }
  console.log(output.replace(/^ *ok .*\n/gm, ''))
  console.log(`not ok test/${name} # ended with ${ending} after ${seconds} s`)
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal)
    process.exit(1)
  })
}

const startedMs = performance.now()
const waiting = groupsOf(files).values()
const worker = async () => {
  for (const group of waiting) await run(group)
}
await Promise.all(Array.from({ length: jobs }, worker))

const shown = Object.entries(total).filter(([name, count]) => count > 0 || name === 'total')
console.log(`# { ${shown.map(([name, count]) => `${name}: ${count}`).join(', ')} }`)
console.log(`# ${files.length} files in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`)
if (failed.length > 0) console.log(`Failed: ${failed.map((name) => `test/${name}`).join(', ')}`)
if (failed.length > 0 || files.length === 0) process.exitCode = 1
