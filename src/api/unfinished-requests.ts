/**
 * Requests that have begun to arrive and are not complete. The library gathers the parts of a
 * message in memory, so whoever begins many and completes none would make the node grow without
 * bound. Calls with one request must complete it in time, and when too many are on their way the
 * oldest goes first; calls with a stream of requests, which may rest, are bounded in number.
 */
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { ApiLimits } from './limits.js'
import { toGrpcStatus } from './to-grpc-status.js'

interface Unfinished {
  readonly peer: string
  readonly sinceMs: number
}

/** How often the ages are looked at, and the age below which nobody makes room for others. */
const checkEveryMs = 250
const ageToMakeRoomMs = 500

export class UnfinishedRequests {
  readonly #limits: ApiLimits
  readonly #began: (peer: string) => void
  readonly #cut: (peer: string) => void
  /** In order of their beginning. */
  readonly #requests = new Set<Unfinished>()
  readonly #streams = new Set<Unfinished>()
  readonly #timer: NodeJS.Timeout

  constructor(options: {
    readonly limits: ApiLimits
    /** A call has begun on the connection of this peer. */
    readonly began: (peer: string) => void
    /** Closes the connection of this peer: only then is what it sent forgotten. */
    readonly cut: (peer: string) => void
  }) {
    this.#limits = options.limits
    this.#began = options.began
    this.#cut = options.cut
    this.#timer = setInterval(() => {
      this.#cutOld()
    }, checkEveryMs).unref()
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    const peer = call.getPeer()
    this.#began(peer)
    const one: Unfinished = { peer, sinceMs: performance.now() }
    if (!method.requestStream) return watched(call, this.#requests, one)
    return this.#hasRoomForStream(peer) ? watched(call, this.#streams, one) : refused(call)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #hasRoomForStream(peer: string): boolean {
    const { requestStreamsMax, requestStreamsPerConnectionMax } = this.#limits
    const ofPeer = [...this.#streams].filter((stream) => stream.peer === peer)
    return this.#streams.size < requestStreamsMax && ofPeer.length < requestStreamsPerConnectionMax
  }

  #cutOld(): void {
    const { requestTimeoutMs, unfinishedRequestsMax } = this.#limits
    const nowMs = performance.now()
    for (const { peer, sinceMs } of this.#requests) {
      const isCrowded = this.#requests.size > unfinishedRequestsMax
      const ageMs = nowMs - sinceMs
      if (ageMs < (isCrowded ? ageToMakeRoomMs : requestTimeoutMs)) return
      for (const other of this.#requests) if (other.peer === peer) this.#requests.delete(other)
      this.#cut(peer)
    }
  }
}

/** In `open` until the caller has said all, or the call is over. */
function watched(
  call: ServerInterceptingCallInterface,
  open: Set<Unfinished>,
  one: Unfinished,
): ServerInterceptingCall {
  open.add(one)
  return new ServerInterceptingCall(call, {
    start: (next) => {
      next({
        onReceiveHalfClose: (pass) => {
          open.delete(one)
          pass()
        },
        onCancel: () => {
          open.delete(one)
        },
      })
    },
    sendStatus: (status, next) => {
      open.delete(one)
      next(status)
    },
  })
}

function refused(call: ServerInterceptingCallInterface): ServerInterceptingCall {
  const message = 'Too many streams of requests are open. Close some, or send single calls.'
  const status = toGrpcStatus(new CountersignError('BUSY', message))
  return new ServerInterceptingCall(call, {
    start: () => {
      call.sendStatus(status)
    },
  })
}
