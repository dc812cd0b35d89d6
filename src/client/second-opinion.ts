/**
 * A frozen or unplugged host refuses nothing: its connections stand and its answers stop. While a
 * call to the presumed leader is silent, the other nodes are asked who leads; once one of them names
 * another node, waiting is pointless, and the same bytes go there. A leader that is only slow keeps
 * its calls, because the others still name it.
 */
import { clusterMethods } from '../wire/index.js'
import { attempt, toBuffer } from './attempt.js'
import type { Connections } from './connections.js'
import type { LeaderSearch } from './leader.js'

/** Well above the answer of a busy leader, well below the election timeout of 1 to 2 s. */
const firstAfterMs = 500
const everyMs = 250

type Moved = () => void

export class SecondOpinion {
  readonly #connections: Connections
  readonly #search: LeaderSearch
  readonly #addresses: readonly string[]
  readonly #closed: AbortSignal
  /** Who waits for which address; the first one asks for all. */
  readonly #waiting = new Map<string, Set<Moved>>()

  constructor(options: {
    readonly connections: Connections
    readonly search: LeaderSearch
    readonly addresses: readonly string[]
    readonly closed: AbortSignal
  }) {
    this.#connections = options.connections
    this.#search = options.search
    this.#addresses = options.addresses
    this.#closed = options.closed
  }

  /** Calls `moved` at most once, when another node leads by now. Returns the end of the wait. */
  whileSilent(address: string, moved: Moved): () => void {
    const timer = setTimeout(() => {
      const others = this.#waiting.get(address)
      if (others !== undefined) {
        others.add(moved)
        return
      }
      this.#waiting.set(address, new Set([moved]))
      void this.#ask(address)
    }, firstAfterMs)
    timer.unref()
    return () => {
      clearTimeout(timer)
      this.#waiting.get(address)?.delete(moved)
    }
  }

  async #ask(address: string): Promise<void> {
    const others = this.#addresses.filter((other) => other !== address)
    const waiting = this.#waiting.get(address)
    for (let turn = 0; waiting !== undefined && waiting.size > 0; turn++) {
      const other = others[turn % others.length]
      if (other === undefined || this.#closed.aborted) break
      if (await this.#namesAnother(other, address)) {
        for (const moved of waiting) moved()
        break
      }
    }
    this.#waiting.delete(address)
  }

  /** Takes `everyMs`, also when the answer comes earlier, unless it settles the question. */
  async #namesAnother(other: string, silent: string): Promise<boolean> {
    const nextTurn = new Promise((resolve) => setTimeout(resolve, everyMs).unref())
    const { path, request, response } = clusterMethods.status
    const outcome = await attempt(this.#connections.to(other), path, toBuffer(request.encode({})), {
      address: other,
      deadlineMs: everyMs,
      signal: this.#closed,
    })
    if (outcome.kind === 'answered') {
      const { leaderClientAddress, term } = response.decode(outcome.bytes)
      if (leaderClientAddress !== null && leaderClientAddress !== silent) {
        if (this.#search.hinted(leaderClientAddress, term)) return true
      }
    }
    await nextTurn
    return false
  }
}
