/** A nemesis makes one kind of fault, again and again, while clients work. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Arena, Plan } from './arena.js'
import type { SeededRandom } from './seeded-random.js'

export interface Strike {
  readonly arena: Arena
  readonly random: SeededRandom
  /** How many strikes of this run came before. */
  readonly number: number
  /** Aborted when the time is over: leave the rest to the heal. */
  readonly signal: AbortSignal
  /** Options of the run, e.g. the folder of another build. */
  readonly settings: Settings
}

export interface Settings {
  /** Folder of another version's build (its `dist/`). */
  readonly otherBuild?: string
  /** Nodes of `power-cut` sync nothing: it must fail. */
  readonly withoutSync?: boolean
}

export interface Nemesis {
  readonly name: string
  readonly nodesMin: number
  /** One line for the list of nemeses. */
  readonly what: string
  /** What it needs beyond what was asked for, e.g. a build of an older commit. */
  readonly settle?: (settings: Settings) => Promise<Settings>
  /**
   * Before the nodes start. A sentence when this machine or this build cannot make the fault; then
   * the nemesis counts as not exercised.
   */
  readonly prepare?: (plan: Plan, settings: Settings) => Promise<string | undefined>
  /** Command line that founds the cluster; absent: that of this build. */
  readonly foundedBy?: (settings: Settings) => string | undefined
  /** One fault and, if it ends before the run does, its end. */
  readonly strike: (strike: Strike) => Promise<void>
}

/** Waits, but not beyond the end of the run. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

/** A minority of the nodes, at least one. */
export function minority({ arena, random }: Strike): readonly string[] {
  const { ids } = arena
  const most = Math.max(1, Math.floor((ids.length - 1) / 2))
  return random.shuffled(ids).slice(0, 1 + Math.floor(random.next() * most))
}
