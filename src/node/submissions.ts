/**
 * Commands on their way through the log. A command is answered by the entry of its own index *and*
 * term; whatever else happens to it is an unknown outcome, and the caller sends the same bytes
 * again (they are applied once).
 */
import { CountersignError } from '../errors.js'
import type { CommandResult } from '../machine/index.js'
import type { ProposalOutcome } from '../raft/index.js'
import type { ProposalsRefused } from './ports.js'

interface Waiting {
  readonly resolve: (result: CommandResult) => void
  readonly reject: (error: CountersignError) => void
}

export class Submissions {
  readonly #inFlightMax: number
  /** Proposed, not yet in the log. */
  readonly #proposed = new Map<number, Waiting>()
  /** In the log, not yet applied. */
  readonly #appended = new Map<number, Waiting & { readonly term: number }>()
  #lastId = 0
  #refused = { notLeader: 0, bytesWaiting: 0, commandsWaiting: 0 }

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
  }

  get size(): number {
    return this.#proposed.size + this.#appended.size
  }

  /** Not put into the log, by reason. */
  get refused(): ProposalsRefused {
    return { ...this.#refused }
  }

  /** Calls `propose` with the id that the outcome will carry. */
  submit(propose: (id: number) => void): Promise<CommandResult> {
    if (this.size >= this.#inFlightMax) {
      this.#refused.commandsWaiting += 1
      // A rejection, not a throw: the log clock proposes from a timer, where a throw ends the node.
      return Promise.reject(
        new CountersignError(
          'BUSY',
          `${String(this.size)} commands wait on this node. Send the same bytes again in a moment.`,
        ),
      )
    }
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#proposed.set(id, { resolve, reject })
      propose(id)
    })
  }

  outcome(outcome: ProposalOutcome, notLeader: () => CountersignError): void {
    const waiting = this.#proposed.get(outcome.id)
    if (waiting === undefined) return
    this.#proposed.delete(outcome.id)
    if (outcome.kind === 'appended') {
      this.#appended.set(outcome.index, { ...waiting, term: outcome.term })
    } else {
      const isNotLeader = outcome.code === 'NOT_LEADER'
      this.#refused[isNotLeader ? 'notLeader' : 'bytesWaiting'] += 1
      waiting.reject(isNotLeader ? notLeader() : busy())
    }
  }

  applied(index: number, term: number, result: CommandResult | null): void {
    const waiting = this.#appended.get(index)
    if (waiting === undefined) return
    this.#appended.delete(index)
    if (waiting.term === term && result !== null) waiting.resolve(result)
    else waiting.reject(unknownOutcome('another leader filled its place in the log'))
  }

  /** This node stepped down: what it appended may be committed by the next leader, or not. */
  leadershipLost(): void {
    this.#abandon(this.#appended, () => unknownOutcome('this node stopped leading'))
  }

  close(error: () => CountersignError): void {
    this.#abandon(this.#proposed, error)
    this.#abandon(this.#appended, () => unknownOutcome('this node stopped'))
  }

  #abandon(waiting: Map<number, Waiting>, error: () => CountersignError): void {
    const all = [...waiting.values()]
    waiting.clear()
    for (const { reject } of all) reject(error())
  }
}

function unknownOutcome(why: string): CountersignError {
  return new CountersignError(
    'UNKNOWN_OUTCOME',
    `The command was in the log when ${why}; it may or may not be committed. Send the same bytes again.`,
  )
}

function busy(): CountersignError {
  return new CountersignError(
    'BUSY',
    'Too many bytes wait to be committed; nothing was written. Send the same bytes again in a moment.',
  )
}
