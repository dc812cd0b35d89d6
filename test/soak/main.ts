/**
 * `npm run soak`: everything that looks for bugs by itself, for an hour or as long as is asked for.
 * Exit code 0: all passed and the goals for this time are reached; 1: a part failed; 2: none failed,
 * but a goal was missed or a part not exercised; 3: bad options. The last line sums up.
 *
 *     --minutes M    scales all parts (60)          --only WORD[,WORD]   parts that begin so
 *     --seed N       of all parts; else a fresh one  --other-build DIR    for mixed-version
 *     --write-docs   writes docs/soak-report.md, and docs/mutants.md when all were hunted
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runChild, type Ended } from './child.js'
import { soakPage, type PartResult, type SoakResult } from './docs-page.js'
import { noFigures, type Figures } from './figures.js'
import { goalsOf } from './goals.js'
import { partsOf, type Part } from './parts.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    'other-build': { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
/** Seeds of a campaign follow each other: campaigns of different days shall not meet. */
const seed = Number(values.seed ?? (Math.floor(Date.now() / 1000) % 100_000_000) * 10)
if (!(minutes > 0) || !Number.isSafeInteger(seed) || seed < 1) {
  console.error('--minutes is a number above 0, --seed a whole number above 0.')
  process.exit(3)
}

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // Stays registered: a second Ctrl-C must not leave processes and folders behind.
  process.on(name, () => {
    interrupted.abort()
  })
}

const figures = noFigures()
/** Now: the parts may write pages. */
const startedAt = commit()

/** What a part said last stands for it; a line that cannot be read is a failure of the part. */
function read(part: Part, ended: Ended): string {
  let facts = ''
  for (const line of ended.stdout) facts = part.read(line, figures)
  return facts
}

function resultOf(part: Part, ended: Ended): PartResult {
  let facts: string
  let readable = true
  try {
    facts = read(part, ended)
  } catch (error) {
    facts = `cannot be read: ${error instanceof Error ? error.message : String(error)}`
    readable = false
  }
  const hasPassed = ended.code === 0 && readable && facts !== ''
  const isMissing = ended.code === 2 && readable && part.name.startsWith('chaos')
  return {
    name: part.name,
    command: [part.program, ...part.parameters].join(' '),
    status: hasPassed ? 'passed' : isMissing ? 'not exercised' : 'failed',
    exit: ended.timedOut ? 'out of time' : String(ended.code ?? 'killed'),
    ...{ seconds: ended.seconds, facts: facts === '' ? 'it said nothing' : facts },
  }
}

async function runPart(part: Part): Promise<PartResult> {
  const { name, program, parameters, limitSeconds } = part
  console.log(`${name} (at most ${String(limitSeconds)} s) ...`)
  const ended = await runChild({
    ...{ program, parameters, limitSeconds, signal: interrupted.signal },
    progress: (seconds, said) => {
      console.error(`  ${name} ${String(seconds)} s  ${said.slice(0, 140)}`)
    },
  })
  const result = resultOf(part, ended)
  console.log(`  ${result.status} in ${String(result.seconds)} s: ${result.facts}`)
  if (result.status === 'failed') {
    console.log(`  again: node dist/${result.command}`)
    for (const line of ended.said) console.log(`    ${line}`)
  }
  return result
}

function commit(): string {
  const git = (...words: readonly string[]) =>
    execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const id = git('rev-parse', '--short', 'HEAD')
    return git('status', '--porcelain') === '' ? id : `${id} with changes`
  } catch {
    // Outside of a checkout there is no commit to name.
    return 'unknown'
  }
}

function machine(): string {
  const gibibytes = Math.round(os.totalmem() / 1024 ** 3)
  return `${String(os.availableParallelism())} cores, ${String(gibibytes)} GiB of memory, ${os.type()}, Node ${process.versions.node}`
}

function summaryOf(parts: readonly PartResult[], all: Figures): string {
  const failed = parts.filter(({ status }) => status === 'failed').map(({ name }) => name)
  const missing = parts.filter(({ status }) => status === 'not exercised').map(({ name }) => name)
  const goals = goalsOf(all, minutes).filter(({ reached, wanted }) => reached < wanted)
  return [
    `soak: ${String(parts.length - failed.length - missing.length)} of ${String(parts.length)} parts passed`,
    `${String(all.seeds)} seeds, ${all.virtualHours.toFixed(1)} virtual hours, ${String(all.faults)} faults`,
    `${String(all.nemesesPassed)} nemeses, ${String(all.operations)} operations, ${String(all.kills)} kills`,
    `${String(all.mutants - all.surviving.length)} of ${String(all.mutants)} mutants caught, seed ${String(seed)}`,
    failed.length === 0 ? 'none failed' : `FAILED: ${failed.join(', ')}`,
    ...(missing.length === 0 ? [] : [`not exercised: ${missing.join(', ')}`]),
    ...(goals.length === 0 ? [] : [`goals missed: ${goals.map(({ what }) => what).join(', ')}`]),
  ].join('; ')
}

const only = values.only.split(',').filter((word) => word !== '')
const chosen = partsOf({
  ...{ minutes, seed, only, otherBuild: values['other-build'] },
  writesDocs: values['write-docs'],
})
const parts: PartResult[] = []
for (const part of chosen) {
  if (interrupted.signal.aborted) break
  parts.push(await runPart(part))
}
const result: SoakResult = {
  ...{ minutes, seed, parts, figures, commit: startedAt, machine: machine() },
  date: new Date().toISOString().slice(0, 10),
}
if (values['write-docs']) {
  writeFileSync(path.join(process.cwd(), 'docs', 'soak-report.md'), soakPage(result))
}
console.log(summaryOf(parts, figures))
const areGoalsReached = goalsOf(figures, minutes).every(({ reached, wanted }) => reached >= wanted)
if (parts.length < chosen.length || parts.some(({ status }) => status === 'failed')) {
  process.exitCode = 1
} else if (!areGoalsReached || parts.some(({ status }) => status !== 'passed')) {
  process.exitCode = 2
}
