/** Serves what other nodes fetch: identity first, then one answer after the other as they read. */
import { once } from 'node:events'
import type { ServerWritableStream } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import {
  decodeFetchRequest,
  encodeFetchAnswer,
  type FetchAnswer,
  type Wanted,
} from '../wire/index.js'
import { refusalStatus } from './client.js'
import { certificateNames, ownHello } from './hello.js'
import { fetchesMax, fetchesOfOneMax } from './limits.js'
import type { PeersOptions } from './options.js'
import type { Roster } from './roster.js'

export type FetchCall = ServerWritableStream<Uint8Array, Uint8Array>

export interface FetchServiceOptions {
  readonly options: PeersOptions
  readonly roster: Roster
  readonly answers: (from: NodeId, wanted: Wanted) => AsyncIterable<FetchAnswer>
  /** The caller has proved who it is. */
  readonly identified: () => void
}

export class FetchService {
  #running = 0
  readonly #runningOf = new Map<NodeId, number>()

  /** Resolves when the call has ended; says why it was refused, or null. */
  async serve(call: FetchCall, parts: FetchServiceOptions): Promise<CountersignError | null> {
    this.#running += 1
    try {
      if (this.#running > fetchesMax) {
        throw new CountersignError('BUSY', 'Enough nodes fetch from this one already. Try later.')
      }
      await this.#answer(call, parts)
      call.end()
      return null
    } catch (thrown) {
      const error = CountersignError.from(thrown)
      if (!call.cancelled) call.emit('error', refusalStatus(error))
      return error
    } finally {
      this.#running -= 1
    }
  }

  async #answer(call: FetchCall, parts: FetchServiceOptions): Promise<void> {
    const { hello, wanted } = decodeFetchRequest(call.request)
    const names = certificateNames(call.getAuthContext().sslPeerCertificate?.subjectaltname)
    const identified = parts.roster.identify(null, { hello, certificateNames: names })
    if (identified.kind === 'refused') throw identified.error
    parts.identified()
    const { id } = identified.peer
    this.#count(id, 1)
    try {
      await write(call, { kind: 'hello', hello: ownHello(parts.options) })
      for await (const answer of parts.answers(id, wanted)) {
        if (call.cancelled || !(await write(call, answer))) return
      }
    } finally {
      this.#count(id, -1)
    }
  }

  #count(peer: NodeId, change: 1 | -1): void {
    const running = (this.#runningOf.get(peer) ?? 0) + change
    if (running > fetchesOfOneMax) {
      throw new CountersignError('BUSY', `${peer} fetches enough from this node already.`)
    }
    if (running === 0) this.#runningOf.delete(peer)
    else this.#runningOf.set(peer, running)
  }
}

/** Waits until the caller has read; false when it is gone. */
async function write(call: FetchCall, answer: FetchAnswer): Promise<boolean> {
  if (call.write(encodeFetchAnswer(answer))) return true
  const ending = new AbortController()
  const { signal } = ending
  try {
    await Promise.race([
      once(call, 'drain', { signal }),
      once(call, 'cancelled', { signal }),
      once(call, 'close', { signal }),
    ])
  } finally {
    ending.abort()
  }
  return !call.cancelled
}
