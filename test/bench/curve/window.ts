/** So many commands through a cluster, and what each node's process spent on one of them. */
import type { CountersignClient, SignedMessage } from '../../../src/client/index.js'
import type { BenchCluster } from '../bench-cluster.js'
import { cpuSeconds } from '../cost.js'
import { freshPath, proposal, withdrawal } from '../messages.js'

/** As many as a stream takes; half as many changes are open at a time. */
const inFlight = 256
/** What is prepared ahead must not itself fill the memory of this process. */
const portion = 5000

/** Proposes and withdraws in turn over one stream, until `count` more entries are committed. */
export async function commit(
  cluster: BenchCluster,
  client: CountersignClient,
  count: number,
): Promise<void> {
  for (let done = 0; done < count; done += portion) {
    await commitPortion(cluster, client, Math.min(portion, count - done))
  }
}

async function commitPortion(
  cluster: BenchCluster,
  client: CountersignClient,
  count: number,
): Promise<void> {
  const pairs = Array.from({ length: Math.ceil(count / 2) }, () => {
    const proposed = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
    return [proposed.message, withdrawal(cluster, proposed)] as const
  })
  const stream = client.proposeStream()
  const lane = async () => {
    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) await inTurn(pair)
  }
  const inTurn = async (pair: readonly SignedMessage[]) => {
    for (const message of pair) await stream.submit(message)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  await stream.end()
}

export interface NodeCost {
  readonly id: string
  /** Processor milliseconds of the node's process for one command. */
  readonly cpuMsEach: number
}

export interface Window {
  readonly perSecond: number
  readonly costs: readonly NodeCost[]
}

export async function measuredWindow(
  cluster: BenchCluster,
  client: CountersignClient,
  commands: number,
): Promise<Window> {
  const spent = () =>
    cluster.running.nodes.map(({ id, pid }) => ({ id, seconds: cpuSeconds(pid ?? 0) }))
  const before = spent()
  const begin = performance.now()
  await commit(cluster, client, commands)
  const seconds = (performance.now() - begin) / 1000
  const costs = spent().map((after, at) => ({
    id: after.id,
    cpuMsEach: ((after.seconds - (before[at]?.seconds ?? 0)) * 1000) / commands,
  }))
  return { perSecond: commands / seconds, costs }
}
