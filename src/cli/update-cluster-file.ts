/** cluster.json after the founding: nodes come and go. Written beside and renamed into place. */
import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import type { ClusterFile, ClusterNode } from './cluster-directory.js'
import { syncFolder } from './founding/draft.js'

/** Adds the node, or replaces what stands there of it. */
export async function putClusterNode(directory: string, node: ClusterNode): Promise<void> {
  await update(directory, (nodes) => [...nodes.filter(({ id }) => id !== node.id), node])
}

/** Says whether the node stood there. */
export async function dropClusterNode(directory: string, id: string): Promise<boolean> {
  return update(directory, (nodes) => nodes.filter((node) => node.id !== id))
}

async function update(
  directory: string,
  change: (nodes: readonly ClusterNode[]) => readonly ClusterNode[],
): Promise<boolean> {
  const file = path.join(directory, 'cluster.json')
  const before = await readFile(file, 'utf8')
  const cluster = JSON.parse(before) as ClusterFile
  const nodes = change(cluster.nodes)
  const after = `${JSON.stringify({ ...cluster, nodes }, null, 2)}\n`
  if (after === before) return false
  const draft = `${file}.new`
  const handle = await open(draft, 'w', 0o644)
  try {
    await handle.writeFile(after)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
  await syncFolder(directory)
  return true
}
