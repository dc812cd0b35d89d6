/**
 * Many signed messages on one stream. Each is kept until its answer is here; when the stream breaks
 * or moves to another leader, all that are unanswered are sent again, the same bytes in the same
 * order.
 */
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { changesMethods, type NumberedAnswer } from '../wire/index.js'
import { asIs, toBuffer } from './attempt.js'
import { Backoff, pause } from './backoff.js'
import { cancelled, elsewhere, later, leavesOutcomeOpen, waitOf, type Attempts } from './calls.js'
import { failureOf } from './from-grpc.js'
import { Tried } from './tried.js'
import type { CallOptions, SignedMessage, SubmitResult, SubmitStream } from './types.js'

const method = changesMethods.proposeStream

/** Unanswered messages; the node takes as many on one stream. */
const window = 256

interface Pending {
  readonly bytes: Buffer
  readonly deadlineMs: number
  isOutcomeOpen: boolean
  readonly settle: (result: SubmitResult | CountersignError) => void
}

interface Open {
  readonly address: string
  readonly client: Client
  readonly call: ClientDuplexStream<Buffer, Buffer>
}

export class ReroutingSubmitStream implements SubmitStream {
  readonly #attempts: Attempts
  readonly #closed: AbortSignal
  readonly #deadlineMs: number
  readonly #backoff: Backoff
  readonly #pending = new Map<number, Pending>()
  readonly #tried = new Tried()
  readonly #waiting: (() => void)[] = []
  #number = 0
  #open: Open | null = null
  #isOpening = false
  #isEnding = false
  #endOfSilence: (() => void) | null = null

  constructor(attempts: Attempts, options: { deadlineMs: number; closed: AbortSignal }) {
    this.#attempts = attempts
    this.#deadlineMs = options.deadlineMs
    this.#closed = options.closed
    this.#backoff = new Backoff(attempts.backoffMs, attempts.search.addresses.length)
  }

  async submit(message: SignedMessage, options: CallOptions = {}): Promise<SubmitResult> {
    while (this.#pending.size >= window) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const aborted = options.signal?.aborted === true || this.#closed.aborted
    if (this.#isEnding || aborted) throw cancelled()
    this.#number += 1
    const number = this.#number
    return new Promise((resolve, reject) => {
      const deadlineMs = options.deadlineMs ?? this.#deadlineMs
      const timer = setTimeout(() => {
        this.#settle(number, this.#outOfTime(number))
      }, deadlineMs)
      const abort = (): void => {
        this.#settle(number, cancelled())
      }
      const signal =
        options.signal === undefined
          ? this.#closed
          : AbortSignal.any([this.#closed, options.signal])
      signal.addEventListener('abort', abort, { once: true })
      this.#pending.set(number, {
        bytes: toBuffer(method.request.encode({ number, message })),
        deadlineMs,
        isOutcomeOpen: false,
        settle: (result) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', abort)
          if (result instanceof CountersignError) reject(result)
          else resolve(result)
        },
      })
      if (this.#open === null) void this.#reopen(false)
      else this.#write(number)
    })
  }

  async end(): Promise<void> {
    this.#isEnding = true
    while (this.#pending.size > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#stopListening()
    this.#open?.call.end()
    this.#open = null
  }

  /** One at a time; afterwards a stream stands on which everything unanswered was written. */
  async #reopen(isBackingOff: boolean): Promise<void> {
    if (this.#isOpening) return
    this.#isOpening = true
    if (isBackingOff) await this.#backoff.wait(this.#closed)
    this.#isOpening = false
    if (this.#pending.size === 0 || this.#closed.aborted) return
    const { connections, search } = this.#attempts
    const address = search.forLeader()
    try {
      const client = connections.to(address)
      const call = client.makeBidiStreamRequest(method.path, asIs, asIs)
      const open = { address, client, call }
      this.#open = open
      call.on('data', (bytes: Buffer) => {
        if (this.#open === open) this.#take(bytes, open)
      })
      call.on('error', (error) => {
        if (this.#open === open) this.#broke(error as ServiceError, open)
      })
      call.on('end', () => {
        if (this.#open === open) this.#leave(open, true)
      })
      for (const number of this.#pending.keys()) this.#write(number)
      this.#listen(open)
    } catch (thrown) {
      const error = CountersignError.from(thrown)
      for (const number of [...this.#pending.keys()]) this.#settle(number, error)
    }
  }

  #write(number: number): void {
    const pending = this.#pending.get(number)
    if (pending === undefined || this.#open === null) return
    this.#open.call.write(pending.bytes)
  }

  #take(bytes: Buffer, open: Open): void {
    this.#listen(open)
    let answer: NumberedAnswer
    try {
      answer = method.response.decode(bytes)
    } catch (error) {
      open.call.cancel()
      this.#tried.failed(open.address, { kind: 'refused', error: CountersignError.from(error) })
      this.#leave(open, true)
      return
    }
    const { number, result } = answer
    if (result.kind === 'accepted') {
      this.#attempts.search.answeredAsLeader(open.address)
      this.#backoff.reset()
      this.#settle(number, result.accepted)
    } else {
      this.#refused(number, CountersignError.fromRefusal(result.refusal), open)
    }
  }

  #refused(number: number, error: CountersignError, open: Open): void {
    const pending = this.#pending.get(number)
    if (pending === undefined) return
    this.#tried.failed(open.address, { kind: 'refused', error })
    if (later.has(error.code)) {
      void pause(waitOf(error), this.#closed).then(() => {
        this.#write(number)
      })
    } else if (elsewhere.has(error.code)) {
      pending.isOutcomeOpen ||= leavesOutcomeOpen(error.code)
      const { search } = this.#attempts
      const hasHint = error.code === 'NOT_LEADER' && search.notLeader(open.address, error)
      if (error.code !== 'NOT_LEADER') search.failed(open.address)
      open.call.cancel()
      this.#leave(open, !hasHint)
    } else {
      this.#settle(number, error)
    }
  }

  #broke(thrown: ServiceError, open: Open): void {
    const failure = failureOf(thrown, open.address)
    const { connections, search } = this.#attempts
    this.#tried.failed(open.address, failure)
    if (failure.kind === 'refused' && !elsewhere.has(failure.error.code)) {
      this.#open = null
      for (const number of [...this.#pending.keys()]) this.#settle(number, failure.error)
      return
    }
    if (failure.kind === 'lost') {
      connections.drop(open.address, open.client)
      connections.warmOthers(search.addresses, open.address)
      if (failure.wasSent) for (const one of this.#pending.values()) one.isOutcomeOpen = true
    }
    search.failed(open.address)
    this.#leave(open, true)
    if (this.#tried.fitsNowhere(search.addresses)) this.#settleUnsent()
  }

  /** What may have been taken before is still worth its time. */
  #settleUnsent(): void {
    for (const [number, { isOutcomeOpen }] of [...this.#pending]) {
      if (!isOutcomeOpen) this.#settle(number, this.#outOfTime(number))
    }
  }

  #leave(open: Open, isBackingOff: boolean): void {
    if (this.#open !== open) return
    this.#open = null
    this.#stopListening()
    if (this.#pending.size > 0) void this.#reopen(isBackingOff)
  }

  /** A node that answers nothing although messages wait is as good as gone. */
  #listen(open: Open): void {
    this.#stopListening()
    const giveUp = () => {
      if (this.#open !== open || this.#pending.size === 0) return
      for (const one of this.#pending.values()) one.isOutcomeOpen = true
      this.#attempts.search.failed(open.address)
      this.#tried.silent(open.address)
      open.call.cancel()
      this.#leave(open, true)
    }
    const silenceMs = Math.min(Math.max(this.#deadlineMs / 3, 500), 5_000)
    const timer = setTimeout(giveUp, silenceMs).unref()
    const stopAsking = this.#attempts.secondOpinion.whileSilent(open.address, giveUp)
    this.#endOfSilence = () => {
      clearTimeout(timer)
      stopAsking()
    }
  }

  #stopListening(): void {
    this.#endOfSilence?.()
    this.#endOfSilence = null
  }

  #outOfTime(number: number): CountersignError {
    const pending = this.#pending.get(number)
    return this.#tried.outOfTime({
      isOutcomeOpen: pending?.isOutcomeOpen === true || this.#open !== null,
      deadlineMs: pending?.deadlineMs ?? this.#deadlineMs,
    })
  }

  #settle(number: number, result: SubmitResult | CountersignError): void {
    const pending = this.#pending.get(number)
    if (pending === undefined) return
    this.#pending.delete(number)
    pending.settle(result)
    if (this.#isEnding) for (const wake of this.#waiting.splice(0)) wake()
    else this.#waiting.shift()?.()
  }
}
