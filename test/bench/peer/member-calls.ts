/**
 * One call to exactly one node of this build, without the client's search for a leader and its
 * retries. A channel that failed is dropped and the next call dials anew, as etcd's adapter does.
 */
import { setMaxListeners } from 'node:events'
import { attempt, toBuffer } from '../../../src/client/attempt.js'
import { Connections } from '../../../src/client/connections.js'
import type { Method } from '../../../src/wire/index.js'

export class MemberCalls {
  readonly #connections: Connections
  readonly #addresses: ReadonlyMap<string, string>
  readonly #closing = new AbortController()

  constructor(options: { readonly ca: string; readonly addresses: ReadonlyMap<string, string> }) {
    // Each pending call listens to it; Node warns of eleven.
    setMaxListeners(0, this.#closing.signal)
    this.#connections = new Connections({ ca: options.ca })
    this.#addresses = options.addresses
  }

  async call<Request>(
    memberId: string,
    method: Pick<Method<Request, unknown>, 'path' | 'request'>,
    request: Request,
    deadlineMs: number,
  ): Promise<void> {
    const address = this.#addresses.get(memberId)
    if (address === undefined) throw new Error(`there is no node ${memberId}`)
    const client = this.#connections.to(address)
    const bytes = toBuffer(method.request.encode(request))
    const outcome = await attempt(client, method.path, bytes, {
      address,
      deadlineMs,
      signal: this.#closing.signal,
    })
    if (outcome.kind === 'answered') return
    if (outcome.error.kind === 'lost') this.#connections.drop(address, client)
    throw outcome.error.error
  }

  close(): void {
    this.#closing.abort()
    this.#connections.close()
  }
}
