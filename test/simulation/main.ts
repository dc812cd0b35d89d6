/**
 * `npm run simulate`: many seeds of the deterministic simulation, or one of them again. The last line
 * sums up. Exit code 0: every seed passed; 1: one failed, a replay was not the same twice, or 200
 * seeds and more left out a rare path; 2: the arguments are wrong.
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCampaign } from './campaign.js'
import type { Job } from './job.js'
import type { LevelName, Options } from './level.js'
import { replay } from './one-seed.js'
import { failureText, Totals, type Spent } from './summary.js'

const usage = `npm run simulate -- [options]
  --level core|cluster|both  what is simulated (default both)
  --seed N                   the first seed (default 1)
  --seeds N                  how many seeds (default 200, or no limit with --minutes)
  --minutes M                stop after so much real time
  --threads N                default: one for each core
  --set JSON                 options that override those of the seed
  --replay                   run one seed twice and compare every event; print its options
  --history FILE             with --replay at level cluster: what clients did and saw, as JSON lines
  --no-shrink                tell a failure as it is
  --json                     one JSON line instead of text`

interface Arguments {
  readonly levels: readonly LevelName[]
  readonly seed: number
  readonly seeds: number
  readonly minutes: number
  readonly threads: number
  readonly change: Options
  readonly replay: boolean
  readonly history: string | undefined
  readonly shrinks: boolean
  readonly json: boolean
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      level: { type: 'string', default: 'both' },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string' },
      minutes: { type: 'string', default: 'Infinity' },
      threads: { type: 'string', default: String(availableParallelism()) },
      set: { type: 'string', default: '{}' },
      replay: { type: 'boolean', default: false },
      history: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes)
  const seeds = values.seeds ?? (Number.isFinite(minutes) ? 'Infinity' : '200')
  const chosen: readonly LevelName[] =
    values.level === 'both'
      ? ['core', 'cluster']
      : values.level === 'core' || values.level === 'cluster'
        ? [values.level]
        : []
  const numbers = [Number(values.seed), Number(seeds), minutes, Number(values.threads)]
  if (chosen.length === 0 || numbers.some((number) => !(number >= 0))) throw new Error('bad value')
  if (values.history !== undefined && !(values.replay && values.level === 'cluster')) {
    throw new Error('--history goes with --replay --level cluster')
  }
  return {
    levels: chosen,
    seed: Number(values.seed),
    seeds: Number(seeds),
    minutes,
    threads: Math.max(1, Number(values.threads)),
    change: JSON.parse(values.set) as Options,
    replay: values.replay,
    history: values.history,
    shrinks: !values['no-shrink'],
    json: values.json,
  }
}

interface Campaigned {
  readonly passed: boolean
  readonly totals: Totals
}

async function campaign(level: LevelName, args: Arguments): Promise<Campaigned> {
  const totals = new Totals()
  const spent = stopwatch()
  const share = args.minutes / args.levels.length
  let shownAtMs = performance.now()
  await runCampaign({
    jobs: jobsOf(level, args),
    threads: args.threads,
    endsAtMs: shownAtMs + share * 60_000,
    failuresMax: 3,
    done: (done) => {
      if (done.kind === 'passed') totals.add(done.report)
      else {
        totals.failures += 1
        console.error(failureText(done.job, done.failure, commit()))
      }
      if (performance.now() - shownAtMs < 10_000) return
      shownAtMs = performance.now()
      console.error(`... ${totals.line(level, spent())}`)
    },
  })
  if (args.json) console.log(JSON.stringify({ level, ...totals.json(spent()) }))
  else {
    for (const [site, count] of [...totals.sites].sort(([a], [b]) => (a < b ? -1 : 1))) {
      console.log(`  ${String(count).padStart(8)}  ${site}`)
    }
    console.log(totals.line(level, spent()))
  }
  const neverTaken = totals.neverTaken() ?? []
  for (const site of neverTaken) {
    console.error(`FAILED ${level}: no seed took the rare path "${site}"`)
  }
  return { passed: totals.failures === 0 && neverTaken.length === 0, totals }
}

/** Processor time counts as well: beside other programs, real time says little of this one. */
function stopwatch(): () => Spent {
  const startedAtMs = performance.now()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { realMs: performance.now() - startedAtMs, coreMs: (user + system) / 1000 }
  }
}

/** One level after the other; what they did together is said last. */
async function campaigns(args: Arguments): Promise<boolean> {
  const spent = stopwatch()
  const sum = new Totals()
  let passed = true
  for (const level of args.levels) {
    const done = await campaign(level, args)
    sum.join(done.totals)
    passed = done.passed && passed
  }
  // A single level has said it already.
  if (args.levels.length > 1) {
    if (args.json) console.log(JSON.stringify({ level: 'both', ...sum.json(spent()) }))
    else console.log(sum.line('both', spent()))
  }
  return passed
}

async function replays(args: Arguments): Promise<boolean> {
  const { seed, change, history: historyFile } = args
  let passed = true
  for (const level of args.levels) {
    passed = (await replay({ level, seed, change, historyFile })) && passed
  }
  if (args.levels.length > 1) {
    console.log(`seed ${String(seed)} at both levels: ${passed ? 'passed' : 'FAILED'}`)
  }
  return passed
}

function* jobsOf(level: LevelName, args: Arguments): Iterator<Job> {
  const { change, shrinks } = args
  for (let at = 0; at < args.seeds; at += 1) {
    yield { level, seed: args.seed + at, change, shrinks }
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    // Outside of a checkout there is no commit to name.
    return 'unknown'
  }
}

async function main(): Promise<number> {
  let args: Arguments
  try {
    args = readArguments()
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${usage}`)
    return 2
  }
  const passed = await (args.replay ? replays(args) : campaigns(args))
  return passed ? 0 : 1
}

process.exitCode = await main()
