/** What a node may hold: log entries by its settings, memory by what it held at the beginning. */
import { raftSettings, type Arena } from './arena.js'
import type { Check } from './check.js'
import { residentMiB, type NodeView } from './node-views.js'

/**
 * A snapshot is due after `snapshotEntries`, and the log behind it keeps `keptEntries`; while it is
 * written, and until the next one is, as many may come again.
 */
const { snapshotEntries, keptEntries } = raftSettings
const heldEntriesMax = 3 * snapshotEntries + keptEntries

/** Caches, state and garbage between two collections; a leak of a kilobyte an operation is more. */
const growthMaxMiB = 200

/** Resident memory by node id in MiB; empty where it cannot be told. */
export async function memoryOf(arena: Arena): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>()
  for (const { id, pid } of arena.nodes) {
    const mebibytes = await residentMiB(pid)
    if (mebibytes !== undefined) known.set(id, mebibytes)
  }
  return known
}

export function logBound(views: readonly NodeView[]): Check {
  const held = Math.max(
    ...views.map(({ lastIndex, firstIndex }) => lastIndex - (firstIndex ?? 1) + 1),
  )
  const last = Math.max(...views.map(({ lastIndex }) => lastIndex))
  return {
    name: 'log is bounded',
    holds: held <= heldEntriesMax,
    fact: `at most ${String(held)} of ${String(last)} entries held, ${String(heldEntriesMax)} allowed`,
  }
}

export async function memoryBound(
  arena: Arena,
  before: ReadonlyMap<string, number>,
): Promise<Check> {
  const now = await memoryOf(arena)
  // A young process says little: what any node had at the beginning is the measure.
  const allowed = Math.max(0, ...before.values()) + growthMaxMiB
  const most = Math.max(0, ...now.values())
  return {
    name: 'memory is bounded',
    holds: most <= allowed || before.size === 0,
    fact:
      before.size === 0
        ? 'not known here'
        : `at most ${String(most)} MiB resident, ${String(allowed)} allowed`,
  }
}
