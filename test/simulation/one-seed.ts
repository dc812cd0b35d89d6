/**
 * One seed again, in this thread, so that a debugger finds it: twice, and every event of both runs
 * must be the same. A run that fails the same way twice is the same, and has failed all the same.
 */
import { writeFileSync } from 'node:fs'
import { formatHistory, type Operation } from '../../cluster/linearizability/index.js'
import { levels, type LevelName, type Options } from './level.js'

export interface OneSeed {
  readonly level: LevelName
  readonly seed: number
  readonly change: Options
  /** Where the history of the clients goes, as JSON lines; of a run that fails, as far as it came. */
  readonly historyFile: string | undefined
}

interface Outcome {
  readonly passed: boolean
  readonly text: string
}

/** Prints what happened; the last line sums up. */
export async function replay({
  level: name,
  seed,
  change,
  historyFile,
}: OneSeed): Promise<boolean> {
  const level = levels[name]
  console.log(`options: ${JSON.stringify(level.options(seed, change))}`)
  let history: readonly Operation[] = []
  const outcome = async (): Promise<Outcome> => {
    try {
      const report = await level.run(seed, change, (operations) => {
        history = operations
      })
      return { passed: true, text: JSON.stringify(report) }
    } catch (thrown) {
      return { passed: false, text: thrown instanceof Error ? thrown.message : String(thrown) }
    }
  }
  const [first, second] = [await outcome(), await outcome()]
  console.log(first.text)
  if (historyFile !== undefined) {
    writeFileSync(historyFile, formatHistory(history))
    console.log(`history: ${String(history.length)} operations in ${historyFile}`)
  }
  const isSame = first.text === second.text
  if (!isSame) console.log(second.text)
  const verdict = first.passed && second.passed ? 'passed' : 'FAILED'
  const likeness = isSame ? 'the same twice' : 'NOT THE SAME TWICE'
  console.log(`${name} seed ${String(seed)}: ${verdict}, ${likeness}`)
  return isSame && first.passed
}
