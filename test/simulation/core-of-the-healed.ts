/**
 * Which nodes stay dead in the liveness phase: any, as long as the rest has a majority of every
 * configuration that may still count, those of tails that were never committed among them.
 */
import { configurationOf, decodeConfiguration, type Configuration } from '../../src/raft/index.js'
import { isQuorum } from './log-view.js'
import type { Oracles } from './oracles.js'
import type { SeededRandom } from './random.js'

type CommittedEntries = Oracles['committed']

/** Of the committed entries; empty voters when the founding configuration is still in force. */
export function lastCommitted(committed: CommittedEntries): Configuration {
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
  committed: CommittedEntries,
  isWell: (id: string) => boolean,
): boolean {
  const counting = [...nodes.flatMap((node) => node.configurations), lastCommitted(committed)]
  return counting
    .flatMap((configuration) =>
      configuration.target === null
        ? [configuration]
        : [configuration, configurationOf(configuration.target)],
    )
    .every((configuration) => isQuorum(configuration, isWell))
}

/** `lost`: those that count as dead already. */
export function chooseFrozen(
  nodes: readonly CountingNode[],
  committed: CommittedEntries,
  random: SeededRandom,
  lost: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const frozen = new Set<string>()
  for (const { id } of random.sample(nodes, random.int(0, nodes.length))) {
    if (lost.has(id)) continue
    frozen.add(id)
    const isWell = (other: string): boolean => !frozen.has(other) && !lost.has(other)
    if (!isServable(nodes, committed, isWell)) frozen.delete(id)
  }
  return frozen
}
