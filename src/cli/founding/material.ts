/**
 * Everything that a new cluster starts from, in one directory:
 *
 *   cluster.json genesis.json ca.pem ca.key.pem   what a client needs, and the CA
 *   people/<person>.key.pem                       keys of people (the example only)
 *   nodes/<id>/                                   one folder a node: configuration, keys, data
 *
 * It is written beside, synced, and renamed into place: an interrupted founding leaves nothing that
 * could be taken for a cluster. Folders of nodes may be placed elsewhere (volumes of containers).
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import path from 'node:path'
import {
  decodeGenesis,
  type Genesis,
  type GenesisNode,
  type PersonKey,
} from '../../approval/index.js'
import { CountersignError } from '../../errors.js'
import { encodeCanonical, toBase64, type Json, type Signer } from '../../signing/index.js'
import { generateSigner, writeKeyFile } from '../../signing/key-file.js'
import { initialiseDataDirectory } from '../../storage/index.js'
import type { ClusterFile } from '../cluster-directory.js'
import { authorityPem, issueNodeCertificate, makeAuthority, type Authority } from './authority.js'
import { draftBeside, refuseExisting, syncFolder, writeFileSynced, type Draft } from './draft.js'
import { makeGenesis, type Founding } from './genesis.js'
import { nodeFile } from './node-file.js'
import { hostPort, type NodePlace } from './places.js'

export interface FoundingRequest {
  readonly directory: string
  readonly places: readonly NodePlace[]
  /** Bind here instead of at the node's own host: `0.0.0.0` in containers. */
  readonly listen?: string
  /** More names or addresses that clients may dial; they go into every node's certificate. */
  readonly alsoNames: readonly string[]
  /** Folder of a node, when it is not `<directory>/nodes/<id>`. */
  readonly elsewhere: ReadonlyMap<string, string>
  readonly founding: Founding
  /** Keys of people that are made here; only the example has any. */
  readonly peopleKeys: ReadonlyMap<string, Signer>
  readonly wallMs: number
  readonly progress: (what: string) => void
}

export interface Founded {
  readonly clusterId: string
  readonly genesis: Genesis
  readonly directory: string
  readonly nodes: readonly { readonly id: string; readonly folder: string }[]
}

export async function foundCluster(request: FoundingRequest): Promise<Founded> {
  await refuseExisting([request.directory, ...request.elsewhere.values()])
  const nodes = request.places.map((place) => ({ place, keys: newNodeKeys() }))
  const genesis = makeGenesis(
    request.founding,
    nodes.map(({ place, keys }) => genesisNode(place, keys)),
    request.wallMs,
  )
  const bytes = encodeCanonical(genesis as unknown as Json)
  const judged = decodeGenesis(bytes)
  if (judged.kind === 'refused') throw CountersignError.fromRefusal(judged.refusal)
  const { clusterId } = judged
  request.progress('making the certificate authority')
  const authority = await makeAuthority(genesis.name, { wallMs: request.wallMs })

  const drafts: Draft[] = []
  const placed: string[] = []
  try {
    const main = await draftBeside(request.directory)
    drafts.push(main)
    await mkdir(path.join(main.at, 'nodes'))
    for (const node of nodes) {
      request.progress(`making ${node.place.id}`)
      const target = request.elsewhere.get(node.place.id)
      const draft = target === undefined ? undefined : await draftBeside(target)
      if (draft !== undefined) drafts.unshift(draft)
      const folder = draft?.at ?? path.join(main.at, 'nodes', node.place.id)
      await writeNodeFolder(folder, {
        authority,
        genesisBytes: bytes,
        clusterId,
        id: node.place.id,
        keys: node.keys,
        names: namesOf(node.place, request),
        configuration: nodeFile(node.place, request.listen),
      })
    }
    await writeClusterFolder(main.at, { request, authority, genesisBytes: bytes, clusterId })
    request.progress('putting everything in place')
    // The main folder comes last: what names the cluster appears when all of it is there.
    for (const draft of drafts) {
      await rename(draft.at, draft.target)
      placed.push(draft.target)
    }
    for (const draft of drafts) await syncFolder(path.dirname(draft.target))
  } catch (thrown) {
    // Nothing has run from these folders yet: taking them away again loses nothing.
    for (const folder of [...drafts.map(({ at }) => at), ...placed]) {
      await rm(folder, { recursive: true, force: true })
    }
    throw thrown
  }
  return {
    clusterId,
    genesis: judged.genesis,
    directory: request.directory,
    nodes: request.places.map(({ id }) => ({
      id,
      folder: request.elsewhere.get(id) ?? path.join(request.directory, 'nodes', id),
    })),
  }
}

export interface NodeKeys {
  readonly node: Signer
  readonly log: Signer
  readonly cosigner: Signer
  readonly incarnation: string
}

interface Material {
  readonly request: FoundingRequest
  readonly authority: Authority
  readonly genesisBytes: Uint8Array
  readonly clusterId: string
}

export function newNodeKeys(): NodeKeys {
  return {
    node: generateSigner(),
    log: generateSigner(),
    cosigner: generateSigner(),
    incarnation: randomBytes(16).toString('hex'),
  }
}

function genesisNode(place: NodePlace, keys: NodeKeys): GenesisNode {
  return nodeDocument(place, keys, { owner: 'founder', role: 'voter' })
}

/** The document of a node with these keys at this place. */
export function nodeDocument(
  place: Pick<NodePlace, 'id' | 'host' | 'peerPort'>,
  keys: NodeKeys,
  { owner, role }: Pick<GenesisNode, 'owner' | 'role'>,
): GenesisNode {
  return {
    id: place.id,
    owner,
    address: hostPort(place.host, place.peerPort),
    role,
    incarnation: keys.incarnation,
    nodeKey: toBase64(keys.node.publicKeySpki),
    logKey: toBase64(keys.log.publicKeySpki),
    cosignerKey: toBase64(keys.cosigner.publicKeySpki),
  }
}

export interface NodeFolder {
  readonly authority: Authority
  readonly genesisBytes: Uint8Array
  readonly clusterId: string
  readonly id: string
  readonly keys: NodeKeys
  /** Names and addresses for the certificate, beside `<id>.node`. */
  readonly names: readonly string[]
  /** Content of node.json. */
  readonly configuration: object
}

/** Everything that one node starts from. */
export async function writeNodeFolder(folder: string, material: NodeFolder): Promise<void> {
  const { authority, genesisBytes, clusterId, id, keys, names, configuration } = material
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const pair = await issueNodeCertificate(authority, { id, names })
  const ca = await authorityPem(authority)
  await writeFileSynced(path.join(folder, 'genesis.json'), genesisBytes)
  await writeFileSynced(path.join(folder, 'ca.pem'), ca.certificate)
  await writeFileSynced(path.join(folder, 'certificate.pem'), pair.certificate)
  await writeFileSynced(path.join(folder, 'certificate.key.pem'), pair.privateKey, 0o600)
  await writeKeyFile(path.join(folder, 'node.key.pem'), keys.node)
  await writeKeyFile(path.join(folder, 'log.key.pem'), keys.log)
  await writeKeyFile(path.join(folder, 'cosigner.key.pem'), keys.cosigner)
  await initialiseDataDirectory({
    directory: path.join(folder, 'data'),
    clusterId,
    nodeId: id,
    incarnation: keys.incarnation,
  })
  await writeFileSynced(path.join(folder, 'node.json'), jsonText(configuration))
  await syncFolder(folder)
}

async function writeClusterFolder(folder: string, material: Material): Promise<void> {
  const { request, authority, genesisBytes, clusterId } = material
  const ca = await authorityPem(authority)
  await writeFileSynced(path.join(folder, 'genesis.json'), genesisBytes)
  await writeFileSynced(path.join(folder, 'ca.pem'), ca.certificate)
  await writeFileSynced(path.join(folder, 'ca.key.pem'), ca.privateKey, 0o600)
  await mkdir(path.join(folder, 'people'), { mode: 0o700 })
  for (const [person, signer] of request.peopleKeys) {
    await writeKeyFile(path.join(folder, 'people', `${person}.key.pem`), signer)
  }
  const file: ClusterFile = {
    format: 1,
    clusterId,
    name: request.founding.name,
    ca: 'ca.pem',
    nodes: request.places.map((place) => ({
      id: place.id,
      client: hostPort(place.host, place.clientPort),
      status: hostPort(place.host, place.statusPort),
    })),
  }
  await writeFileSynced(path.join(folder, 'cluster.json'), jsonText(file))
  for (const inner of ['people', 'nodes', '.']) await syncFolder(path.join(folder, inner))
}

/** Names that clients may dial. Behind 0.0.0.0 a node also answers on the loopback of its host. */
export function namesOf(
  place: Pick<NodePlace, 'host'>,
  request: Pick<FoundingRequest, 'listen' | 'alsoNames'>,
): string[] {
  const { listen } = request
  const wildcard = listen !== undefined && ['0.0.0.0', '::'].includes(listen)
  return [
    place.host,
    ...(wildcard ? ['localhost', '127.0.0.1', '::1'] : []),
    ...(listen !== undefined && !wildcard && isIP(listen) !== 0 ? [listen] : []),
    ...request.alsoNames,
  ]
}

/** A founded cluster's public key entry for a person, as genesis has it. */
export function genesisKey(person: string, signer: Signer, uses: PersonKey['uses']): PersonKey {
  return {
    keyId: signer.keyId,
    person,
    algorithm: 'ed25519',
    publicKey: toBase64(signer.publicKeySpki),
    uses,
    status: 'active',
  }
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
