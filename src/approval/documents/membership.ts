/**
 * What may follow what among nodes (feature level 2). An id names one node for ever: its incarnation
 * is bound to one data directory, so a node that lost its disk, and with it its votes, cannot come
 * back under the name under which it voted (Raft dissertation, 3.8: votes outlive restarts). And the
 * voters that stay can go on alone until the new ones have caught up.
 */
import { refusal, type Refusal } from '../../errors.js'
import { decodePublicKey } from '../../signing/index.js'
import { invalid } from '../forms/shape.js'
import type { Governed } from '../governed.js'
import { limits } from '../limits.js'
import type { GenesisNode, Hex16, Id, Revision } from '../types.js'
import type { GovernedDocument } from './decode-document.js'
import { nodeKeyFields } from './node.js'

/** A node id that was given away once, whether the node is there or gone. */
export interface UsedNode {
  readonly id: Id
  readonly incarnation: Hex16
  /** SPKI DER in base64. */
  readonly keys: readonly string[]
  readonly admittedIndex: Revision
  /** Absent while the node is a member. */
  readonly removedIndex?: Revision
}

export interface MembershipInput {
  readonly before: Governed
  /** {@link overlay} of the documents. */
  readonly after: Governed
  readonly documents: readonly GovernedDocument[]
  /** Any order. */
  readonly used: () => Iterable<UsedNode>
}

/** NODE_ID_USED, NODE_IDENTITY, NODE_KEY_USED, VOTERS_UNSAFE, or BODY_INVALID for an address. */
export function judgeMembership(input: MembershipInput): Refusal | null {
  const changed = input.documents.filter((document) => document.kind === 'node')
  if (changed.length === 0) return null
  for (const { node } of changed) {
    if (node === 'deleted') continue
    const fault =
      judgeIdentity(node, input) ?? judgeKeys(node, input) ?? judgeAddress(node, input.after)
    if (fault !== null) return fault
  }
  return judgeVoters(input)
}

function judgeIdentity(node: GenesisNode, { before, used }: MembershipInput): Refusal | null {
  const { id } = node
  const present = before.node(id)
  if (present !== undefined) {
    const field = (['incarnation', ...nodeKeyFields] as const).find(
      (name) => present[name] !== node[name],
    )
    if (field === undefined) return null
    return refusal(
      'NODE_IDENTITY',
      `${field} of the node ${id} never changes; replace the node by one with a new id.`,
      { node: id, field },
    )
  }
  for (const one of used()) {
    if (one.id === id) {
      return refusal('NODE_ID_USED', `The node id ${id} was used before; ids are used once.`, {
        node: id,
        admitted: one.admittedIndex,
        ...(one.removedIndex === undefined ? {} : { removed: one.removedIndex }),
      })
    }
    if (one.incarnation === node.incarnation) {
      return refusal('NODE_IDENTITY', `The incarnation of ${id} was that of ${one.id}.`, {
        node: id,
        field: 'incarnation',
      })
    }
  }
  return null
}

function judgeKeys(node: GenesisNode, { after, used }: MembershipInput): Refusal | null {
  const others = new Map<string, Id>()
  for (const one of used()) {
    if (one.id !== node.id) for (const key of one.keys) others.set(key, one.id)
  }
  for (const one of after.nodes()) {
    if (one.id !== node.id) for (const field of nodeKeyFields) others.set(one[field], one.id)
  }
  for (const field of nodeKeyFields) {
    const other = others.get(node[field])
    const decoded = decodePublicKey(node[field])
    const owner = decoded.kind === 'ok' ? after.key(decoded.keyId)?.person : undefined
    const holder = other ?? owner
    if (holder === undefined) continue
    return refusal('NODE_KEY_USED', `${field} of the node ${node.id} is a key of ${holder}.`, {
      node: node.id,
      field,
      holder,
    })
  }
  return null
}

function judgeAddress(node: GenesisNode, after: Governed): Refusal | null {
  for (const { id, address } of after.nodes()) {
    if (id === node.id || address !== node.address) continue
    return invalid(`/sys/nodes/${node.id}.address`, `is the address of ${id}`)
  }
  return null
}

/**
 * Members of before must be a majority of the voters of after. Log time needs stamps of a majority
 * of the voters: with a majority of newcomers that never start it would stand still for ever.
 */
function judgeVoters({ before, after }: MembershipInput): Refusal | null {
  const voters = [...after.nodes()].filter(({ role }) => role === 'voter')
  const most = limits.votersMax
  const unsafe = (why: string): Refusal =>
    refusal('VOTERS_UNSAFE', `After this change ${why}.`, { voters: voters.length, most })
  if (voters.length === 0) return unsafe('no node would be a voter')
  if (voters.length > most) {
    return unsafe(`${String(voters.length)} nodes would be voters; at most ${String(most)} may`)
  }
  const known = voters.filter(({ id }) => before.node(id) !== undefined).length
  if (2 * known > voters.length) return null
  return unsafe(
    `only ${String(known)} of ${String(voters.length)} voters would be nodes of today, which is no majority; add the others as learners first`,
  )
}
