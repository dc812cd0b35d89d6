/** Reads the material that `countersign init` made: what a client needs to know of its cluster. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { decodeGenesis, type Genesis } from '../approval/index.js'
import { CountersignError } from '../errors.js'
import { badInput } from './failures.js'

export interface ClusterNode {
  readonly id: string
  /** host:port that clients dial. */
  readonly client: string
  /** host:port of the status endpoint. */
  readonly status: string
  /** `true`: added after the founding, so it may not be a member yet. */
  readonly joined?: true
}

/** cluster.json, as it is written. */
export interface ClusterFile {
  readonly format: 1
  readonly clusterId: string
  readonly name: string
  readonly ca: string
  readonly nodes: readonly ClusterNode[]
}

export interface ClusterDirectory {
  readonly directory: string
  readonly clusterId: string
  readonly name: string
  /** PEM. */
  readonly ca: string
  readonly nodes: readonly ClusterNode[]
  readonly genesis: Genesis
}

export async function readClusterDirectory(directory: string): Promise<ClusterDirectory> {
  const file = path.join(directory, 'cluster.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw readFailure(file, error)
    throw badInput(
      `There is no cluster material in ${directory}.`,
      'Make it with `countersign init --example`, or say where it is with --dir.',
    )
  }
  const cluster = decodeClusterFile(text, file)
  const genesisFile = path.join(directory, 'genesis.json')
  const [ca, bytes] = await Promise.all([
    readFile(path.resolve(directory, cluster.ca), 'utf8'),
    readFile(genesisFile),
  ]).catch((error: unknown) => {
    throw readFailure(directory, error)
  })
  const decoded = decodeGenesis(bytes)
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  if (decoded.clusterId !== cluster.clusterId) {
    throw badInput(
      `${file} names another cluster than ${genesisFile}.`,
      'Take both files from the same `countersign init`.',
    )
  }
  return {
    directory,
    clusterId: decoded.clusterId,
    name: cluster.name,
    ca,
    nodes: cluster.nodes,
    genesis: decoded.genesis,
  }
}

function decodeClusterFile(text: string, file: string): ClusterFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badInput(`${file} is not JSON.`)
  }
  if (!isClusterFile(value)) throw badInput(`${file} is not a cluster file of format 1.`)
  return value
}

function isClusterFile(value: unknown): value is ClusterFile {
  if (typeof value !== 'object' || value === null) return false
  const file = value as Partial<Record<keyof ClusterFile, unknown>>
  return (
    file.format === 1 &&
    typeof file.clusterId === 'string' &&
    typeof file.name === 'string' &&
    typeof file.ca === 'string' &&
    Array.isArray(file.nodes) &&
    file.nodes.every(isClusterNode)
  )
}

function isClusterNode(value: unknown): value is ClusterNode {
  if (typeof value !== 'object' || value === null) return false
  const node = value as Partial<Record<keyof ClusterNode, unknown>>
  return [node.id, node.client, node.status].every((field) => typeof field === 'string')
}

export function readFailure(file: string, error: unknown): CountersignError {
  const reason = error instanceof Error ? error.message : String(error)
  return new CountersignError('INPUT_INVALID', `${file} cannot be read: ${reason}`, {
    cause: error,
    details: { next: 'Check the path and the permissions.' },
  })
}
