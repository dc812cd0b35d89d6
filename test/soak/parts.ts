/** The parts of a soak, each a program of its own, scaled to the minutes that it may take. */
import { nemesisNames } from '../../cluster/chaos/nemeses/index.js'
import {
  readChaos,
  readDisks,
  readMutant,
  readSearch,
  readSimulation,
  type Reader,
} from './figures.js'

export interface Part {
  readonly name: string
  readonly program: string
  readonly parameters: readonly string[]
  readonly limitSeconds: number
  readonly read: Reader
}

/** What an hour is to reach; less time, less of it. */
export const hourGoals = {
  seeds: 7200,
  faults: 216_000,
  nemeses: 12,
  operations: 100_000,
} as const

/** Shares of the time. The other parts are bounded by their work. */
const coreShare = 0.6
const clusterShare = 0.2
/** The rest of the seeds are the cluster level's, which are slower and see more of the program. */
const clusterSeedsAnHour = 600
const worldsAMinute = 10_000
const slackSeconds = 120
/** From here on all mutants, below it the ten of every merge. */
const allMutantsMinutes = 10

export interface SoakOptions {
  readonly minutes: number
  /** Of all parts. */
  readonly seed: number
  /** Another version's `dist/`, for mixed-version; else the chaos program builds an older commit. */
  readonly otherBuild: string | undefined
  /** Also the page of the mutants, when all of them are hunted. */
  readonly writesDocs: boolean
  /** Words that names of the parts begin with; none: all. */
  readonly only: readonly string[]
}

export function partsOf(options: SoakOptions): readonly Part[] {
  const { only } = options
  const all = [
    simulation('core', options),
    simulation('cluster', options),
    ...chaos(options),
    mutants(options),
    ...searches(options),
    ...disks(options),
  ]
  return all.filter(({ name }) => only.length === 0 || only.some((word) => name.startsWith(word)))
}

const scaled = (anHour: number, minutes: number) => Math.max(1, Math.round((anHour * minutes) / 60))

function simulation(level: 'core' | 'cluster', { minutes, seed }: SoakOptions): Part {
  const anHour = level === 'core' ? hourGoals.seeds : clusterSeedsAnHour
  const share = minutes * (level === 'core' ? coreShare : clusterShare)
  return {
    name: `simulate ${level}`,
    program: 'test/simulation/main.js',
    parameters: [
      ...['--level', level, '--seed', String(seed), '--json'],
      ...['--seeds', String(scaled(anHour, minutes)), '--minutes', String(share)],
    ],
    // A seed that has been started ends, and a failed one is shrunk.
    limitSeconds: Math.ceil(share * 60) + 3 * slackSeconds,
    read: readSimulation,
  }
}

function chaos({ minutes, seed, otherBuild }: SoakOptions): Part[] {
  const seconds = Math.max(3, Math.round(minutes))
  return nemesisNames.map((name) => ({
    name: `chaos ${name}`,
    program: 'cluster/chaos.js',
    parameters: [
      ...['--nemesis', name, '--seconds', String(seconds), '--seed', String(seed), '--json'],
      ...(otherBuild === undefined ? [] : ['--other-build', otherBuild]),
    ],
    limitSeconds: 2 * seconds + 2 * slackSeconds,
    read: readChaos,
  }))
}

function mutants({ minutes, writesDocs }: SoakOptions): Part {
  const isAll = minutes >= allMutantsMinutes
  return {
    name: 'mutants',
    program: 'test/mutants/main.js',
    parameters: [
      '--json',
      ...(isAll ? [] : ['--ten', '--seeds', '0']),
      ...(isAll && writesDocs ? ['--write-docs'] : []),
    ],
    limitSeconds: Math.ceil(minutes * 60) + 5 * slackSeconds,
    read: readMutant,
  }
}

function searches({ minutes }: SoakOptions): Part[] {
  const worlds = String(Math.round(worldsAMinute * minutes))
  // Other bounds than those of every merge: more messages under way, and no crash.
  const bounds = ['--terms', '1', '--entries', '1', '--crashes', '0', '--messages', '2']
  const part = (name: string, parameters: readonly string[]): Part => ({
    name,
    program: 'test/formal/main.js',
    parameters: ['--json', ...parameters],
    limitSeconds: Math.ceil(minutes * 60) + slackSeconds,
    read: readSearch,
  })
  return [
    part('search', ['--worlds', worlds]),
    part('search to the end', ['--exhaust', '--beginning', 'rest', ...bounds]),
  ]
}

/** The damage that disks do, point by point. */
function disks({ minutes }: SoakOptions): Part[] {
  return ['crash-points', 'corruption-sweep'].map((name) => ({
    name,
    program: `test/storage/${name}-main.js`,
    parameters: ['--json'],
    limitSeconds: Math.ceil(minutes * 60) + 5 * slackSeconds,
    read: readDisks,
  }))
}
