/** Who the nodes are by the governed documents, for the node runtime. */
import type { GenesisNode, Id } from '../approval/index.js'
import { invariant } from '../invariant.js'
import { compareCodeUnits, decodePublicKey } from '../signing/index.js'
import { writeRowId } from './records.js'
import type { State } from './state.js'
import type { Membership, NodeMember } from './views.js'

/** Worked out once for each change of the node documents. */
export class MembershipView {
  private known: { readonly version: number; readonly membership: Membership } | undefined

  of(state: State): Membership {
    const version = state.governance.nodesVersion
    if (this.known?.version !== version) {
      this.known = { version, membership: membershipOf(state) }
    }
    return this.known.membership
  }
}

function membershipOf(state: State): Membership {
  const nodes: NodeMember[] = []
  let revision = 0
  for (const { id, address, role, incarnation, nodeKey } of state.governance.nodes()) {
    const decoded = decodePublicKey(nodeKey)
    invariant(decoded.kind === 'ok', 'The key of a node cannot be decoded.', { node: id })
    nodes.push({ id, address, role, incarnation, nodeKey: decoded.publicKey })
    revision = Math.max(revision, state.modRevision(`/sys/nodes/${id}`))
  }
  const removed: string[] = []
  for (const [id, { removedIndex }] of state.nodes.entries()) {
    if (removedIndex === undefined) continue
    removed.push(id)
    revision = Math.max(revision, removedIndex)
  }
  nodes.sort((a, b) => compareCodeUnits(a.id, b.id))
  removed.sort(compareCodeUnits)
  const departed = removed.flatMap((id) => lastDocument(state, id))
  return { revision, nodes, removed, departed }
}

function lastDocument(state: State, id: Id): Membership['departed'] {
  const path = `/sys/nodes/${id}`
  for (const revision of state.writeIndex.revisions(path).toReversed()) {
    const content = state.writes.get(writeRowId(path, revision))?.content
    if (content?.kind !== 'value') continue
    const { address, incarnation } = content.value as unknown as GenesisNode
    return [{ id, address, incarnation }]
  }
  return []
}
