/**
 * What a search may do, and where it ends. Time is counted in the fewest ticks that still tell the
 * timeouts apart; all randomness of the core is fixed.
 */
import type { NodeId } from '../../src/raft/index.js'

export interface Bounds {
  readonly nodes: number
  /** No node campaigns beyond this term. */
  readonly terms: number
  /** No proposal makes a log longer than this; no-ops count. */
  readonly entries: number
  readonly crashes: number
  /** Messages in flight; while there are more, each choice of those that are lost is a world. */
  readonly messages: number
}

export interface Beginning {
  readonly name: string
  /** Terms of the log of each node, from index 1, its current term, and for whom it voted there. */
  readonly nodes: readonly {
    readonly log: readonly number[]
    readonly term: number
    readonly votedFor: NodeId | null
  }[]
}

/**
 * One step of the world. A node's writes become durable at the end of the step that asked for them,
 * unless it crashes there: `crash` is the node's end before its disk has heard of the step. A
 * `restart` is a crash between two steps.
 */
export interface Action {
  readonly kind: 'timeout' | 'heartbeat' | 'propose' | 'restart' | 'deliver'
  /** Who acts; of a delivery the receiver. */
  readonly node: NodeId
  /** Of a delivery. */
  readonly message: string | null
  readonly crash: boolean
}

/** Two ticks without a leader are an election timeout; a heartbeat is one. */
export const ticks = { heartbeat: 1, electionMin: 2, electionMax: 3 }

export class SafetyViolation extends Error {}

export function nodeId(at: number): NodeId {
  return String.fromCharCode('a'.charCodeAt(0) + at)
}
