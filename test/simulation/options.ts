/**
 * One seed gives every parameter of a run. Swarm testing (Groce et al., ISSTA 2012): each seed
 * switches whole classes of faults off, since faults of one class can hide bugs of another.
 */
import { SeededRandom } from './random.js'

/** Ways to break the world on purpose, to see the oracles catch it. */
export type Mutant =
  | 'disk forgets synced votes'
  | 'disk loses synced entries'
  | 'replies leave before the disk'
  | 'reads are answered at once'
  | 'network grants refused votes'
  | 'network alters entries'
  | 'acknowledged before committed'

export interface SimulationOptions {
  readonly seed: number
  readonly nodes: number
  readonly faultyMs: number
  readonly mutant: Mutant | null

  readonly delayMinMs: number
  readonly delayMeanMs: number
  readonly dropChance: number
  readonly duplicateChance: number
  /** A message may be overtaken: an extra delay for some. */
  readonly reorderChance: number

  /** Mean time between faults of each class; 0: the class is off. */
  readonly partitionEveryMs: number
  readonly asymmetric: boolean
  readonly crashEveryMs: number
  readonly powerCutEveryMs: number
  readonly refusedRedials: boolean
  readonly falseAlarmEveryMs: number
  readonly reconnectEveryMs: number
  readonly stallEveryMs: number
  readonly slowDiskEveryMs: number
  readonly transferEveryMs: number
  /** Crashes or cuts off whoever leads: logs diverge, and old terms leave tails behind. */
  readonly strikeLeaderEveryMs: number
  readonly distrustEveryMs: number
  /** Other voters and learners are asked for; `spares` nodes wait to be admitted. */
  readonly membershipEveryMs: number
  readonly spares: number
  /** Applied entries between two snapshots; 0: the log is never cut. */
  readonly snapshotEveryEntries: number
  readonly keptEntries: number

  readonly diskMeanMs: number
  /** A write under way at a crash may be on the disk all the same. */
  readonly unsyncedSurvivesChance: number
  readonly clockDrift: number

  readonly clients: number
  readonly thinkMs: number
  readonly keys: number
  /** Small windows and limits, so that flow control takes part. */
  readonly tightLimits: boolean
}

export function optionsFromSeed(
  seed: number,
  change: Partial<SimulationOptions> = {},
): SimulationOptions {
  const random = new SeededRandom(seed)
  const calm = random.chance(0.1)
  const on = (chance: number, min: number, max: number): number => {
    const drawn = random.between(min, max)
    return random.chance(chance) && !calm ? drawn : 0
  }
  // A small window is a slow link: a lone voter under more load would leave its learners behind for
  // longer than the liveness phase lasts.
  const tightLimits = random.chance(0.4)
  return {
    seed,
    nodes: random.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 5, 7]),
    faultyMs: 25_000,
    mutant: null,
    delayMinMs: random.between(0, 10),
    delayMeanMs: random.between(0.5, 60),
    dropChance: on(0.5, 0, 0.3),
    duplicateChance: on(0.5, 0, 0.3),
    reorderChance: on(0.5, 0, 0.3),
    partitionEveryMs: on(0.6, 1_000, 6_000),
    asymmetric: random.chance(0.5),
    crashEveryMs: on(0.6, 1_000, 6_000),
    powerCutEveryMs: on(0.3, 4_000, 12_000),
    refusedRedials: random.chance(0.7),
    falseAlarmEveryMs: on(0.3, 200, 3_000),
    reconnectEveryMs: on(0.4, 200, 3_000),
    stallEveryMs: on(0.4, 1_000, 6_000),
    slowDiskEveryMs: on(0.4, 2_000, 8_000),
    transferEveryMs: on(0.4, 500, 4_000),
    distrustEveryMs: on(0.3, 1_000, 6_000),
    diskMeanMs: random.between(0.1, 8),
    unsyncedSurvivesChance: random.pick([0, 0.5, 1]),
    clockDrift: random.pick([0, 0.05, 0.2]),
    clients: random.int(1, 6),
    thinkMs: random.pick(tightLimits ? [100, 300] : [0, 5, 50]),
    keys: random.int(1, 4),
    tightLimits,
    strikeLeaderEveryMs: on(0.4, 300, 3_000),
    membershipEveryMs: on(0.4, 500, 5_000),
    spares: random.int(0, 3),
    snapshotEveryEntries: random.chance(0.6) ? random.int(5, 60) : 0,
    keptEntries: random.pick([0, 0, 5, 50]),
    ...change,
  }
}
