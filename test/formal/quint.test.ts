/**
 * The specification holds, its invariants can fail, and the core does what it says. The walks are
 * the same each time; QUINT_SEED=N takes others. `npm run formal` walks farther.
 */
import t from 'tap'
import { list } from './itf.js'
import { isByTheCode, randomTraces, scheduleTraces, type Trace } from './quint.js'
import { Mismatch, replay } from './replay.js'

const seed = Number(process.env['QUINT_SEED'] ?? '1')
const [schedules, walks] = await Promise.all([
  scheduleTraces(),
  randomTraces({ traces: 20, steps: 30, seed }),
])

await t.test(
  'figures 7 and 8, votes and approvals end as they must, and the core goes along',
  (t) => {
    const faithful = [...schedules].filter(([, trace]) => isByTheCode(trace))
    t.equal(faithful.length, 7)
    for (const [name, trace] of faithful) t.doesNotThrow(() => replay(trace), name)
    t.end()
  },
)

/** Where the core leaves the trace; null when it goes along to the end. */
function mismatchOf(trace: Trace | undefined): Mismatch | null {
  try {
    replay(trace ?? [])
    return null
  } catch (thrown) {
    if (thrown instanceof Mismatch) return thrown
    throw thrown
  }
}

/** Schedules of broken rules, and what tells them from the core. It knows no approvals. */
const broken: Readonly<Record<string, RegExp | null>> = {
  voteLostOnCrashTest: /^step \d+ \(Crash b\): votedFor of b is "a", specified/,
  oldTermsCommittedTest: /Matched .*commitIndex of a is 0, specified 1/,
  approvalsNotPeopleCountedTest: null,
}

await t.test('an invariant sees each broken rule, and the core does otherwise', (t) => {
  const names = [...schedules].filter(([, trace]) => !isByTheCode(trace)).map(([name]) => name)
  t.same(names.sort(), Object.keys(broken).sort())
  for (const [name, difference] of Object.entries(broken)) {
    const mismatch = mismatchOf(schedules.get(name))
    if (difference === null) t.equal(mismatch, null, name)
    else t.match(mismatch?.message, difference, name)
  }
  t.end()
})

await t.test(`the core walks as specified (QUINT_SEED=${String(seed)})`, (t) => {
  t.equal(walks.length, 20)
  const replayed = walks.map((walk) => replay(walk))
  const steps = replayed.reduce((sum, each) => sum + each.steps, 0)
  t.equal(steps, 600, 'each walk goes all its steps')
  t.ok(
    replayed.some(({ led }) => led),
    'a node comes to lead',
  )
  t.end()
})

await t.test('a message that the core sends and the specification does not is told', (t) => {
  const altered = schedules.get('figure7Test')?.map((state, step) => ({
    variable: (name: string) => {
      const value = state.variable(name)
      return name === 'network' && step === 1 ? list(value).slice(1) : value
    },
  }))
  t.match(mismatchOf(altered), { step: 1, message: /sent, though not specified: PreVote b>/ })
  t.end()
})
