/** What `countersign init` left in a cluster directory, as far as driving its nodes needs it. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface ClusterNode {
  readonly id: string
  /** `host:port` that clients dial. */
  readonly client: string
  /** `host:port` of the status endpoint. */
  readonly status: string
  /** The node's configuration file. */
  readonly config: string
  /** Added after the founding: it may still wait to be taken in. */
  readonly joined: boolean
}

export interface ClusterFile {
  readonly directory: string
  readonly clusterId: string
  readonly name: string
  /** PEM of the cluster's CA. */
  readonly ca: string
  readonly nodes: readonly ClusterNode[]
}

interface Stored {
  readonly format: number
  readonly clusterId: string
  readonly name: string
  readonly ca: string
  readonly nodes: readonly {
    readonly id: string
    readonly client: string
    readonly status: string
    readonly joined?: true
  }[]
}

/** Undefined when no cluster has been made there. */
export async function readClusterFile(directory: string): Promise<ClusterFile | undefined> {
  const text = await readFile(path.join(directory, 'cluster.json'), 'utf8').catch(
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    },
  )
  if (text === undefined) return undefined
  const stored = JSON.parse(text) as Stored
  if (stored.format !== 1) {
    throw new Error(`${directory}/cluster.json has format ${stored.format}; this version reads 1.`)
  }
  return {
    directory,
    clusterId: stored.clusterId,
    name: stored.name,
    ca: await readFile(path.join(directory, stored.ca), 'utf8'),
    nodes: stored.nodes.map(({ id, client, status, joined }) => ({
      ...{ id, client, status },
      config: path.join(directory, 'nodes', id, 'node.json'),
      joined: joined === true,
    })),
  }
}
