/** Runs a scenario against real cores, and says where it went wrong and how the cluster stood. */
import { World } from '../world/world.js'
import type { ScenarioText, Statement } from './scenario-file.js'

export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure'
}

/** Throws {@link ScenarioFailure} with file, line, statement and the state of every node. */
export function runScenario(scenario: ScenarioText): void {
  if (scenario.seeds.length === 0) runAll(new World(null), scenario.statements)
  for (const seed of scenario.seeds) runAll(new World(seed), scenario.statements)
}

function runAll(world: World, statements: readonly Statement[]): void {
  for (const statement of statements) {
    const { body } = statement
    if (typeof body !== 'function') {
      for (let time = 1; time <= body.times; time += 1) runAll(world, body.statements)
      continue
    }
    try {
      body(world)
      // A node that stops itself is a failure unless this very line or the next expects it.
      const following = statements[statements.indexOf(statement) + 1]
      if (following?.expectsFailure !== true) mustRun(world)
    } catch (thrown) {
      throw failureAt(world, statement, thrown)
    }
  }
}

function mustRun(world: World): void {
  if (!world.runs) return
  const stopped = world.all.find(({ failure }) => failure !== null)
  if (stopped !== undefined) {
    throw new Error(`node ${stopped.id} has stopped itself: ${stopped.failure ?? ''}`)
  }
}

function failureAt(world: World, statement: Statement, thrown: unknown): ScenarioFailure {
  const { file, line } = statement.place
  const sentence = thrown instanceof Error ? thrown.message : String(thrown)
  return new ScenarioFailure(
    [`${file}:${String(line)}: ${statement.text}`, `  ${sentence}`, ...standing(world)].join('\n'),
    { cause: thrown },
  )
}

function standing(world: World): string[] {
  if (!world.runs) return []
  return world.all.map((replica) => {
    if (!replica.alive) return `  node ${replica.id}: dead`
    const { role, term, votedFor, leader, commitIndex, appliedIndex } = replica.core.status()
    const tail = replica.log.entries
      .slice(-5)
      .map(({ index, term }) => `${String(index)}/${String(term)}`)
    return (
      `  node ${replica.id}: ${role} term ${String(term)} vote ${votedFor ?? 'none'} ` +
      `leader ${leader ?? 'none'} commit ${String(commitIndex)} applied ${String(appliedIndex)} ` +
      `log ..${tail.join(' ')}`
    )
  })
}
