/** Who this node is: a node of genesis, or one that the cluster takes in later. */
import type { Genesis } from '../approval/index.js'
import type { NodeConfig } from '../config/index.js'
import { CountersignError } from '../errors.js'
import { decodePublicKey, type Signer } from '../signing/index.js'
import { readKeyFile } from '../signing/key-file.js'
import type { PeerMember } from './ports.js'

export interface Self {
  readonly id: string
  readonly incarnation: string
  /** SPKI DER in base64; null when nobody has told this node its own key. */
  readonly nodeKey: string | null
}

/** Throws CONFIG_INVALID when nothing says who the node is. */
export function findSelf(genesis: Genesis, config: NodeConfig): Self {
  const founder = genesis.nodes.find(({ id }) => id === config.nodeId)
  if (founder !== undefined) return founder
  if (config.join && config.incarnation !== undefined) {
    const told = config.members.find(({ id }) => id === config.nodeId)
    const { nodeId: id, incarnation } = config
    return { id, incarnation, nodeKey: told?.nodeKey ?? null }
  }
  const founders = genesis.nodes.map(({ id }) => id)
  throw new CountersignError(
    'CONFIG_INVALID',
    `\`nodeId\` is ${config.nodeId}, and the nodes of genesis are ${founders.join(', ')}. ` +
      'A node that is added later has `join` and `incarnation` in its configuration (`countersign node add`).',
    { details: { key: 'nodeId', founders } },
  )
}

/** Throws KEY_FILE when the file holds another key than the one the cluster knows. */
export async function readNodeKey(file: string, self: Self): Promise<Signer> {
  const signer = await readKeyFile(file)
  if (self.nodeKey === null) return signer
  const expected = decodePublicKey(self.nodeKey)
  if (expected.kind === 'ok' && expected.keyId === signer.keyId) return signer
  throw new CountersignError(
    'KEY_FILE',
    `${file} is not the node key that the cluster knows of ${self.id}.`,
    { details: { file } },
  )
}

/** Everybody whom genesis and the node's own configuration name. */
export function knownMembers(genesis: Genesis, config: NodeConfig): readonly PeerMember[] {
  const all = [...genesis.nodes, ...config.members].map(({ id, address, incarnation }) => ({
    id,
    address: config.peers[id] ?? address,
    incarnation,
  }))
  return [...new Map(all.map((member) => [member.id, member])).values()]
}
