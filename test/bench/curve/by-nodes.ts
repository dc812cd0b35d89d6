/** Cost of a command by the number of nodes, all of them processes on this machine. */
import { startBenchCluster } from '../bench-cluster.js'
import { commit, measuredWindow } from './window.js'

export interface NodesPoint {
  readonly nodes: number
  readonly perSecond: number
  readonly leaderCpuMsEach: number
  /** Mean of the followers. */
  readonly followerCpuMsEach: number
  readonly allCpuMsEach: number
}

export async function curveByNodes(options: {
  readonly sizes: readonly number[]
  readonly warmUp: number
  readonly window: number
  readonly progress: (line: string) => void
}): Promise<readonly NodesPoint[]> {
  const found: NodesPoint[] = []
  for (const size of options.sizes) {
    options.progress(`${String(size)} nodes`)
    found.push(await pointOf(size, options))
  }
  return found
}

async function pointOf(
  nodes: number,
  { warmUp, window }: { readonly warmUp: number; readonly window: number },
): Promise<NodesPoint> {
  const cluster = await startBenchCluster(nodes)
  const client = cluster.connect()
  try {
    await commit(cluster, client, warmUp)
    const leader = await cluster.running.leader()
    const { perSecond, costs } = await measuredWindow(cluster, client, window)
    if ((await cluster.running.leader()) !== leader) {
      throw new Error(`the leader of ${String(nodes)} nodes changed while it was measured`)
    }
    const sum = (some: typeof costs) => some.reduce((total, { cpuMsEach }) => total + cpuMsEach, 0)
    const followers = costs.filter(({ id }) => id !== leader)
    return {
      ...{ nodes, perSecond },
      leaderCpuMsEach: sum(costs) - sum(followers),
      followerCpuMsEach: sum(followers) / followers.length,
      allCpuMsEach: sum(costs),
    }
  } finally {
    client.close()
    await cluster.remove()
  }
}
