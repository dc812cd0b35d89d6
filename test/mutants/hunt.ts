/** One mutant against all that could notice it. */
import type { Mutant } from './mutant.js'
import type { Ran, Sandbox } from './sandbox.js'

export interface Hunted {
  readonly mutant: Mutant
  /** Numbers of the scenarios that failed, ascending; each once. */
  readonly scenarios: readonly number[]
  /** The first seed of the simulator that failed; null: none of those that ran. */
  readonly seed: number | null
  readonly seedsRan: number
  /** What the first of them said. */
  readonly sentence: string
  readonly seconds: number
}

export interface HuntOptions {
  /** Seeds of the simulator for each mutant; 0: scenarios alone. */
  readonly seeds: number
  /** All scenarios that notice, and not the first alone. */
  readonly all: boolean
}

const scenariosMsMax = 180_000
const seedsMsMax = 90_000

export function isCaught(hunted: Hunted): boolean {
  return hunted.scenarios.length > 0 || hunted.seed !== null
}

export async function hunt(
  sandbox: Sandbox,
  mutant: Mutant,
  options: HuntOptions,
): Promise<Hunted> {
  const startedAt = performance.now()
  sandbox.plant(mutant)
  try {
    const scenarios = failedScenarios(
      await sandbox.run(
        'test/scenarios/main.js',
        options.all ? ['--json'] : ['--json', '--first'],
        scenariosMsMax,
      ),
    )
    const seeds = await failedSeed(sandbox, options)
    return {
      mutant,
      scenarios: scenarios.numbers,
      seed: seeds.seed,
      seedsRan: seeds.ran,
      sentence: scenarios.sentence || seeds.sentence,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    }
  } finally {
    sandbox.heal(mutant)
  }
}

/** The unchanged program must pass, else nothing is proved. Returns what failed. */
export async function baseline(sandbox: Sandbox): Promise<string | null> {
  const ran = await sandbox.run('test/scenarios/main.js', ['--json'], scenariosMsMax)
  const { numbers, sentence } = failedScenarios(ran)
  return numbers.length === 0 ? null : `scenarios ${numbers.join(', ')}: ${sentence}`
}

interface ScenarioLine {
  readonly number: number
  readonly failure: string | null
}

function failedScenarios(ran: Ran): {
  readonly numbers: readonly number[]
  readonly sentence: string
} {
  const lines = ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ScenarioLine)
  const failed = lines.filter(({ failure }) => failure !== null)
  const numbers = [...new Set(failed.map(({ number }) => number))].sort((a, b) => a - b)
  if (ran.exitCode !== 0 && failed.length === 0) {
    // Not a scenario that failed, but a program that does not load or end: that proves nothing.
    throw new Error(ran.timedOut ? 'the scenarios do not end' : lastLine(ran.stderr))
  }
  return { numbers, sentence: shortened(failed[0]?.failure ?? '') }
}

async function failedSeed(
  sandbox: Sandbox,
  { seeds }: HuntOptions,
): Promise<{ readonly seed: number | null; readonly ran: number; readonly sentence: string }> {
  if (seeds === 0) return { seed: null, ran: 0, sentence: '' }
  const args = ['--from', '1', '--count', String(seeds)]
  const ran = await sandbox.run('test/mutants/seeds.js', args, seedsMsMax)
  if (ran.timedOut) return { seed: null, ran: 0, sentence: '' }
  if (ran.exitCode !== 0) throw new Error(`the simulator did not run: ${lastLine(ran.stderr)}`)
  return JSON.parse(ran.stdout.trim()) as Awaited<ReturnType<typeof failedSeed>>
}

/** The second line says what was not so; the first names the statement. */
function shortened(failure: string): string {
  return failure.split('\n').slice(0, 2).join(' ').replaceAll(/\s+/g, ' ').slice(0, 200)
}

function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .filter((line) => /Error/.test(line))
      .at(-1) ?? text.trim().slice(-200)
  )
}
