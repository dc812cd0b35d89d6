/** One mutant against all that could notice it. */
import type { Mutant } from './mutant.js'
import type { Ran, Sandbox } from './sandbox.js'

export interface Hunted {
  readonly mutant: Mutant
  /** Numbers of the scenarios that failed, ascending; each once. */
  readonly scenarios: readonly number[]
  readonly scenarioSeconds: number
  /** The first seed of the simulator that failed; null: none of those that ran. */
  readonly seed: number | null
  readonly seedsRan: number
  readonly seedSeconds: number
  /** Fewer seeds ran than were asked for, and none failed. */
  readonly cutShort: boolean
  /** What the first of them said. */
  readonly sentence: string
}

export interface HuntOptions {
  /** Seeds of the simulator for each mutant; 0: scenarios alone, which is not to be cut short. */
  readonly seeds: number
  /** All scenarios that notice, and not the first alone. */
  readonly all: boolean
}

const scenariosMsMax = 180_000
/** No seed begins after it, and whoever is within one then has as long again. */
const seedsSecondsMax = 45

export function isCaught(hunted: Hunted): boolean {
  return hunted.scenarios.length > 0 || hunted.seed !== null
}

export async function hunt(
  sandbox: Sandbox,
  mutant: Mutant,
  options: HuntOptions,
): Promise<Hunted> {
  sandbox.plant(mutant)
  try {
    const scenariosFromMs = performance.now()
    const scenarios = failedScenarios(
      await sandbox.run(
        'test/scenarios/main.js',
        options.all ? ['--json'] : ['--json', '--first'],
        scenariosMsMax,
      ),
    )
    const scenarioSeconds = secondsSince(scenariosFromMs)
    const seedsFromMs = performance.now()
    const seeds = await failedSeed(sandbox, mutant, options)
    return {
      mutant,
      ...{ scenarios: scenarios.numbers, scenarioSeconds },
      ...{ seed: seeds.seed, seedsRan: seeds.ran, seedSeconds: secondsSince(seedsFromMs) },
      cutShort: seeds.seed === null && seeds.ran < options.seeds,
      sentence: scenarios.sentence || seeds.sentence,
    }
  } finally {
    sandbox.heal(mutant)
  }
}

function secondsSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) / 100) / 10
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

/** The last line. */
interface ScenarioSum {
  readonly passed: number
  readonly failed: number
}

function failedScenarios(ran: Ran): {
  readonly numbers: readonly number[]
  readonly sentence: string
} {
  const lines = ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ScenarioLine | ScenarioSum)
    .filter((line) => 'number' in line)
  const failed = lines.filter(({ failure }) => failure !== null)
  const numbers = [...new Set(failed.map(({ number }) => number))].sort((a, b) => a - b)
  if (ran.exitCode !== 0 && failed.length === 0) {
    // Not a scenario that failed, but a program that does not load or end: that proves nothing.
    throw new Error(ran.timedOut ? 'the scenarios do not end' : lastLine(ran.stderr))
  }
  return { numbers, sentence: shortened(failed[0]?.failure ?? '') }
}

interface SeedLine {
  readonly seed: number
  readonly failure: string | null
}

async function failedSeed(
  sandbox: Sandbox,
  mutant: Mutant,
  { seeds }: HuntOptions,
): Promise<{ readonly seed: number | null; readonly ran: number; readonly sentence: string }> {
  if (seeds === 0) return { seed: null, ran: 0, sentence: '' }
  const level = mutant.level ?? 'core'
  const args = ['--level', level, '--count', String(seeds), '--seconds', String(seedsSecondsMax)]
  const ran = await sandbox.run('test/mutants/seeds.js', args, 2 * seedsSecondsMax * 1000)
  if (ran.exitCode !== 0 && !ran.timedOut) {
    throw new Error(`the simulator did not run: ${lastLine(ran.stderr)}`)
  }
  const lines = ran.stdout
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as SeedLine)
  const failed = lines.find(({ failure }) => failure !== null)
  return {
    seed: failed?.seed ?? null,
    ran: lines.length,
    sentence: shortened(failed?.failure ?? ''),
  }
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
