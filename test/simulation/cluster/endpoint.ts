/** One end of the simulated links, and what the links are asked to do to it. */
import { CountersignError } from '../../../src/errors.js'
import type { KnownMembers, PeerEvents, PeerHello } from '../../../src/node/ports.js'
import type { Message, NodeId } from '../../../src/raft/index.js'
import type { SimProcess } from './process.js'

export interface LinkOptions {
  readonly delayMinMs: number
  readonly delayMeanMs: number
  readonly dropChance: number
  readonly duplicateChance: number
  readonly reorderChance: number
  /** The port of a dead process refuses whoever reaches its machine. */
  readonly refusedRedials: boolean
  /** Both ends of a stream look at who the other is. */
  readonly checksIdentity: boolean
}

export interface LinkObserver {
  /** Every message that leaves a node, whatever becomes of it. */
  readonly sent: (message: Message) => void
  /** A stream stands between these two. */
  readonly stands: (caller: PeerHello, called: PeerHello) => void
}

export interface Endpoint {
  readonly process: SimProcess
  readonly hello: PeerHello
  readonly events: PeerEvents
  readonly known: () => KnownMembers
  /** Peers to which this endpoint's stream stands, by the process at the other end. */
  readonly streams: Map<NodeId, SimProcess>
}

/** May these two talk at all, as far as this end knows? */
export function knows(endpoint: Endpoint, id: NodeId): boolean {
  return endpoint.known().members.some((member) => member.id === id)
}

export function unreachable(id: NodeId): CountersignError {
  return new CountersignError('UNREACHABLE', `${id} is gone.`)
}
