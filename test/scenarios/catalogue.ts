/** Every scenario: the texts beside this file, and those that need the rooms around the core. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codedScenarios } from './coded/index.js'
import { runScenario } from './language/interpreter.js'
import { parseScenario, type ScenarioHead } from './language/scenario-file.js'

export interface Scenario extends ScenarioHead {
  /** Of its file, without what comes after the dot. */
  readonly name: string
  /** Path in the repository. */
  readonly file: string
  /** Rejects with what went wrong. */
  readonly run: () => Promise<void>
}

const folder = 'test/scenarios'

/** In the order of their numbers. `root`: the folder of the repository. */
export function allScenarios(root: string): readonly Scenario[] {
  const written = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.scenario'))
    .map((fileName): Scenario => {
      const file = `${folder}/${fileName}`
      const name = fileName.replace(/\.scenario$/, '')
      const text = parseScenario(file, readFileSync(join(root, file), 'utf8'))
      const { number, title, source, proves } = text
      const run = (): Promise<void> =>
        new Promise((resolve) => {
          runScenario(text)
          resolve()
        })
      return { number, title, source, proves, name, file, run }
    })
  const coded = codedScenarios.map((scenario) => ({
    ...scenario,
    file: `${folder}/coded/${scenario.name}.ts`,
  }))
  return [...written, ...coded].sort((a, b) => a.number - b.number || (a.file < b.file ? -1 : 1))
}

/**
 * Those with one of these numbers or file names, in their own order; no word means all. `unknown`:
 * words that name none, so that a slip of the pen does not pass for a run.
 */
export function scenariosNamed(
  scenarios: readonly Scenario[],
  words: readonly string[],
): { readonly chosen: readonly Scenario[]; readonly unknown: readonly string[] } {
  const isMeant = ({ number, name, file }: Scenario, word: string): boolean =>
    /^\d+$/.test(word) ? Number(word) === number : word === name || `/${file}`.endsWith(`/${word}`)
  return {
    chosen: scenarios.filter(
      (scenario) => words.length === 0 || words.some((word) => isMeant(scenario, word)),
    ),
    unknown: words.filter((word) => !scenarios.some((scenario) => isMeant(scenario, word))),
  }
}
