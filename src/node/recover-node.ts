/**
 * Everything that a start reads from the disk, brought together: log, snapshot, state. What a crash
 * left between two stores is finished here, before the core sees any of it.
 */
import type { Genesis } from '../approval/index.js'
import type { Machine } from '../machine/index.js'
import {
  decodeConfiguration,
  foundingSnapshot,
  logIndex,
  type ConfigurationInForce,
  type Entry,
  type RaftOptions,
  type SnapshotMeta,
} from '../raft/index.js'
import type { LogStore, RecoveredLog, SnapshotStore, StateStore } from '../storage/index.js'
import { recoverState } from './recover-state.js'
import { metaOf } from './snapshot-maker.js'

export interface RecoveredNode {
  readonly machine: Machine
  /** Why the stored state was thrown away; null when it was used, or there was none. */
  readonly rebuilt: string | null
  /** The configuration that was committed last, as of the applied index. */
  readonly configuration: ConfigurationInForce
  readonly raft: Pick<RaftOptions, 'snapshot' | 'anchor' | 'hardState' | 'entries' | 'applied'>
}

/** Throws STORE_DAMAGED when the snapshot that the log rests on cannot be used. */
export async function recoverNode(options: {
  readonly genesis: Genesis
  readonly clusterId: string
  readonly logStore: LogStore
  readonly recovered: RecoveredLog
  readonly stateStore: StateStore
  readonly snapshotStore: SnapshotStore
}): Promise<RecoveredNode> {
  const { genesis, clusterId, logStore, stateStore, snapshotStore } = options
  const latest = snapshotStore.latest()
  const snapshot = latest === null ? foundingOf(genesis) : metaOf(latest)
  const log = await finishInstall(options.recovered, snapshot, logStore)
  const { machine, appliedIndex, rebuilt } = await recoverState({
    genesis,
    clusterId,
    stateStore,
    snapshotStore,
    firstIndex: log.anchor.index + 1,
    lastIndex: log.entries.at(-1)?.index ?? log.anchor.index,
  })
  const { anchor, hardState, entries } = log
  return {
    machine,
    rebuilt,
    configuration: configurationAt(appliedIndex, snapshot, entries),
    raft: { snapshot, anchor, hardState, entries, applied: logIndex(appliedIndex) },
  }
}

/** Genesis is the snapshot at index 0. */
export function foundingOf(genesis: Genesis): SnapshotMeta {
  const ids = (role: 'voter' | 'learner'): readonly string[] =>
    genesis.nodes.filter((node) => node.role === role).map(({ id }) => id)
  return foundingSnapshot(ids('voter'), ids('learner'))
}

/**
 * A snapshot of a peer stands in the store before the log is cut for it. When the process ended in
 * between, the cut is made now: the snapshot holds committed state only, whoever leads today.
 */
async function finishInstall(
  recovered: RecoveredLog,
  snapshot: SnapshotMeta,
  logStore: LogStore,
): Promise<RecoveredLog> {
  if (holds(recovered, snapshot)) return recovered
  const before = recovered.hardState
  const raised = snapshot.term > before.term
  const hardState = {
    term: raised ? snapshot.term : before.term,
    votedFor: raised ? null : before.votedFor,
    commit: logIndex(Math.max(before.commit, snapshot.index)),
  }
  await logStore.write({
    install: snapshot,
    purgeTo: null,
    hardState,
    truncateAfter: null,
    entries: [],
  })
  const anchor = { index: snapshot.index, term: snapshot.term }
  return { ...recovered, hardState, anchor, entries: [] }
}

function holds({ anchor, entries }: RecoveredLog, { index, term: at }: SnapshotMeta): boolean {
  if (index <= anchor.index) return true
  return entries[index - anchor.index - 1]?.term === at
}

/** The latest configuration entry at or below an applied index, else that of the snapshot. */
function configurationAt(
  appliedIndex: number,
  snapshot: SnapshotMeta,
  entries: readonly Entry[],
): ConfigurationInForce {
  const entry = entries.findLast(
    ({ kind, index }) =>
      kind === 'configuration' && index <= appliedIndex && index > snapshot.configurationIndex,
  )
  const configuration = entry === undefined ? null : decodeConfiguration(entry.payload)
  if (entry !== undefined && configuration !== null) return { configuration, index: entry.index }
  return { configuration: snapshot.configuration, index: snapshot.configurationIndex }
}
