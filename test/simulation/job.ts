/** One seed as work for a thread, and what comes of it. Plain data: it crosses threads. */
import { failureKind, levels, type LevelName, type Options, type RunReport } from './level.js'
import { shrink } from './shrink.js'

export interface Job {
  readonly level: LevelName
  readonly seed: number
  readonly change: Options
  readonly shrinks: boolean
}

export interface Failure {
  readonly message: string
  readonly stack: string
  readonly kind: string
  /** Every option of the run that failed. */
  readonly options: Options
  /** What to change about the seed's options for the smallest run that fails in the same way. */
  readonly shrunk: Options
  readonly shrinkRuns: number
}

export type Done = { readonly job: Job } & (
  | { readonly kind: 'passed'; readonly report: RunReport }
  | { readonly kind: 'failed'; readonly failure: Failure }
)

export async function work(job: Job): Promise<Done> {
  const level = levels[job.level]
  const { seed, change } = job
  try {
    return { job, kind: 'passed', report: await level.run(seed, change) }
  } catch (thrown) {
    const kind = failureKind(thrown)
    const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
    const shrunk = job.shrinks
      ? await shrink(level, seed, { change, kind })
      : { change, kind, runs: 0 }
    return {
      job,
      kind: 'failed',
      failure: {
        message: thrown instanceof Error ? thrown.message : String(thrown),
        stack: cause instanceof Error ? (cause.stack ?? '') : '',
        kind,
        options: level.options(seed, change),
        shrunk: shrunk.change,
        shrinkRuns: shrunk.runs,
      },
    }
  }
}
