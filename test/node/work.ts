/** Everyday work on a cluster in one process. */
import { command, type InProcessCluster } from './in-process-cluster.js'

/** Activates `count` changes: `/prod/key-N` = N, from `first` on. */
export async function write(
  cluster: InProcessCluster,
  first: number,
  count: number,
): Promise<void> {
  for (let at = first; at < first + count; at += 1) {
    const leader = await cluster.leader()
    const { changeId, message } = cluster.propose('alice', `/prod/key-${String(at)}`, at)
    await leader.submit(command(message))
    await leader.submit(command(await cluster.approve('bob', changeId, leader)))
    await leader.submit(command(await cluster.approve('carol', changeId, leader)))
  }
}

/** One applied index and one state on every running node. */
export function allAgree(cluster: InProcessCluster): boolean {
  const all = [...cluster.running.values()].map((node) => node.status())
  const states = all.map(({ machine }) => `${String(machine.appliedIndex)} ${machine.stateDigest}`)
  return new Set(states).size === 1
}
