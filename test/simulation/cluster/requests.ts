/**
 * Requests as a client's library makes them: to the node that is thought to lead, with patience,
 * again with the same bytes after an unknown outcome. A request to a process that dies has an
 * unknown outcome at once.
 */
import { CountersignError } from '../../../src/errors.js'
import type { SignedMessage } from '../../../src/client/index.js'
import type { ClusterNode } from '../../../src/node/cluster-node.js'
import type { CommandResult } from '../../../src/machine/index.js'
import type { NodeId } from '../../../src/raft/index.js'
import { messageDigest } from '../../../src/signing/index.js'
import { OracleViolation } from '../oracles.js'
import type { SeededRandom } from '../random.js'
import type { Schedule } from '../schedule.js'
import type { Ledger } from './ledger.js'
import type { Server } from './server.js'

const patienceMs = 3_000
/** A client gives up on a message after so many tries; whether it took effect stays unknown. */
const triesMax = 12

/** Each of them says that nothing, or nothing certain, happened, and to ask again. */
const passing: ReadonlySet<string> = new Set([
  'NOT_LEADER',
  'BUSY',
  'NO_QUORUM',
  'UNKNOWN_OUTCOME',
  'NODE_STOPPING',
  'NODE_STARTING',
  'UNREACHABLE',
])

export class Requests {
  readonly codes = new Map<string, number>()
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly servers: readonly Server[]
  private readonly ledger: Ledger
  private hint: NodeId | null = null

  constructor(
    schedule: Schedule,
    random: SeededRandom,
    servers: readonly Server[],
    ledger: Ledger,
  ) {
    this.schedule = schedule
    this.random = random
    this.servers = servers
    this.ledger = ledger
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule.after(ms, resolve)
    })
  }

  /** Null: no outcome after all tries. */
  async submit(message: SignedMessage): Promise<CommandResult | null> {
    const { envelope, detached } = message
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const result = await this.call((node) => node.submit({ kind: 'submit', envelope, detached }))
      if (result !== null) {
        if (result.kind === 'accepted') {
          this.ledger.acknowledged(messageDigest(envelope.type, envelope.body), result.index)
        }
        return result
      }
      await this.sleep(this.random.between(10, 300))
    }
    return null
  }

  /** One call to one node; null when it did not answer, or said to ask again. */
  async call<T>(request: (node: ClusterNode) => Promise<T>): Promise<T | null> {
    const server = this.choose()
    const { node, process } = server
    if (node === null || process === null) return null
    try {
      return await this.withPatience(process, request(node))
    } catch (thrown) {
      if (!(thrown instanceof CountersignError)) throw thrown
      this.codes.set(thrown.code, (this.codes.get(thrown.code) ?? 0) + 1)
      if (!passing.has(thrown.code)) {
        throw new OracleViolation('a request fails only with a code that says to ask again', {
          code: thrown.code,
          message: thrown.message,
        })
      }
      if (thrown.code === 'NOT_LEADER') {
        const leader = thrown.details['leaderId']
        this.hint = typeof leader === 'string' ? leader : null
      }
      return null
    }
  }

  private choose(): Server {
    const hinted = this.servers.find(({ id }) => id === this.hint)
    if (hinted !== undefined && this.random.chance(0.8)) return hinted
    // Who was removed, or never admitted, is on few people's lists.
    const ready = this.servers.filter(({ node }) => node?.status().ready === true)
    const isOnList = ready.length > 0 && this.random.chance(0.7)
    return this.random.pick(isOnList ? ready : this.servers)
  }

  private withPatience<T>(
    process: { onDeath(call: () => void): void },
    answer: Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isOpen = true
      const giveUp = (): void => {
        if (!isOpen) return
        this.hint = null
        reject(new CountersignError('UNREACHABLE', 'No answer.'))
      }
      this.schedule.after(patienceMs, giveUp)
      process.onDeath(giveUp)
      answer.then(resolve, reject).finally(() => {
        isOpen = false
      })
    })
  }
}
