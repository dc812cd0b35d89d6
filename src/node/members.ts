/**
 * Who this node may talk to: the members that the applied state names, those that the consensus
 * configuration still holds, and, until it is one of them, those that a joining node was told of.
 *
 * A node that was away while all others were replaced knows nobody who leads, and learns who does
 * only from the log, which the leader brings. So a node that has heard no leader for long lets those
 * in whom it does not know, as a joining one does, and takes their word for who they are: the CA of
 * the cluster stands behind it. They stay known until the log names them.
 */
import { membersOf, type Configuration, type NodeId } from '../raft/index.js'
import type { Membership } from '../machine/index.js'
import { introducedMax } from './limits.js'
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
  /** No leader was heard for long. */
  readonly isLost: () => boolean
}

export class Members {
  readonly #options: MembersOptions
  /** Everybody ever heard of: a voter that is being left is still talked to. */
  readonly #book = new Map<NodeId, PeerMember>()
  /** Who came while anybody was let in, and is not named by the applied state yet. */
  readonly #introduced = new Map<NodeId, PeerMember>()
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

  introduced(peer: PeerMember): void {
    if (this.#introduced.size < introducedMax) this.#introduced.set(peer.id, peer)
  }

  known(): KnownMembers {
    const { nodeId, membership, configuration, addresses } = this.#options
    const { nodes, removed, departed } = membership()
    for (const { id, address, incarnation } of [...departed, ...nodes])
      this.#book.set(id, { id, address, incarnation })
    const inForce = membersOf(configuration())
    const isRemoved = removed.includes(nodeId)
    const joins = !isRemoved && !nodes.some(({ id }) => id === nodeId)
    const ids = new Set([...nodes.map(({ id }) => id), ...inForce])
    if (joins) for (const { id } of this.#options.known) ids.add(id)
    for (const [id, peer] of this.#introduced) {
      if (this.#book.has(id) || removed.includes(id)) this.#introduced.delete(id)
      else ids.add(peer.id)
    }
    const members = [...ids].flatMap((id) => {
      const member = id === nodeId ? undefined : this.#lookUp(id)
      return member === undefined ? [] : [{ ...member, address: addresses[id] ?? member.address }]
    })
    return {
      members,
      removed: removed.filter((id) => !inForce.includes(id)),
      joins,
      anyone: joins || (!isRemoved && this.#options.isLost()),
      ownAddress: this.#book.get(nodeId)?.address ?? null,
    }
  }

  /** host:port; null for one that was never heard of. */
  addressOf(id: NodeId): string | null {
    return this.#options.addresses[id] ?? this.#lookUp(id)?.address ?? null
  }

  #lookUp(id: NodeId): PeerMember | undefined {
    return this.#book.get(id) ?? this.#introduced.get(id)
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
