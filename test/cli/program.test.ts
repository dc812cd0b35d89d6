import { readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { CountersignError, errorCodes, errorTable } from '../../src/errors.js'
import { createOutput } from '../../src/cli/output.js'
import { toExitCode } from '../../src/cli/to-exit-code.js'
import { readRepositoryFile, repositoryRoot } from '../house/repository.js'
import { run } from './terminal.js'

const commandFiles = readdirSync(path.join(repositoryRoot, 'src/cli/commands'))

const workingDirectory = t.testdir()
const here = { workingDirectory }

await t.test('what cannot be parsed is a usage error with a next step', async (t) => {
  const cases: readonly (readonly [argv: string, message: RegExp, next: RegExp])[] = [
    ['', /command is missing/, /countersign --help/],
    ['prupose', /Unknown command 'prupose'.*propose/, /countersign --help/],
    ['key', /command is missing/, /countersign key --help/],
    ['get', /Missing required argument 'path'/, /countersign get --help/],
    ['get /a /b', /Too many arguments.*[^.]\.$/m, /countersign get --help/],
    ['get /a --bogus', /Unknown option '--bogus'/, /countersign get --help/],
    ['changes --limit none', /whole number/, /./],
  ]
  for (const [line, message, next] of cases) {
    const argv = line === '' ? [] : line.split(' ')
    const ran = await run(argv, here)
    t.equal(ran.exit, 2, line)
    t.equal(ran.stdout, '', 'nothing on stdout')
    const [first = '', second = ''] = ran.stderr.split('\n')
    t.match(first, /^error USAGE: /)
    t.match(first, message)
    t.match(second, next)
  }
})

await t.test('with --json a failure is one line of the same shape', async (t) => {
  const ran = await run(['person', 'add', '--json'], here)
  t.equal(ran.stderr, '')
  t.same(ran.json, {
    ok: false,
    command: 'person add',
    error: {
      code: 'USAGE',
      message: "Missing required argument 'person'.",
      details: { next: 'See `countersign person add --help`.' },
      retryable: false,
    },
  })
})

await t.test('without material every command says how to get it', async (t) => {
  for (const line of ['get /a', 'approve 0123 --as bob', 'people', 'up', 'key new --as dave']) {
    const ran = await run(
      [...line.split(' '), '--json'].filter((word) => word !== ''),
      here,
    )
    t.equal(ran.exit, 2, line)
    if (line !== 'up')
      t.match(ran.json.error, { code: 'INPUT_INVALID', message: /no cluster material/ })
  }
})

await t.test('every command has help, and options work before and after its name', async (t) => {
  t.ok(commandFiles.length > 20)
  for (const file of commandFiles) {
    const words = file
      .replace(/\.ts$/, '')
      .replace(/^(person|key|policy|node)-/, '$1 ')
      .split(' ')
    const direct = await run([...words, '--help'], here)
    t.equal(direct.exit, 0, file)
    t.match(direct.stdout, `Usage: countersign ${words.join(' ')}`)
    t.match(direct.stdout, '--json')
    const asked = await run(['help', ...words], here)
    t.equal(asked.stdout, direct.stdout, `help ${words.join(' ')}`)
  }
  for (const argv of [
    ['--json', 'version'],
    ['version', '--json'],
  ]) {
    const ran = await run(argv, here)
    t.match(ran.json, { ok: true, command: 'version', result: { version: /^\d+\.\d+\.\d+/ } })
  }
  t.equal((await run(['--help'], here)).exit, 0)
  t.match((await run(['--version'], here)).stdout, /^\d/)
})

await t.test(
  'every code has the exit code of the table, and docs/cli.md lists each of those',
  async (t) => {
    const docs = readRepositoryFile('docs/cli.md')
    for (const code of errorCodes) {
      const exit = toExitCode(new CountersignError(code, 'x'))
      t.equal(exit, errorTable[code].exit, code)
      t.not(exit, 0)
      t.match(docs, new RegExp(`^\\| ${String(exit)} +\\|`, 'm'), `exit code ${String(exit)}`)
    }
  },
)

await t.test('docs/cli.md describes every command', async (t) => {
  const docs = readRepositoryFile('docs/cli.md')
  for (const file of commandFiles) {
    const words = file.replace(/\.ts$/, '').replace(/^(person|key|policy|node)-/, '$1 ')
    t.match(docs, new RegExp(`\\bcountersign ${words}\\b`), words)
  }
})

await t.test(
  'an error shows code, sentence, facts and the next step; nothing of it is obeyed',
  async (t) => {
    let stderr = ''
    const sink = {
      write: (text: string) => {
        stderr += text
      },
      isTerminal: false,
      columns: 80,
    }
    const world = { environment: {}, stdout: sink, stderr: sink } as never
    createOutput(world, { json: false, command: () => 'x' }).failure(
      new CountersignError('STALE_BASE', 'The base has moved: /a.\u001b[2J', {
        details: { path: '/b', expected: 4, actual: 9, logIndex: 12, evil: '\u202e' },
      }),
    )
    t.equal(
      stderr,
      [
        'error STALE_BASE: The base has moved: /a.\\u{1b}[2J',
        '  path: /b',
        '  expected: 4',
        '  actual: 9',
        '  evil: \\u{202e}',
        '  next: Propose it anew on the current base: `countersign propose --like CHANGE`.',
        '',
      ].join('\n'),
    )
  },
)

await t.test('colours only at a terminal that wants them', async (t) => {
  const colour = '\u001b['
  const at = (isTerminal: boolean, environment = {}) =>
    run(['prupose'], { workingDirectory, isTerminal, environment }).then(({ stderr }) =>
      stderr.includes(colour),
    )
  t.equal(await at(false), false)
  t.equal(await at(true), true)
  t.equal(await at(true, { NO_COLOR: '1' }), false)
  t.equal(await at(true, { TERM: 'dumb' }), false)
})
