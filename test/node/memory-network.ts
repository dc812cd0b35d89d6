/** `Peers` in memory: each direction is FIFO; a node that is cut refuses every dial. */
import type { KnownMembers, PeerEvents, PeerHello, PeerLink, Peers } from '../../src/node/ports.js'
import type { FetchAnswer, Wanted } from '../../src/wire/index.js'
import { CountersignError } from '../../src/errors.js'

interface Member {
  readonly hello: PeerHello
  readonly events: PeerEvents
  known: KnownMembers
}

export class MemoryNetwork {
  readonly #members = new Map<string, Member>()
  /** Pairs `from>to` between which nothing passes. */
  readonly #blocked = new Set<string>()

  /** Calls of {@link Peers.fetch}: who, from whom, what. */
  readonly fetches: { readonly by: string; readonly from: string; readonly wanted: Wanted }[] = []

  peers(nodeId: string, clusterId: string): Peers {
    let known: KnownMembers = {
      members: [],
      removed: [],
      anyone: false,
      joins: false,
      ownAddress: null,
    }
    const others = (): readonly string[] =>
      known.members.map(({ id }) => id).filter((id) => id !== nodeId)
    const hello: PeerHello = {
      clusterId,
      nodeId,
      incarnation: '00'.repeat(16),
      protocolMin: 1,
      protocolMax: 1,
      featureLevelMax: 2,
      clientAddress: `${nodeId}:7200`,
      peerAddress: `${nodeId}:7100`,
    }
    return {
      start: (events) => {
        this.#members.set(nodeId, { hello, events, known })
        for (const id of others()) this.#meet(nodeId, id)
        return Promise.resolve()
      },
      setMembers: (next) => {
        const before = others()
        known = next
        const member = this.#members.get(nodeId)
        if (member === undefined) return
        member.known = next
        for (const id of others()) if (!before.includes(id)) this.#meet(nodeId, id)
      },
      fetch: (from, wanted) => {
        this.fetches.push({ by: nodeId, from, wanted })
        return this.#fetch(nodeId, from, wanted)
      },
      send: (to, messages) => {
        this.#deliver(nodeId, to, ({ events }) => {
          events.messages(nodeId, messages)
        })
      },
      requestStamp: (to, request) => {
        this.#deliver(nodeId, to, ({ events }) => {
          events.stampRequested(nodeId, request)
        })
      },
      sendStamp: (to, stamp) => {
        this.#deliver(nodeId, to, ({ events }) => {
          events.stampReceived(nodeId, stamp)
        })
      },
      links: () => others().map((id) => this.#link(id)),
      stop: () => {
        this.cut(nodeId)
        return Promise.resolve()
      },
    }
  }

  /** The process is gone: everybody's stream to it breaks, and redials are refused. */
  cut(id: string): void {
    if (!this.#members.delete(id)) return
    const why = new CountersignError('UNREACHABLE', `${id} is gone.`)
    for (const { events } of this.#members.values()) {
      setImmediate(() => {
        events.disconnected(id, why)
        events.refused(id)
      })
    }
  }

  /** Nothing passes between this node and the others, and nobody is told. */
  isolate(id: string): void {
    for (const other of this.#members.keys()) {
      this.#blocked.add(`${id}>${other}`).add(`${other}>${id}`)
    }
  }

  isIsolated(id: string): boolean {
    const others = [...this.#members.keys()].filter((other) => other !== id)
    return others.length > 0 && others.every((other) => this.#blocked.has(`${id}>${other}`))
  }

  /** Its streams to everybody are made anew, both ways: new replication sessions. */
  reconnect(id: string): void {
    for (const other of this.#members.keys()) if (other !== id) this.#meet(id, other)
  }

  heal(): void {
    this.#blocked.clear()
  }

  async *#fetch(by: string, from: string, wanted: Wanted): AsyncGenerator<FetchAnswer> {
    const owner = this.#members.get(from)
    const answers = owner?.events.fetched(by, wanted) ?? []
    for await (const answer of answers) {
      if (this.#members.get(from) !== owner || this.#blocked.has(`${from}>${by}`)) break
      yield answer
    }
    if (this.#members.get(from) === owner && owner !== undefined) return
    throw new CountersignError('UNREACHABLE', `${from} is gone.`)
  }

  /** Two meet as soon as each knows the other; one that joins lets everybody in. */
  #meet(a: string, b: string): void {
    const first = this.#members.get(a)
    const second = this.#members.get(b)
    if (first === undefined || second === undefined) return
    if (!knows(first.known, b) || !knows(second.known, a)) return
    first.events.connected(b, second.hello)
    second.events.connected(a, first.hello)
  }

  #deliver(from: string, to: string, call: (member: Member) => void): void {
    const member = this.#members.get(to)
    if (member === undefined || !this.#members.has(from)) return
    if (this.#blocked.has(`${from}>${to}`)) return
    setImmediate(() => {
      if (this.#members.get(to) === member) call(member)
    })
  }

  #link(id: string): PeerLink {
    const hello = this.#members.get(id)?.hello ?? null
    return { id, address: `${id}:7100`, connected: hello !== null, hello, lastError: null }
  }
}

function knows({ members, anyone }: KnownMembers, id: string): boolean {
  return anyone || members.some((member) => member.id === id)
}
