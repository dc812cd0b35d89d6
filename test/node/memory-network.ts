/** `Peers` in memory: each direction is FIFO; a node that is cut refuses every dial. */
import type { PeerEvents, PeerHello, PeerLink, Peers } from '../../src/node/ports.js'
import { CountersignError } from '../../src/errors.js'

interface Member {
  readonly hello: PeerHello
  readonly events: PeerEvents
}

export class MemoryNetwork {
  readonly #members = new Map<string, Member>()
  /** Pairs `from>to` between which nothing passes. */
  readonly #blocked = new Set<string>()

  peers(nodeId: string, all: readonly string[], clusterId: string): Peers {
    const others = all.filter((id) => id !== nodeId)
    const hello: PeerHello = {
      clusterId,
      nodeId,
      incarnation: '00'.repeat(16),
      protocolMin: 1,
      protocolMax: 1,
      featureLevelMax: 1,
      clientAddress: `${nodeId}:7200`,
    }
    return {
      start: (events) => {
        const member = { hello, events }
        this.#members.set(nodeId, member)
        for (const id of others) this.#meet(nodeId, id)
        return Promise.resolve()
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
      links: () => others.map((id) => this.#link(id)),
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

  heal(): void {
    this.#blocked.clear()
  }

  #meet(a: string, b: string): void {
    const first = this.#members.get(a)
    const second = this.#members.get(b)
    if (first === undefined || second === undefined) return
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
