/**
 * Cost of a command by the number of entries that were applied before it. One node process is the
 * whole cluster: its raft, log, state machine and stores do for each entry what they do on each node
 * of a larger one, and a million entries are there in minutes.
 */
import path from 'node:path'
import { startBenchCluster } from '../bench-cluster.js'
import { residentMiB } from '../cost.js'
import { diskMiB } from '../disk-use.js'
import { commit, measuredWindow } from './window.js'

export interface EntriesPoint {
  readonly entries: number
  readonly cpuMsEach: number
  readonly perSecond: number
  readonly memoryMiB: number
  readonly logMiB: number
  readonly stateMiB: number
  readonly snapshotsMiB: number
}

const points = [1_000, 10_000, 100_000, 1_000_000]

export async function curveByEntries(options: {
  /** The last point is the largest one up to here. */
  readonly entriesMax: number
  /** Commands that are measured at each point, after it. */
  readonly window: number
  readonly progress: (line: string) => void
}): Promise<readonly EntriesPoint[]> {
  const cluster = await startBenchCluster(1)
  const client = cluster.connect()
  const [node] = cluster.running.nodes
  if (node === undefined) throw new Error('the cluster has no node')
  const data = path.join(path.dirname(node.config), 'data')
  const found: EntriesPoint[] = []
  let written = 0
  try {
    for (const entries of points.filter((point) => point <= options.entriesMax)) {
      while (written < entries) {
        options.progress(`${String(written)} of ${String(entries)} entries`)
        const count = Math.min(10_000, entries - written)
        await commit(cluster, client, count)
        written += count
      }
      const { perSecond, costs } = await measuredWindow(cluster, client, options.window)
      written += options.window
      found.push({
        ...{ entries, perSecond, cpuMsEach: costs[0]?.cpuMsEach ?? Number.NaN },
        memoryMiB: residentMiB(node.pid ?? 0),
        logMiB: await diskMiB(path.join(data, 'raft')),
        stateMiB: await diskMiB(path.join(data, 'state')),
        snapshotsMiB: await diskMiB(path.join(data, 'snapshots')),
      })
    }
    return found
  } finally {
    client.close()
    await cluster.remove()
  }
}
