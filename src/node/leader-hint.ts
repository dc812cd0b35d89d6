/** Where clients find the leader: each node tells its own client address in its Hello. */
import { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import type { PeerHello, PeerLink } from './ports.js'

export class LeaderHint {
  readonly #own: { readonly nodeId: NodeId; readonly clientAddress: string }
  readonly #links: () => readonly PeerLink[]
  /** The last word of each peer, kept when its stream breaks. */
  readonly #heard = new Map<NodeId, string>()

  constructor(options: {
    readonly nodeId: NodeId
    readonly clientAddress: string
    readonly links: () => readonly PeerLink[]
  }) {
    this.#own = options
    this.#links = options.links
  }

  heard(hello: PeerHello): void {
    this.#heard.set(hello.nodeId, hello.clientAddress)
  }

  addressOf(leader: NodeId | null): string | null {
    if (leader === null) return null
    if (leader === this.#own.nodeId) return this.#own.clientAddress
    const link = this.#links().find(({ id }) => id === leader)
    return link?.hello?.clientAddress ?? this.#heard.get(leader) ?? null
  }

  notLeader(leader: NodeId | null, term: number): CountersignError {
    const clientAddress = this.addressOf(leader)
    const where =
      leader === null
        ? 'no leader is known now; try again in a moment'
        : `ask ${leader}${clientAddress === null ? '' : ` at ${clientAddress}`}`
    return new CountersignError('NOT_LEADER', `${this.#own.nodeId} does not lead: ${where}.`, {
      details: { leaderId: leader, term, clientAddress },
    })
  }
}
