/** How long nobody can commit when the leader is gone: from the signal to the next commit. */
import type { CountersignClient } from '../../src/client/index.js'
import type { BenchCluster } from './bench-cluster.js'
import { freshPath, proposal, withdrawal } from './messages.js'

export type Loss =
  /** SIGKILL: its ports refuse at once, which starts the survivors' pre-vote. */
  | 'killed'
  /** SIGSTOP: like a frozen or unplugged host it refuses nothing, so the election timeout decides. */
  | 'frozen'

/** Milliseconds of each trial. Between trials the lost node comes back and catches up. */
export async function failoverTimes(
  cluster: BenchCluster,
  client: CountersignClient,
  options: {
    readonly loss: Loss
    readonly trials: number
    readonly progress: (done: number) => void
  },
): Promise<readonly number[]> {
  const times: number[] = []
  for (let trial = 1; trial <= options.trials; trial++) {
    times.push(await oneTrial(cluster, client, options.loss))
    options.progress(trial)
  }
  return times
}

async function oneTrial(
  cluster: BenchCluster,
  client: CountersignClient,
  loss: Loss,
): Promise<number> {
  const next = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
  const before = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
  // Warms the connection to the leader, as a client in use has it.
  await client.propose(before.message)
  await client.withdraw(withdrawal(cluster, before))
  const leaderId = await cluster.running.leader()
  if (leaderId === undefined) throw new Error('the cluster has no leader')
  const leader = cluster.running.node(leaderId)
  const begin = performance.now()
  const ended = loss === 'killed' ? leader.kill() : undefined
  if (loss !== 'killed') leader.freeze()
  await client.propose(next.message, { deadlineMs: 60_000 })
  const tookMs = performance.now() - begin
  await ended
  if (loss === 'killed') leader.start()
  else leader.thaw()
  await Promise.all(cluster.running.nodes.map((node) => node.ready()))
  await client.withdraw(withdrawal(cluster, next))
  return tookMs
}
