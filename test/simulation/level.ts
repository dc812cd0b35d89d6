/**
 * The two levels of the simulation, behind one face. `core` runs the consensus core alone: hundreds
 * of virtual seconds a second, so it meets rare orders of events that the other would need days for.
 * `cluster` runs the whole node (loop, machine, stores' contract, clients): fewer seeds, more of the
 * program.
 */
import type { Operation } from '../../cluster/linearizability/index.js'
import { clusterOptionsFromSeed } from './cluster/options.js'
import { simulateCluster } from './cluster/simulate-cluster.js'
import { optionsFromSeed } from './options.js'
import { simulate, type Report } from './simulate.js'

export type LevelName = 'core' | 'cluster'

export type OptionValue = number | string | boolean | null
/** Options by name, as JSON can carry them. */
export type Options = Readonly<Record<string, OptionValue>>

/** What every run reports, whatever the level. */
export interface RunReport {
  readonly seed: number
  /** Of all events: two runs of one seed must end at the same value. */
  readonly digest: string
  readonly events: number
  readonly virtualMs: number
  readonly commits: number
  readonly faults: Readonly<Record<string, number>>
  /** How often each named rare path was taken. */
  readonly sites: Readonly<Record<string, number>>
  /** Figures of this level alone. */
  readonly more: Readonly<Record<string, number>>
}

export type TellHistory = (history: readonly Operation[]) => void

export interface Level {
  readonly name: LevelName
  /** Every option that the seed gives, with `change` on top. */
  options(seed: number, change: Options): Options
  /** Rejects with what an oracle found. `tellHistory`: hears what clients did and saw, at the end. */
  run(seed: number, change: Options, tellHistory?: TellHistory): Promise<RunReport>
}

const core: Level = {
  name: 'core',
  options: (seed, change) => ({ ...optionsFromSeed(seed, change) }),
  // What is thrown in a promise's executor rejects it.
  run: (seed, change) =>
    new Promise((resolve) => {
      resolve(coreReport(simulate(seed, change)))
    }),
}

function coreReport(report: Report): RunReport {
  const { seed, digest, events, virtualMs, committed, faultsByClass } = report
  const { writesAcknowledged, readsAnswered, termMax, configurations, restores } = report
  return {
    seed,
    digest,
    events,
    virtualMs,
    commits: committed,
    faults: faultsByClass,
    sites: {},
    more: { writesAcknowledged, readsAnswered, termMax, configurations, restores },
  }
}

const cluster: Level = {
  name: 'cluster',
  options: (seed, change) => ({
    ...clusterOptionsFromSeed(seed, change),
  }),
  run: async (seed, change, tellHistory) => {
    const report = await simulateCluster(seed, change, tellHistory)
    const { digest, events, virtualMs, committed, faults, sites, terms, starts } = report
    const { activated, writesAcknowledged, readsAnswered, batchesWatched, memberships } = report
    const { levelsRaised, machines } = report
    return {
      seed,
      digest,
      events,
      virtualMs,
      commits: committed,
      faults,
      sites,
      more: {
        activated,
        writesAcknowledged,
        readsAnswered,
        batchesWatched,
        memberships,
        levelsRaised,
        terms,
        starts,
        ...machines,
      },
    }
  },
}

export const levels: Readonly<Record<LevelName, Level>> = { core, cluster }

/** What kind of failure it is: the sentence without the facts behind it. */
export function failureKind(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const message = inner instanceof Error ? inner.message : String(inner)
  return message.split(/[{\n]/, 1)[0]?.trim() ?? message
}
