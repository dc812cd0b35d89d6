/** Every scenario: the texts beside this file, and those that need the rooms around the core. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codedScenarios } from './coded/index.js'
import { runScenario } from './language/interpreter.js'
import { parseScenario, type ScenarioHead } from './language/scenario-file.js'

export interface Scenario extends ScenarioHead {
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
    .map((name): Scenario => {
      const file = `${folder}/${name}`
      const text = parseScenario(file, readFileSync(join(root, file), 'utf8'))
      const { number, title, source, proves } = text
      const run = (): Promise<void> =>
        new Promise((resolve) => {
          runScenario(text)
          resolve()
        })
      return { number, title, source, proves, file, run }
    })
  const coded = codedScenarios.map((scenario) => ({
    ...scenario,
    file: `${folder}/coded/${scenario.name}.ts`,
  }))
  return [...written, ...coded].sort((a, b) => a.number - b.number || (a.file < b.file ? -1 : 1))
}
