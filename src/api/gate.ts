/**
 * What stands before every call: is the node stopping, is there room, has this caller sent too much
 * noise. One gate a server.
 */
import { CountersignError, type ErrorCode } from '../errors.js'
import type { ApiLimits } from './limits.js'
import { RateLimit } from './rate-limit.js'

/** Refused by checks 1 to 6 of docs/approval-model.md, or before: nobody is known to have said it. */
const noiseCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NON_CANONICAL',
  'BAD_TYPE',
  'VALUE_NOT_CANONICAL',
  'TOO_LARGE',
  'BODY_INVALID',
  'KIND_MISMATCH',
  'WRONG_CLUSTER',
  'FEATURE_LEVEL',
  'UNKNOWN_KEY',
  'BAD_SIGNATURE',
  'MALFORMED_REQUEST',
  'INPUT_INVALID',
])

export class Gate {
  readonly #callsInFlightMax: number
  readonly #noisePerConnection: RateLimit
  readonly #noisePerAddress: RateLimit
  readonly #refusalsPerPerson: RateLimit
  #inFlight = 0
  #isStopping = false

  constructor(limits: ApiLimits, nowMs?: () => number) {
    this.#callsInFlightMax = limits.callsInFlightMax
    this.#noisePerConnection = new RateLimit(limits.noisePerConnection, nowMs)
    this.#noisePerAddress = new RateLimit(limits.noisePerAddress, nowMs)
    this.#refusalsPerPerson = new RateLimit(limits.refusalsPerPerson, nowMs)
  }

  stop(): void {
    this.#isStopping = true
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Runs a call inside the bounds; throws NODE_STOPPING, BUSY, RATE_LIMITED. */
  async pass<T>(peer: string, run: () => Promise<T>): Promise<T> {
    this.admit(peer)
    if (this.#inFlight >= this.#callsInFlightMax) {
      throw new CountersignError(
        'BUSY',
        'Too many calls wait on this node. Try again in a moment.',
        {
          details: { inFlight: this.#inFlight },
        },
      )
    }
    this.#inFlight += 1
    try {
      return await run()
    } catch (error) {
      this.noted(peer, CountersignError.from(error).code)
      throw error
    } finally {
      this.#inFlight -= 1
    }
  }

  /** For streams, whose messages pass one by one. */
  admit(peer: string): void {
    if (this.#isStopping) {
      throw new CountersignError('NODE_STOPPING', 'This node is shutting down. Try another node.')
    }
    const waitMs = Math.max(
      this.#noisePerConnection.waitMs(peer),
      this.#noisePerAddress.waitMs(addressOf(peer)),
    )
    if (waitMs > 0) throw rateLimited('this connection', waitMs)
  }

  /** Charges noise to the connection and to where it came from. */
  noted(peer: string, code: ErrorCode): void {
    if (!noiseCodes.has(code)) return
    this.#noisePerConnection.charge(peer)
    this.#noisePerAddress.charge(addressOf(peer))
  }

  /** `keyId` as the envelope claims: only what was really signed has emptied its bucket. */
  admitSigner(keyId: string): void {
    const waitMs = this.#refusalsPerPerson.waitMs(keyId)
    if (waitMs > 0) throw rateLimited('this key', waitMs)
  }

  /** A refusal that was committed: the signature was good, the message was not. */
  signedRefusal(keyId: string, code: ErrorCode): void {
    if (!noiseCodes.has(code)) this.#refusalsPerPerson.charge(keyId)
  }
}

/** A caller can open many connections, but hardly from many addresses. */
function addressOf(peer: string): string {
  const at = peer.lastIndexOf(':')
  return at < 0 ? peer : peer.slice(0, at)
}

function rateLimited(who: string, waitMs: number): CountersignError {
  return new CountersignError(
    'RATE_LIMITED',
    `Too many refused messages of ${who}. Wait ${String(waitMs)} ms.`,
    { details: { retryAfterMs: waitMs } },
  )
}
