/** What a campaign did, added up; and how a failure is told so that anybody can run it again. */
import type { Failure, Job } from './job.js'
import type { LevelName, Options, RunReport } from './level.js'

export interface Spent {
  readonly realMs: number
  /** Of all threads. */
  readonly coreMs: number
}

/** In so many seeds every rare path is taken, or something keeps the simulation away from it. */
const seedsToTell = 200

export class Totals {
  seeds = 0
  failures = 0
  events = 0
  virtualMs = 0
  commits = 0
  readonly faults = new Map<string, number>()
  readonly sites = new Map<string, number>()
  readonly more = new Map<string, number>()

  add(report: RunReport): void {
    this.seeds += 1
    this.events += report.events
    this.virtualMs += report.virtualMs
    this.commits += report.commits
    addAll(this.faults, report.faults)
    addAll(this.sites, report.sites)
    addAll(this.more, report.more)
  }

  join(other: Totals): void {
    this.seeds += other.seeds
    this.failures += other.failures
    this.events += other.events
    this.virtualMs += other.virtualMs
    this.commits += other.commits
    addAll(this.faults, Object.fromEntries(other.faults))
    addAll(this.sites, Object.fromEntries(other.sites))
    addAll(this.more, Object.fromEntries(other.more))
  }

  /** Rare paths that no seed took; null when there were too few seeds to tell. */
  neverTaken(): readonly string[] | null {
    if (this.seeds < seedsToTell) return null
    return [...this.sites].filter(([, count]) => count === 0).map(([site]) => site)
  }

  json({ realMs, coreMs }: Spent): Readonly<Record<string, unknown>> {
    return {
      seeds: this.seeds,
      failures: this.failures,
      virtualHours: this.virtualMs / 3_600_000,
      realSeconds: realMs / 1000,
      coreSeconds: coreMs / 1000,
      ratio: this.virtualMs / realMs,
      ratioPerCore: this.virtualMs / coreMs,
      events: this.events,
      commits: this.commits,
      faults: Object.fromEntries(this.faults),
      sites: Object.fromEntries(this.sites),
      ...Object.fromEntries(this.more),
    }
  }

  line(level: LevelName | 'both', { realMs, coreMs }: Spent): string {
    const faults = [...this.faults].map(([name, count]) => `${name} ${String(count)}`).join(', ')
    const hits = [...this.sites.values()].filter((count) => count > 0).length
    return [
      `${level === 'both' ? 'both levels' : level}: ${String(this.seeds)} seeds`,
      `${String(this.failures)} failed`,
      `${(this.virtualMs / 3_600_000).toFixed(2)} virtual h in ${(realMs / 1000).toFixed(1)} s`,
      `${(this.virtualMs / realMs).toFixed(0)}x real time`,
      `${(this.virtualMs / coreMs).toFixed(0)}x for each core's time`,
      `${String(this.events)} events`,
      `${String(this.commits)} commits`,
      `rare paths ${String(hits)} of ${String(this.sites.size)}`,
      `faults: ${faults === '' ? 'none' : faults}`,
    ].join(', ')
  }
}

/** `command` runs the failing seed again, with what it was shrunk to. */
export function replayCommand(job: Job, shrunk: Options): string {
  const set = Object.keys(shrunk).length === 0 ? '' : ` --set '${JSON.stringify(shrunk)}'`
  return `npm run simulate -- --level ${job.level} --seed ${String(job.seed)}${set} --replay`
}

export function failureText(job: Job, failure: Failure, commit: string): string {
  return [
    `FAILED ${job.level} seed ${String(job.seed)} at commit ${commit}: ${failure.kind}`,
    failure.message.split('\n', 1)[0]?.slice(0, 2000) ?? '',
    `  options: ${JSON.stringify(failure.options)}`,
    `  shrunk in ${String(failure.shrinkRuns)} runs to: ${JSON.stringify(failure.shrunk)}`,
    `  replay: ${replayCommand(job, failure.shrunk)}`,
  ].join('\n')
}

function addAll(totals: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) {
    totals.set(name, (totals.get(name) ?? 0) + count)
  }
}
