/** One nemesis from an empty folder to its verdict, on a cluster of its own. */
import { Arena } from './arena.js'
import type { Wanted } from './arguments.js'
import { Journal } from './journal.js'
import type { Nemesis } from './nemesis.js'
import { runPhase, type PhaseResult } from './phase.js'
import { SeededRandom } from './seeded-random.js'

export type Verdict = 'passed' | 'failed' | 'not exercised'

export interface RunResult {
  readonly nemesis: string
  readonly verdict: Verdict
  /** Why it was not exercised, or what broke the run itself. */
  readonly why: string | undefined
  readonly phase: PhaseResult | undefined
  readonly journal: Journal
  readonly nodes: readonly string[]
  readonly seconds: number
}

class NotExercised extends Error {}

export async function runNemesis(
  nemesis: Nemesis,
  wanted: Wanted,
  context: { readonly print: (line: string) => void; readonly signal: AbortSignal },
): Promise<RunResult> {
  const journal = new Journal(context.print)
  const nodes = Array.from({ length: wanted.nodes }, (_, n) => `node-${n + 1}`)
  const about = { nemesis: nemesis.name, journal, nodes }
  const settled = (verdict: Verdict, facts: Partial<RunResult> = {}): RunResult => ({
    ...{ ...about, verdict, why: undefined, phase: undefined },
    seconds: Math.round(journal.nowMs() / 1000),
    ...facts,
  })
  if (wanted.nodes < nemesis.nodesMin) {
    return settled('not exercised', { why: `it needs ${nemesis.nodesMin} nodes` })
  }
  try {
    const settings = (await nemesis.settle?.(wanted.settings)) ?? wanted.settings
    const arena = await Arena.open({
      ...{ nodes: wanted.nodes, journal, keep: wanted.keep },
      foundedBy: nemesis.foundedBy?.(settings),
      prepare: async (plan) => {
        const why = await nemesis.prepare?.(plan, settings)
        if (why !== undefined) throw new NotExercised(why)
      },
    })
    try {
      const phase = await runPhase({
        ...{ arena, nemesis, settings, seconds: wanted.seconds },
        random: new SeededRandom(wanted.seed),
        signal: context.signal,
      })
      const holds = phase.checks.every((check) => check.holds) && phase.strikes > 0
      if (context.signal.aborted) return settled('failed', { phase, why: 'it was interrupted' })
      return settled(holds ? 'passed' : 'failed', { phase })
    } finally {
      await arena.close()
    }
  } catch (error) {
    if (error instanceof NotExercised) return settled('not exercised', { why: error.message })
    return settled('failed', { why: sentenceOf(error) })
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : ` (${sentenceOf(error.cause)})`
  return `${error.message}${cause}`
}
