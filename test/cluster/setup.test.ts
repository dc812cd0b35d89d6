/** The set-up that every script runs first, on a small project of its own. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { readRepositoryFile, repositoryRoot } from '../house/repository.js'

interface Run {
  readonly code: number
  readonly output: string
}

function node(directory: string, ...parameters: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: directory }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr })
    })
  })
}

const copied = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
]
const setUpFiles = ['setup.js', 'setup-lock.js', 'build.js']

/** A clone with one command and one file that is not compiled, its packages installed by hand. */
function project(t: Test): string {
  return t.testdir({
    ...Object.fromEntries(copied.map((name) => [name, readRepositoryFile(name)])),
    node_modules: t.fixture('symlink', path.join(repositoryRoot, 'node_modules')),
    cluster: Object.fromEntries(
      setUpFiles.map((name) => [name, readRepositoryFile(`cluster/${name}`)]),
    ),
    src: {
      cli: { 'main.ts': '#!/usr/bin/env node\nconsole.log(1)\n' },
      status: { page: { 'index.html': '<h1>page</h1>' } },
    },
  })
}

await t.test('a clone is built once, and again after a change', async (t) => {
  const clone = project(t)
  const at = (name: string) => path.join(clone, name)
  const stamp = 'dist/.countersign-build'

  const first = await node(clone, 'cluster/setup.js')
  t.equal(first.code, 0, first.output)
  t.equal(statSync(at('dist/src/cli/main.js')).mode & 0o777, 0o755, 'npx can run it')
  t.equal(readFileSync(at('dist/src/status/page/index.html'), 'utf8'), '<h1>page</h1>')
  t.notOk(existsSync(at('.setup.lock')), 'the lock is given back')

  const made = statSync(at(stamp)).mtimeMs
  const second = await node(clone, 'cluster/setup.js')
  t.same(second, { code: 0, output: '' }, 'a second run says nothing')
  t.equal(statSync(at(stamp)).mtimeMs, made, 'and builds nothing')

  writeFileSync(at('src/cli/main.ts'), '#!/usr/bin/env node\nconsole.log(2)\n')
  await node(clone, 'cluster/setup.js')
  t.match(readFileSync(at('dist/src/cli/main.js'), 'utf8'), 'console.log(2)')

  rmSync(at(stamp))
  t.match((await node(clone, 'cluster/setup.js')).output, 'Building', 'no stamp: not finished')

  writeFileSync(at('src/cli/main.ts'), 'const a = \n')
  const broken = await node(clone, 'cluster/setup.js')
  t.equal(broken.code, 1)
  t.match(broken.output, 'The build failed')
  t.match(readFileSync(at('dist/src/cli/main.js'), 'utf8'), 'console.log(2)', 'dist/ is untouched')
})

await t.test('two set-ups never run at once', async (t) => {
  const directory = t.testdir({ log: '' })
  const lock = path.join(repositoryRoot, 'cluster/setup-lock.js')
  const job = `
    import { appendFileSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    import { withLock } from ${JSON.stringify(lock)}
    await withLock('lock', async () => {
      appendFileSync('log', 'in ')
      await delay(100)
      appendFileSync('log', 'out ')
    })`
  const runs = await Promise.all(
    [1, 2, 3].map(() => node(directory, '--input-type=module', '--eval', job)),
  )
  t.same(
    runs.map((run) => run.code),
    [0, 0, 0],
  )
  t.equal(readFileSync(path.join(directory, 'log'), 'utf8'), 'in out in out in out ')
})

await t.test('the lock of a set-up that died is taken over', async (t) => {
  // A process id that was just given back: nobody has it for a while.
  const gone = await node('.', '--print', 'process.pid')
  const directory = t.testdir({ lock: gone.output.trim() })
  const lock = path.join(repositoryRoot, 'cluster/setup-lock.js')
  const job = `import { withLock } from ${JSON.stringify(lock)}; await withLock('lock', () => undefined)`
  const run = await node(directory, '--input-type=module', '--eval', job)
  t.equal(run.code, 0, run.output)
  t.notOk(existsSync(path.join(directory, 'lock')))
})
