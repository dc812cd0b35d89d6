/** What the parts of a soak did, as their programs tell it in JSON. */

export interface Figures {
  seeds: number
  virtualHours: number
  /** Of the simulation: crashes, partitions, disks, clocks, ...; each lost or late message apart. */
  faults: number
  messageFaults: number
  /** Of the simulation's named rare paths, how often each was taken. */
  readonly sites: Map<string, number>
  nemesesPassed: number
  /** Faults that real processes were put under. */
  strikes: number
  /** Real processes that were killed. */
  kills: number
  /** Answers, refusals and silences that clients of real processes met. */
  operations: number
  mutants: number
  readonly surviving: string[]
  worlds: number
  /** Points at which a life of a disk was ended, and files that were hurt. */
  diskPoints: number
}

export function noFigures(): Figures {
  return {
    ...{ seeds: 0, virtualHours: 0, faults: 0, messageFaults: 0, sites: new Map() },
    ...{ nemesesPassed: 0, strikes: 0, kills: 0, operations: 0 },
    ...{ mutants: 0, surviving: [], worlds: 0, diskPoints: 0 },
  }
}

/** Reads what one program printed; returns what is worth saying of it. */
export type Reader = (line: string, figures: Figures) => string

interface SimulationLine {
  readonly seeds: number
  readonly failures: number
  readonly virtualHours: number
  readonly faults: Readonly<Record<string, number>>
  readonly sites: Readonly<Record<string, number>>
}

export const readSimulation: Reader = (line, figures) => {
  const { seeds, failures, virtualHours, faults, sites } = JSON.parse(line) as SimulationLine
  figures.seeds += seeds
  figures.virtualHours += virtualHours
  const { message = 0, ...others } = faults
  const sum = Object.values(others).reduce((total, count) => total + count, 0)
  figures.faults += sum
  figures.messageFaults += message
  for (const [name, count] of Object.entries(sites)) {
    figures.sites.set(name, (figures.sites.get(name) ?? 0) + count)
  }
  return `${String(seeds)} seeds, ${virtualHours.toFixed(1)} virtual hours, ${String(sum)} faults and ${String(message)} of single messages, ${String(failures)} failed`
}

interface ChaosLine {
  readonly verdict: string
  readonly why?: string
  readonly strikes?: number
  readonly kills?: number
  readonly counts?: { readonly ok: number; readonly fail: number; readonly info: number }
  readonly checks?: readonly { readonly name: string; readonly holds: boolean }[]
}

export const readChaos: Reader = (line, figures) => {
  const { verdict, why, strikes = 0, kills = 0, counts, checks } = JSON.parse(line) as ChaosLine
  const { ok, fail, info } = counts ?? { ok: 0, fail: 0, info: 0 }
  if (verdict === 'passed') figures.nemesesPassed += 1
  figures.strikes += strikes
  figures.kills += kills
  figures.operations += ok + fail + info
  const broken = (checks ?? []).filter(({ holds }) => !holds).map(({ name }) => name)
  return [
    `${verdict}: ${String(strikes)} strikes, ${String(ok + fail + info)} operations`,
    ...(kills === 0 ? [] : [`${String(kills)} kills`]),
    ...(why === undefined ? [] : [why.split('\n', 1)[0] ?? '']),
    ...(broken.length === 0 ? [] : [`broken: ${broken.join(', ')}`]),
  ].join(', ')
}

interface MutantLine {
  /** Of the last line alone, which sums up what the others said. */
  readonly summary?: { readonly cutShort: readonly string[] }
  readonly name: string
  readonly scenarios: readonly number[]
  readonly seed: number | null
}

export const readMutant: Reader = (line, figures) => {
  const { summary, name, scenarios, seed } = JSON.parse(line) as MutantLine
  if (summary === undefined) {
    figures.mutants += 1
    if (scenarios.length === 0 && seed === null) figures.surviving.push(name)
  }
  const caught = figures.mutants - figures.surviving.length
  const cutShort = summary?.cutShort.length ?? 0
  const short = cutShort === 0 ? '' : `, the seeds of ${String(cutShort)} cut short`
  return `${String(caught)} of ${String(figures.mutants)} caught${short}`
}

export const readSearch: Reader = (line, figures) => {
  const { worlds, faults } = JSON.parse(line) as {
    readonly worlds: number
    readonly faults: number
  }
  figures.worlds += worlds
  return `${String(worlds)} worlds, ${String(faults)} faults found`
}

export const readDisks: Reader = (line, figures) => {
  const { points, failures } = JSON.parse(line) as {
    readonly points: number
    readonly failures: readonly string[]
  }
  figures.diskPoints += points
  return `${String(points)} points, ${String(failures.length)} failed`
}
