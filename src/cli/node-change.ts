/** What `node add` and `node replace` do alike: material first, then one proposal, then what next. */
import path from 'node:path'
import type { Command } from 'commander'
import { isAddress, isId, type GenesisNode } from '../approval/index.js'
import { sign, type CountersignClient, type ProposedOp } from '../client/index.js'
import { shortCode, type Json } from '../signing/index.js'
import { composeChange } from './compose-change.js'
import { badInput, usage } from './failures.js'
import { addedNode } from './founding/added-node.js'
import { hostPort, type NodePlace } from './founding/places.js'
import { nodePath, openChangeOf, readNodes } from './governed-nodes.js'
import { reportSubmitted } from './report-submitted.js'
import { reviewBeforeSigning } from './review-before-signing.js'
import type { Session } from './session.js'
import { gather } from './shared-options.js'
import { putClusterNode } from './update-cluster-file.js'

export interface NewNodeOptions {
  readonly peer: string
  readonly clientPort?: string
  readonly statusPort?: string
  readonly place?: string
  readonly owner?: string
  readonly learner?: true
  readonly listen?: string
  readonly alsoName?: readonly string[]
  readonly caKey?: string
  readonly title?: string
  readonly reason?: string
}

export function addNewNodeOptions(command: Command): Command {
  return command
    .requiredOption('--peer <host:port>', 'where the other nodes dial it')
    .option('--client-port <port>', 'port for clients; else that of --peer + 100')
    .option('--status-port <port>', 'port of status and page; else that of --peer + 200')
    .option('--place <folder>', 'write its folder here; else <dir>/nodes/<id>')
    .option('--owner <text>', 'who runs it; else the person who proposes')
    .option('--learner', 'it replicates and neither votes nor attests time')
    .option('--listen <address>', 'bind to this address instead of the host: 0.0.0.0 in containers')
    .option('--also-name <name>', 'another name or address that clients dial; repeatable', gather)
    .option('--ca-key <file>', "the CA's private key; else <dir>/ca.key.pem")
    .option('--title <text>', 'title of the change')
    .option('--reason <text>', 'why; the whole text travels with the change')
}

/** `instead`: this node goes in the same change. */
export async function proposeNewNode(
  session: Session,
  id: string,
  options: NewNodeOptions,
  instead?: string,
): Promise<void> {
  const place = placeOf(id, options)
  const { person } = await session.signer()
  const cluster = await session.cluster()
  const client = await session.client()
  const members = await readNodes(client)
  const present = members.find((node) => node.id === id)
  const role = options.learner === true ? 'learner' : 'voter'
  const folder =
    options.place === undefined
      ? path.join(session.directory, 'nodes', id)
      : session.resolve(options.place)
  const document = await addedNode({
    cluster,
    place,
    owner: options.owner ?? person,
    role,
    folder,
    authorityKeyFile:
      options.caKey === undefined
        ? path.join(session.directory, 'ca.key.pem')
        : session.resolve(options.caKey),
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    alsoNames: options.alsoName ?? [],
    members: members.filter((node) => node.id !== id && node.id !== instead),
  })
  await putClusterNode(session.directory, {
    id,
    client: hostPort(place.host, place.clientPort),
    status: hostPort(place.host, place.statusPort),
    joined: true,
  })
  const material = { node: id, folder, configuration: path.join(folder, 'node.json') }
  if (present !== undefined && isSame(present, document)) {
    reportAsItIs(session, material, `${id} is a member already.`)
    return
  }
  await proposeNodes(
    session,
    client,
    {
      about: id,
      ops: [
        { action: 'put', path: nodePath(id), value: document as unknown as Json },
        ...(instead === undefined ? [] : [{ action: 'delete', path: nodePath(instead) } as const]),
      ],
      title: titleFor(id, role, instead),
      next: [
        `Material of ${id}: ${folder}`,
        'Next: two things, in any order.',
        `  Start it:     countersign node --config ${material.configuration}`,
        '                (on its own machine: move the folder there first)',
        '  Approve it:   countersign approve <change>, by as many people as the rules ask for',
        'It catches up, and then votes: watch `countersign status`.',
      ],
      json: material,
    },
    options,
  )
}

export interface NodeProposal {
  /** The node that the change is about. */
  readonly about: string
  readonly ops: readonly ProposedOp[]
  readonly title: string
  readonly next: readonly string[]
  readonly json: object
}

/** Signs and proposes; an open change about the same node is shown instead of a second one. */
export async function proposeNodes(
  session: Session,
  client: CountersignClient,
  proposal: NodeProposal,
  options: { readonly title?: string; readonly reason?: string },
): Promise<void> {
  const { person, signer } = await session.signer()
  const { clusterId } = await session.cluster()
  const open = await openChangeOf(client, proposal.about)
  if (open !== undefined) {
    const { changeId, revision, state, contentDigest } = open
    session.output.result(
      {
        changeId,
        revision,
        state,
        contentDigest,
        shortCode: shortCode(contentDigest),
        index: open.updatedIndex,
        repeated: true,
        ...proposal.json,
      },
      () => [`change ${changeId}  ${state}  (proposed before)`],
    )
    session.output.note(...proposal.next)
    return
  }
  const { message, reviewed } = await composeChange(
    client,
    {
      ops: proposal.ops,
      title: options.title ?? proposal.title,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      asserts: [],
      dependsOn: [],
    },
    { clusterId, person, keyId: signer.keyId },
  )
  await reviewBeforeSigning(session, reviewed, 'Sign and propose this?')
  const result = await client.propose(sign(message, signer))
  await reportSubmitted(session, client, result, reviewed.contentDigest, { json: proposal.json })
  session.output.note(...proposal.next)
}

/** Same fields in every answer of a command, whether something had to be proposed or not. */
export function reportAsItIs(session: Session, json: object, sentence: string): void {
  session.output.result(
    {
      changeId: '',
      revision: 0,
      state: 'ACTIVE',
      contentDigest: '',
      index: 0,
      repeated: true,
      ...json,
    },
    () => [sentence],
  )
}

function placeOf(id: string, options: NewNodeOptions): NodePlace {
  if (!isId(id)) throw badInput(`"${id}" is not an id: lower-case letters, digits and "-".`)
  const { peer: address } = options
  if (!isAddress(address)) {
    throw usage(`--peer ${address} is not host:port.`, 'Write it like 10.0.0.14:7100.')
  }
  const colon = address.lastIndexOf(':')
  const peerPort = Number(address.slice(colon + 1))
  const place: NodePlace = {
    id,
    host: address.slice(0, colon).replace(/^\[|\]$/g, ''),
    peerPort,
    clientPort: portOf('--client-port', options.clientPort, peerPort + 100),
    statusPort: portOf('--status-port', options.statusPort, peerPort + 200),
  }
  if (new Set([place.peerPort, place.clientPort, place.statusPort]).size !== 3) {
    throw usage('The three ports of a node must differ.')
  }
  return place
}

function portOf(option: string, text: string | undefined, otherwise: number): number {
  const port = text === undefined ? otherwise : Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw usage(`${option} ${text ?? String(port)} is not a port.`, `Give one: ${option} <port>.`)
}

function titleFor(id: string, role: string, instead: string | undefined): string {
  return instead === undefined
    ? `Add the node ${id} (${role})`
    : `Replace the node ${instead} by ${id} (${role})`
}

function isSame(a: GenesisNode, b: GenesisNode): boolean {
  const fields = ['address', 'role', 'incarnation', 'nodeKey', 'logKey', 'cosignerKey'] as const
  return fields.every((field) => a[field] === b[field])
}
