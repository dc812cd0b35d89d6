/**
 * One seed gives every parameter of a run of whole clusters. Swarm testing (Groce et al., ISSTA
 * 2012): each seed switches whole classes of faults off, since faults of one class can hide bugs of
 * another. Half the seeds have no storage faults, one in ten has no faults at all.
 */
import { SeededRandom } from '../random.js'
import type { DiskOptions } from './sim-disk.js'
import type { LinkOptions } from './endpoint.js'

/** Ways to break the world on purpose, to see the oracles catch it. */
export type ClusterMutant =
  | 'log writes are confirmed before they are durable'
  | 'reads are answered from the local state'
  | 'a verifier that accepts everything'
  | 'a watcher loses a batch'
  | 'one node judges signatures differently'
  | 'a damaged log is cut where the damage begins'
  | 'anybody may say who it is'
  | 'a level is raised whoever knows it'

export interface ClusterOptions extends DiskOptions, Omit<LinkOptions, 'checksIdentity'> {
  readonly seed: number
  readonly nodes: number
  readonly faultyMs: number
  readonly mutant: ClusterMutant | null
  /** Ed25519 for people too, instead of the stub. */
  readonly realSignatures: boolean
  readonly tickMs: number
  readonly heartbeatTicks: number
  readonly electionTicksMin: number
  readonly electionTicksMax: number
  /** Small windows and limits, so that flow control takes part. */
  readonly tightLimits: boolean

  /** Mean time between faults of each class; 0: the class is off. */
  readonly crashEveryMs: number
  readonly powerCutEveryMs: number
  readonly strikeLeaderEveryMs: number
  readonly partitionEveryMs: number
  readonly asymmetric: boolean
  /** A path that opens and closes in quick turns. */
  readonly flapEveryMs: number
  readonly stallEveryMs: number
  readonly slowDiskEveryMs: number
  readonly syncErrorEveryMs: number
  readonly diskFullEveryMs: number
  readonly clockJumpEveryMs: number
  /** Logs and snapshots of a minority rot at rest. Not while the nodes change: see below. */
  readonly rotEveryMs: number
  /** A node comes back under its id with an empty disk, and is never let in again. */
  readonly replaceDiskEveryMs: number
  /** The cluster was founded at feature level 1, and its programs are upgraded one by one. */
  readonly upgradeEveryMs: number
  /** Rates of monotonic clocks differ by up to this part. */
  readonly clockDrift: number
  /** Wall clocks differ by up to this much. */
  readonly clockSkewMs: number

  /** Mean time between governed changes of the nodes; 0: the cluster stays as it was founded. */
  readonly membershipEveryMs: number
  /** Applied entries between two snapshots. */
  readonly snapshotEveryEntries: number
  /** Entries that the log keeps behind a snapshot. */
  readonly keptEntries: number

  /** Rare paths at the node's ports are switched on (rare-paths.ts). */
  readonly rarePaths: boolean

  readonly clients: number
  readonly watchers: number
  readonly thinkMs: number
  readonly keys: number
  /** Part of the messages whose signature is spoilt: they must never count. */
  readonly forgedChance: number
  /** Part of the requests that are sent again although they were answered. */
  readonly repeatChance: number
}

export function clusterOptionsFromSeed(
  seed: number,
  change: Partial<ClusterOptions> = {},
): ClusterOptions {
  const random = new SeededRandom(seed)
  const calm = random.chance(0.1)
  const withStorageFaults = random.chance(0.5) && !calm
  const on = (chance: number, min: number, max: number): number => {
    const drawn = random.between(min, max)
    return random.chance(chance) && !calm ? drawn : 0
  }
  const onDisk = (chance: number, min: number, max: number): number => {
    const drawn = on(chance, min, max)
    return withStorageFaults ? drawn : 0
  }
  const rotEveryMs = onDisk(0.5, 2_000, 10_000)
  const replaceDiskEveryMs = onDisk(0.3, 5_000, 20_000)
  // Of a node that waits for its repair the cluster must not be made to depend: that an operator
  // removes the healthy ones meanwhile is beyond what any repair can help.
  const membershipChance = rotEveryMs + replaceDiskEveryMs > 0 ? 0 : 0.6
  return {
    seed,
    nodes: random.pick([1, 3, 3, 3, 3, 5, 5, 5, 7]),
    faultyMs: 30_000,
    mutant: null,
    realSignatures: random.chance(0.1),
    ...random.pick([
      { tickMs: 50, heartbeatTicks: 2, electionTicksMin: 20, electionTicksMax: 40 },
      { tickMs: 25, heartbeatTicks: 4, electionTicksMin: 40, electionTicksMax: 80 },
      { tickMs: 50, heartbeatTicks: 3, electionTicksMin: 12, electionTicksMax: 24 },
    ]),
    tightLimits: random.chance(0.3),
    diskMeanMs: random.between(0.1, 8),
    unsyncedSurvivesChance: random.pick([0, 0.5, 1]),
    delayMinMs: random.between(0, 5),
    delayMeanMs: calm ? random.between(0.5, 10) : random.between(0.5, 40),
    dropChance: on(0.5, 0, 0.2),
    duplicateChance: on(0.5, 0, 0.3),
    reorderChance: on(0.5, 0, 0.2),
    refusedRedials: random.chance(0.7),
    crashEveryMs: on(0.5, 2_000, 10_000),
    powerCutEveryMs: onDisk(0.7, 3_000, 12_000),
    strikeLeaderEveryMs: on(0.4, 1_500, 8_000),
    partitionEveryMs: on(0.5, 2_000, 8_000),
    asymmetric: random.chance(0.5),
    flapEveryMs: on(0.3, 2_000, 10_000),
    stallEveryMs: on(0.4, 1_500, 8_000),
    slowDiskEveryMs: onDisk(0.5, 2_000, 10_000),
    syncErrorEveryMs: onDisk(0.5, 3_000, 12_000),
    diskFullEveryMs: onDisk(0.4, 4_000, 15_000),
    clockJumpEveryMs: on(0.4, 2_000, 10_000),
    clockDrift: calm ? 0 : random.pick([0, 0.01, 0.1]),
    clockSkewMs: calm ? 0 : random.pick([0, 50, 2_000]),
    rotEveryMs,
    replaceDiskEveryMs,
    upgradeEveryMs: on(0.3, 1_000, 6_000),
    membershipEveryMs: on(membershipChance, 500, 5_000),
    snapshotEveryEntries: random.chance(0.7) ? random.int(10, 100) : Number.MAX_SAFE_INTEGER,
    keptEntries: random.pick([0, 0, 10, 50]),
    rarePaths: random.chance(0.7) && !calm,
    clients: random.int(1, 4),
    watchers: random.int(0, 4),
    thinkMs: random.pick([20, 300, 1_000]),
    keys: random.int(1, 8),
    forgedChance: random.pick([0, 0.05]),
    repeatChance: random.pick([0, 0.1, 0.5]),
    ...change,
  }
}
