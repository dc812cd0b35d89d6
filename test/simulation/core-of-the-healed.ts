/**
 * Which nodes stay dead in the liveness phase: any, as long as the rest has a majority of every
 * configuration that may still count, those of tails that were never committed and of entries on their
 * way among them.
 */
import { configurationOf, decodeConfiguration, type Configuration } from '../../src/raft/index.js'
import { isQuorum } from './log-view.js'
import type { Oracles } from './oracles.js'
import type { SeededRandom } from './random.js'

type Seen = Pick<Oracles, 'committed' | 'uncommittedConfigurations'>

/** Of the committed entries; empty voters when the founding configuration is still in force. */
export function lastCommitted({ committed }: Pick<Seen, 'committed'>): Configuration {
  const last = committed.findLast(({ entry }) => entry.kind === 'configuration')
  const decoded = last === undefined ? null : decodeConfiguration(last.entry.payload)
  return decoded ?? configurationOf([])
}

/** `configurations`: what a node goes by, in memory and on its disk. */
export interface CountingNode {
  readonly id: string
  readonly configurations: readonly Configuration[]
}

/** Have those that are well a majority of every configuration that may still count? */
export function isServable(
  nodes: readonly CountingNode[],
  seen: Seen,
  isWell: (id: string) => boolean,
  wanted: readonly Configuration[] = [],
): boolean {
  const counting = [
    ...nodes.flatMap((node) => node.configurations),
    ...seen.uncommittedConfigurations(),
    ...wanted,
    lastCommitted(seen),
  ]
  return counting
    .flatMap((configuration) =>
      configuration.target === null
        ? [configuration]
        : [configuration, configurationOf(configuration.target)],
    )
    .every((configuration) => isQuorum(configuration, isWell))
}

/**
 * `lost`: those that count as dead already. `wanted`: what the cluster may still be told to turn
 * into, and is not in any log yet.
 */
export function chooseFrozen(
  nodes: readonly CountingNode[],
  seen: Seen,
  random: SeededRandom,
  {
    lost = new Set(),
    wanted = [],
  }: { readonly lost?: ReadonlySet<string>; readonly wanted?: readonly Configuration[] } = {},
): ReadonlySet<string> {
  const frozen = new Set<string>()
  for (const { id } of random.sample(nodes, random.int(0, nodes.length))) {
    if (lost.has(id)) continue
    frozen.add(id)
    const isWell = (other: string): boolean => !frozen.has(other) && !lost.has(other)
    if (!isServable(nodes, seen, isWell, wanted)) frozen.delete(id)
  }
  return frozen
}
