/**
 * `npm run formal`: checks the specification (types, schedules, mutants), walks it at random, and
 * replays each walk against the real core. `--traces N` walks of `--steps M` actions, `--seed S`
 * the first one's; the same numbers give the same walks. The last line sums up; the exit status is
 * 1 when a schedule fails, an invariant is broken or specification and code differ.
 */
import { parseArgs } from 'node:util'
import { isByTheCode, randomTraces, scheduleTraces, type Trace } from './quint.js'
import { Mismatch, actionOf, replay } from './replay.js'

/** Quint keeps all traces of a run in memory. */
const tracesOfRunMax = 50

const { values: flags } = parseArgs({
  options: {
    traces: { type: 'string', default: '50' },
    steps: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
})

function count(name: 'traces' | 'steps' | 'seed'): number {
  const value = Number(flags[name])
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`--${name} is a whole number above 0, not "${flags[name]}".`)
  process.exit(2)
}

const [traces, steps, seed] = [count('traces'), count('steps'), count('seed')]
const totals = { traces: 0, steps: 0, led: 0, committed: 0, mismatches: 0 }

function replayOne(trace: Trace, name: string): void {
  totals.traces += 1
  try {
    const replayed = replay(trace)
    totals.steps += replayed.steps
    totals.led += replayed.led ? 1 : 0
    totals.committed = Math.max(totals.committed, replayed.committed)
  } catch (thrown) {
    if (!(thrown instanceof Mismatch)) throw thrown
    totals.mismatches += 1
    console.log(`${name} differs at ${thrown.message}`)
    trace.slice(0, thrown.step + 1).forEach((state, at) => {
      console.log(`  ${String(at)} ${actionOf(state)}`)
    })
  }
}

async function main(): Promise<void> {
  for (const [name, trace] of await scheduleTraces()) {
    if (isByTheCode(trace)) replayOne(trace, name)
  }
  for (let first = 0; first < traces; first += tracesOfRunMax) {
    const walk = { traces: Math.min(tracesOfRunMax, traces - first), steps, seed: seed + first }
    const walks = await randomTraces(walk)
    walks.forEach((trace, at) => {
      replayOne(trace, `walk ${String(at)} of seed ${String(walk.seed)}`)
    })
  }
}

try {
  await main()
  console.log(
    `${String(totals.traces)} traces, ${String(totals.steps)} steps of the core as specified, ` +
      `a leader in ${String(totals.led)} of them, up to ${String(totals.committed)} entries committed, ` +
      `${String(totals.mismatches)} mismatches.`,
  )
  process.exitCode = totals.mismatches === 0 ? 0 : 1
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown)
  console.log('The specification does not hold, or could not be run.')
  process.exitCode = 1
}
