/** One frame of the peer stream, both directions: proto/countersign/peer/v1/raft.proto. */
import type { Message } from '../raft/index.js'
import type { Envelope } from '../signing/index.js'

export type Frame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'stampRequest'; readonly id: number; readonly lastIndex: number }
  | { readonly kind: 'stamp'; readonly id: number; readonly envelope: Envelope }

export interface Hello {
  readonly clusterId: string
  readonly nodeId: string
  readonly incarnation: string
  readonly protocolMin: number
  readonly protocolMax: number
  readonly featureLevelMax: number
  /** host:port where the node serves clients. */
  readonly clientAddress: string
  /** host:port where other nodes find the node; empty when it does not say so. */
  readonly peerAddress: string
}
