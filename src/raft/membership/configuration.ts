/** Configurations as values: who is in them, and which majorities they ask for. */
import { logIndex, term, type Configuration, type LogAnchor, type NodeId } from '../types.js'
import type { SnapshotMeta } from '../types.js'

/** The position before the first entry of a log that was never cut. */
export const origin: LogAnchor = { index: logIndex(0), term: term(0) }

export function configurationOf(
  voters: readonly NodeId[],
  learners: readonly NodeId[] = [],
): Configuration {
  return { voters: sorted(voters), outgoing: [], learners: sorted(learners), target: null }
}

/** Genesis is the snapshot at index 0: its voters are the first configuration. */
export function foundingSnapshot(
  voters: readonly NodeId[],
  learners: readonly NodeId[] = [],
): SnapshotMeta {
  return {
    ...origin,
    configuration: configurationOf(voters, learners),
    configurationIndex: logIndex(0),
  }
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0
}

/** Every voter of either half, each once. */
export const votersOf = remembered(({ voters, outgoing }) => union(voters, outgoing))

/** Everybody who receives the log. */
export const membersOf = remembered((configuration) =>
  union(votersOf(configuration), configuration.learners),
)

/** Is this node a voter of either half? */
export function votesIn(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.outgoing.includes(id)
}

/**
 * What every configuration in a log keeps to: a voter at least, sorted lists that name an id once,
 * no learner that stays a voter, and a plan only of a configuration that is not joint.
 */
export const isSound = remembered(({ voters, outgoing, learners, target }) => {
  if (voters.length === 0 || ![voters, outgoing, learners, target ?? []].every(isSorted)) {
    return false
  }
  const members = [...voters, ...learners]
  const plans = target === null || (target.length > 0 && outgoing.length === 0)
  return (
    plans &&
    !learners.some((id) => voters.includes(id) && (target === null || target.includes(id))) &&
    (target === null || target.every((id) => members.includes(id)))
  )
})

export function areEqual(one: Configuration, other: Configuration): boolean {
  const listsOf = ({ voters, outgoing, learners, target }: Configuration) =>
    JSON.stringify([voters, outgoing, learners, target])
  return listsOf(one) === listsOf(other)
}

export function sorted(ids: readonly NodeId[]): readonly NodeId[] {
  return [...ids].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function union(one: readonly NodeId[], other: readonly NodeId[]): readonly NodeId[] {
  return sorted([...new Set([...one, ...other])])
}

/** Asked with every message, and never another answer: a configuration does not change. */
function remembered<T>(
  compute: (configuration: Configuration) => T,
): (configuration: Configuration) => T {
  const known = new WeakMap<Configuration, { readonly value: T }>()
  return (configuration) => {
    let found = known.get(configuration)
    if (found === undefined) {
      found = { value: compute(configuration) }
      known.set(configuration, found)
    }
    return found.value
  }
}

/** In rising order, and so without a repetition. */
function isSorted(ids: readonly NodeId[]): boolean {
  return ids.every((id, at) => at === 0 || (ids[at - 1] ?? '') < id)
}
