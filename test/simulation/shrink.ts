/**
 * Makes a failing run small: fewer nodes, classes of faults off, less time, fewer clients, as long
 * as it fails in the same way. Deterministic: the same failure shrinks to the same options. It is
 * greedy (delta debugging without its second half), which is enough for options that stand alone.
 */
import { failureKind, type Level, type Options, type OptionValue } from './level.js'

export interface Shrunk {
  /** What differs from the options of the seed; with the seed it replays the failure. */
  readonly change: Options
  readonly kind: string
  readonly runs: number
}

/** Values to try in this order for one option; the first that still fails is kept. */
interface Reduction {
  readonly name: string
  readonly smaller: (value: OptionValue) => readonly OptionValue[]
}

const numberBelow =
  (steps: readonly number[]) =>
  (value: OptionValue): readonly OptionValue[] =>
    typeof value === 'number' ? steps.filter((step) => step < value) : []

const off = (value: OptionValue): readonly OptionValue[] => {
  if (typeof value === 'number') return value === 0 ? [] : [0]
  return value === true ? [false] : []
}

/** Options that are no faults: 0 would not mean "off". */
const reductions: readonly Reduction[] = [
  { name: 'faultyMs', smaller: numberBelow([1_000, 2_500, 5_000, 10_000, 20_000]) },
  { name: 'nodes', smaller: numberBelow([1, 2, 3, 4, 5]) },
  { name: 'clients', smaller: numberBelow([1, 2]) },
  { name: 'watchers', smaller: numberBelow([0, 1]) },
  { name: 'keys', smaller: numberBelow([1, 2]) },
]

/** These keep their meaning only as they are. */
const untouched: ReadonlySet<string> = new Set([
  ...['seed', 'mutant', 'tickMs', 'heartbeatTicks', 'electionTicksMin', 'electionTicksMax'],
  ...['delayMinMs', 'delayMeanMs', 'diskMeanMs', 'thinkMs'],
  ...reductions.map(({ name }) => name),
])

/** Tries at most `runsMax` runs. `change` must fail at `seed` already, in the way of `kind`. */
export async function shrink(
  level: Level,
  seed: number,
  failing: { readonly change: Options; readonly kind: string },
  runsMax = 80,
): Promise<Shrunk> {
  let { change } = failing
  let runs = 0
  const stillFails = async (next: Options): Promise<boolean> => {
    runs += 1
    try {
      await level.run(seed, next)
      return false
    } catch (thrown) {
      return failureKind(thrown) === failing.kind
    }
  }
  let isSmaller = true
  while (isSmaller && runs < runsMax) {
    isSmaller = false
    const options = level.options(seed, change)
    const classes = Object.keys(options)
      .filter((name) => !untouched.has(name))
      .map((name): Reduction => ({ name, smaller: off }))
    for (const { name, smaller } of [...reductions, ...classes]) {
      for (const value of smaller(options[name] ?? null)) {
        if (runs >= runsMax) break
        const next = { ...change, [name]: value }
        if (!(await stillFails(next))) continue
        change = next
        isSmaller = true
        break
      }
    }
  }
  return { change, kind: failing.kind, runs }
}
