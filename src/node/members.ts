/**
 * Who this node may talk to: the members that the applied state names, those that the consensus
 * configuration still holds, and, until it is one of them, those that a joining node was told of.
 */
import { membersOf, type Configuration, type NodeId } from '../raft/index.js'
import type { Membership } from '../machine/index.js'
import type { KnownMembers, MemberFacts, PeerMember } from './ports.js'

export interface MembersOptions {
  readonly nodeId: NodeId
  /** Of genesis and of the node's own configuration. */
  readonly known: readonly PeerMember[]
  /** Addresses that this node dials instead of those that the cluster knows. */
  readonly addresses: Readonly<Record<NodeId, string>>
  readonly membership: () => Membership
  /** The configuration in force. */
  readonly configuration: () => Configuration
}

export class Members {
  readonly #options: MembersOptions
  /** Everybody ever heard of: a voter that is being left is still talked to. */
  readonly #book = new Map<NodeId, PeerMember>()
  #last = ''

  constructor(options: MembersOptions) {
    this.#options = options
    for (const member of options.known) this.#book.set(member.id, member)
  }

  /** An id of this node that the cluster has given up: it never comes back under it. */
  get isRemoved(): boolean {
    const { membership, nodeId } = this.#options
    return membership().removed.includes(nodeId)
  }

  known(): KnownMembers {
    const { nodeId, membership, configuration, addresses } = this.#options
    const { nodes, removed } = membership()
    for (const { id, address, incarnation } of nodes)
      this.#book.set(id, { id, address, incarnation })
    const inForce = membersOf(configuration())
    const isMember = nodes.some(({ id }) => id === nodeId)
    const anyone = !isMember && !removed.includes(nodeId)
    const ids = new Set([...nodes.map(({ id }) => id), ...inForce])
    if (anyone) for (const { id } of this.#options.known) ids.add(id)
    const members = [...ids].flatMap((id) => {
      const member = id === nodeId ? undefined : this.#book.get(id)
      return member === undefined ? [] : [{ ...member, address: addresses[id] ?? member.address }]
    })
    return { members, removed: removed.filter((id) => !inForce.includes(id)), anyone }
  }

  /** host:port; null for one that was never heard of. */
  addressOf(id: NodeId): string | null {
    return this.#options.addresses[id] ?? this.#book.get(id)?.address ?? null
  }

  /** The configuration in force, as status shows it. */
  facts(): readonly MemberFacts[] {
    const { configuration } = this.#options
    const { voters, outgoing, learners } = configuration()
    const fact = (id: NodeId, role: MemberFacts['role']): MemberFacts => ({
      id,
      role,
      address: this.addressOf(id) ?? '',
    })
    return [
      ...voters.map((id) => fact(id, 'voter')),
      ...outgoing.filter((id) => !voters.includes(id)).map((id) => fact(id, 'outgoing')),
      ...learners.map((id) => fact(id, 'learner')),
    ]
  }

  /** Calls `tell` when somebody came, went or moved since the last time. */
  whenChanged(tell: (known: KnownMembers) => void): void {
    const known = this.known()
    const text = JSON.stringify(known)
    if (text === this.#last) return
    this.#last = text
    tell(known)
  }
}
