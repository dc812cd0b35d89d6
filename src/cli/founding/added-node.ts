/**
 * The folder of a node that joins a cluster which is there already. It appears whole, with the
 * document to be proposed beside it (member.json), so that an interrupted `node add` goes on from it.
 */
import { readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { GenesisNode } from '../../approval/index.js'
import type { Json } from '../../signing/index.js'
import { readFailure, type ClusterDirectory } from '../cluster-directory.js'
import { badInput } from '../failures.js'
import { Fields } from '../fields.js'
import { readAuthority, type Authority } from './authority.js'
import { draftBeside, exists, refuseExisting, syncFolder, writeFileSynced } from './draft.js'
import { jsonText, namesOf, newNodeKeys, nodeDocument, writeNodeFolder } from './material.js'
import { nodeFile } from './node-file.js'
import type { NodePlace } from './places.js'

export interface AddedNodeRequest {
  readonly cluster: ClusterDirectory
  readonly place: NodePlace
  readonly owner: string
  readonly role: 'voter' | 'learner'
  readonly folder: string
  /** PEM file of the private key of the cluster's CA. */
  readonly authorityKeyFile: string
  readonly listen?: string
  readonly alsoNames: readonly string[]
  /** Members of now: whom the new node dials before the cluster has told it more. */
  readonly members: readonly GenesisNode[]
}

/** Takes up the folder of an earlier run when it is for the same node; else makes it. */
export async function addedNode(request: AddedNodeRequest): Promise<GenesisNode> {
  const { folder } = request
  if (await exists(path.join(folder, memberFile))) return takeUp(request)
  await refuseExisting([folder])
  const { cluster, place, owner, role } = request
  const authority = await authorityOf(request)
  const keys = newNodeKeys()
  const document = nodeDocument(place, keys, { owner, role })
  const draft = await draftBeside(folder)
  try {
    await writeNodeFolder(draft.at, {
      authority,
      genesisBytes: await readFile(path.join(cluster.directory, 'genesis.json')),
      clusterId: cluster.clusterId,
      id: place.id,
      keys,
      names: namesOf(place, request),
      configuration: joiningNodeFile(request, document),
    })
    await writeFileSynced(path.join(draft.at, memberFile), jsonText(document))
    await syncFolder(draft.at)
    await rename(draft.at, folder)
    await syncFolder(path.dirname(folder))
  } catch (thrown) {
    await rm(draft.at, { recursive: true, force: true })
    throw thrown
  }
  return document
}

const memberFile = 'member.json'

function joiningNodeFile(request: AddedNodeRequest, self: GenesisNode): object {
  // Itself too: so the node can tell that its key file is its own.
  const members = [...request.members, self].map(({ id, address, incarnation: life, nodeKey }) => ({
    id,
    address,
    incarnation: life,
    nodeKey,
  }))
  return {
    ...nodeFile(request.place, request.listen),
    join: true,
    incarnation: self.incarnation,
    members,
  }
}

async function takeUp(request: AddedNodeRequest): Promise<GenesisNode> {
  const { folder, place, role } = request
  const file = path.join(folder, memberFile)
  const fields = new Fields(JSON.parse(await readFile(file, 'utf8')) as Json, file)
  const made: GenesisNode = {
    id: fields.text('id'),
    owner: fields.text('owner'),
    address: fields.text('address'),
    role: fields.text('role') === 'voter' ? 'voter' : 'learner',
    incarnation: fields.text('incarnation'),
    nodeKey: fields.text('nodeKey'),
    logKey: fields.text('logKey'),
    cosignerKey: fields.text('cosignerKey'),
  }
  fields.end()
  const asked = nodeDocument(place, newNodeKeys(), { owner: made.owner, role: made.role })
  if (made.id !== asked.id || made.address !== asked.address) {
    throw badInput(
      `${folder} holds ${made.id} at ${made.address}, made by an earlier run.`,
      'Name the same id and address to go on with it, or remove the folder and start again.',
    )
  }
  return { ...made, role }
}

async function authorityOf(request: AddedNodeRequest): Promise<Authority> {
  const { authorityKeyFile, cluster } = request
  const privateKey = await readFile(authorityKeyFile, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw readFailure(authorityKeyFile, error)
    throw badInput(
      `The CA's private key ${authorityKeyFile} is not here.`,
      'Bring it from where it is kept offline and name it: --ca-key <file>.',
    )
  })
  return readAuthority({ certificate: cluster.ca, privateKey }).catch((error: unknown) => {
    throw readFailure(authorityKeyFile, error)
  })
}
