/**
 * Rare paths by name, after FoundationDB's BUGGIFY: places where a legal but unlikely thing may
 * happen. Those of the node's own code are in src/node/rare-sites.ts; the others lie at its ports: a
 * reply lost, a part read short, a timer late. A seed switches each place on or off; one that is on
 * strikes now and then. The campaign counts them by name, and fails when one was never reached.
 */
import { rareSites } from '../../../src/node/rare-sites.js'
import type { SeededRandom } from '../random.js'

export const rarePaths = [
  ...rareSites,
  'peers: a heartbeat is lost',
  'peers: an append is lost',
  'peers: a vote is lost',
  'peers: a snapshot offer is lost',
  'peers: a TimeoutNow is lost',
  'peers: a reply is lost',
  'peers: a frame is split',
  'peers: a frame is sent twice',
  'peers: a request for a stamp is lost',
  'peers: a stamp is lost',
  'peers: members are told late',
  'peers: a fetch is refused',
  'peers: a fetch breaks off',
  'peers: a fetch is slow',
  'events: messages come one by one',
  'events: a message comes twice',
  'events: a connection is told twice',
  'events: a refusal is not heard',
  'events: a refusal is imagined',
  'events: a broken stream is not heard of',
  'events: a request for a stamp comes twice',
  'events: a stamp comes twice',
  'events: what a peer fetches is gone',
  'events: what a peer fetches ends early',
  'log: a write starts late',
  'log: a write is confirmed late',
  'log: a chain value comes late',
  'state: a write starts late',
  'state: a write ends late',
  'state: clearing takes long',
  'state: the applied point comes late',
  'state: records come slowly',
  'snapshots: a save starts late',
  'snapshots: a save is confirmed late',
  'snapshots: a read is short',
  'snapshots: a read finds nothing',
  'snapshots: records come slowly',
  'snapshots: a received part is stored late',
  'snapshots: a received one is confirmed late',
  'snapshots: old ones stay',
  'loop: a turn takes long',
  'clock: a timer is late',
] as const

export type RarePath = (typeof rarePaths)[number]

/** Should the rare thing happen here, now? */
export type Chance = (path: RarePath) => boolean

const onChance = 0.25
const strikeChance = 0.1

export class RarePaths {
  /** How often each was taken; those never taken are there with 0. */
  readonly taken: Record<RarePath, number>
  isOver = false
  private readonly on: ReadonlySet<RarePath>
  private readonly random: SeededRandom

  constructor(random: SeededRandom, enabled: boolean) {
    this.random = random
    this.on = new Set(enabled ? rarePaths.filter(() => random.chance(onChance)) : [])
    this.taken = Object.fromEntries(rarePaths.map((path) => [path, 0])) as Record<RarePath, number>
  }

  readonly chance: Chance = (path) => {
    if (this.isOver || !this.on.has(path) || !this.random.chance(strikeChance)) return false
    this.taken[path] += 1
    return true
  }
}
