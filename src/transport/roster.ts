/** The nodes that this one may talk to, as the cluster stands now: genesis first, then the log. */
import type { KnownMembers, PeerMember } from '../node/ports.js'
import { identifyPeer, type ClaimedIdentity, type Identified } from './hello.js'
import type { KnownPeer, PeersOptions } from './options.js'

export class Roster {
  readonly #options: PeersOptions
  #known: KnownMembers

  constructor(options: PeersOptions) {
    this.#options = options
    this.#known = {
      members: options.peers,
      removed: [],
      joins: false,
      anyone: false,
      ownAddress: null,
    }
  }

  /** This node itself is left out of what it is given. */
  set(known: KnownMembers): void {
    const members = known.members.filter(({ id }) => id !== this.#options.nodeId)
    this.#known = { ...known, members }
  }

  /** As it is told to others; empty while it is not known. */
  get ownAddress(): string {
    return this.#known.ownAddress ?? ''
  }

  knows(id: string): boolean {
    return this.members.some((member) => member.id === id)
  }

  get members(): readonly PeerMember[] {
    return this.#known.members
  }

  /** Is a peer that was identified before still one? */
  admits(peer: KnownPeer): boolean {
    const { members, anyone } = this.#known
    const member = members.find(({ id }) => id === peer.id)
    return member === undefined
      ? anyone && !this.isRemoved(peer)
      : member.incarnation === peer.incarnation
  }

  isRemoved({ id }: Pick<KnownPeer, 'id'>): boolean {
    return this.#known.removed.includes(id)
  }

  /**
   * A present member, this node itself among them: who may ask for what is no member's business of
   * every day. A node that knows no members yet lets nobody in.
   */
  identifyMember(claimed: ClaimedIdentity): Identified {
    const { members, removed, joins } = this.#known
    const { nodeId: id, incarnation } = this.#options
    const isMember = !joins && !removed.includes(id)
    const peers = isMember ? [...members, { id, incarnation, address: '' }] : members
    return identifyPeer({ ...this.#options, peers, removed }, null, claimed)
  }

  /** `expected` is the peer that was dialled; null on the accepting side. */
  identify(expected: KnownPeer | null, claimed: ClaimedIdentity): Identified {
    const { members, removed, anyone } = this.#known
    const rules = { ...this.#options, peers: members, removed, anyone }
    return identifyPeer(rules, expected, claimed)
  }
}
