/**
 * `Peers` over virtual links. A stream stands between two processes while both live and the path
 * is open both ways; it breaks with the death of either, or some time after its path was cut. What
 * is sent on it is late, lost, repeated or overtaken: more than a stream would do, and no more than
 * Raft must bear.
 */
import type { NodeId } from '../../../src/raft/index.js'
import type {
  KnownMembers,
  PeerHello,
  PeerLink,
  PeerMember,
  Peers,
} from '../../../src/node/ports.js'
import type { FetchAnswer, Wanted } from '../../../src/wire/index.js'
import type { EventDigest } from '../digest.js'
import type { SeededRandom } from '../random.js'
import type { Schedule } from '../schedule.js'
import {
  knows,
  unreachable,
  type Endpoint,
  type LinkObserver,
  type LinkOptions,
} from './endpoint.js'
import { handshake, type Refusal } from './handshake.js'
import type { SimProcess } from './process.js'

/** A stream whose path is cut is noticed by its keep-alive within this time. */
const keepAliveMs = 4_000
const redialMs = 300

export class Links {
  isFaulty = true
  faults = 0
  /** Streams that were refused, by what was wrong about the other end. */
  readonly refusals = new Map<string, number>()
  private readonly options: LinkOptions
  private readonly sent: LinkObserver['sent']
  private readonly stands: LinkObserver['stands']
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly digest: EventDigest
  private readonly endpoints = new Map<NodeId, Endpoint>()
  private readonly cut = new Set<string>()
  private readonly lastAtMs = new Map<string, number>()

  constructor(
    options: LinkOptions,
    schedule: Schedule,
    random: SeededRandom,
    digest: EventDigest,
    observer: LinkObserver,
  ) {
    this.options = options
    this.sent = observer.sent
    this.stands = observer.stands
    this.schedule = schedule
    this.random = random
    this.digest = digest
  }

  /** `members`: whom this node knows before it is told anything else. */
  peers(process: SimProcess, hello: PeerHello, members: readonly PeerMember[]): Peers {
    const self = hello.nodeId
    let known: KnownMembers = {
      members,
      removed: [],
      anyone: false,
      joins: false,
      ownAddress: null,
    }
    let endpoint: Endpoint | null = null
    return {
      start: (events) => {
        endpoint = { process, hello, events, known: () => known, streams: new Map() }
        this.open(endpoint)
        return Promise.resolve()
      },
      setMembers: (next) => {
        known = next
        for (const { id } of next.members) this.dial(self, id)
      },
      fetch: (from, wanted) => this.fetch(process, self, from, wanted),
      send: (to, messages) => {
        for (const message of messages) this.sent(message)
        this.post(self, to, `${String(messages.length)} ${messages[0]?.kind ?? ''}`, (at) => {
          at.events.messages(self, messages)
        })
      },
      requestStamp: (to, request) => {
        this.post(self, to, 'stamp?', (at) => {
          at.events.stampRequested(self, request)
        })
      },
      sendStamp: (to, stamp) => {
        this.post(self, to, 'stamp', (at) => {
          at.events.stampReceived(self, stamp)
        })
      },
      links: () => this.linksOf(self),
      stop: () => {
        if (endpoint !== null) this.close(endpoint)
        return Promise.resolve()
      },
    }
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cut.has(`${from}>${to}`)
  }

  cutLink(from: NodeId, to: NodeId): void {
    this.cut.add(`${from}>${to}`)
    this.schedule.after(this.random.between(500, keepAliveMs), () => {
      if (this.isCut(from, to)) this.breakStreams(from, to)
    })
  }

  /** Every path is open again; streams that broke are dialled anew, by and by. */
  heal(): void {
    this.cut.clear()
  }

  private open(endpoint: Endpoint): void {
    const self = endpoint.hello.nodeId
    this.endpoints.set(self, endpoint)
    endpoint.process.onDeath(() => {
      this.close(endpoint)
    })
    for (const other of this.endpoints.keys()) {
      if (other === self) continue
      this.dial(self, other)
      this.dial(other, self)
    }
  }

  private close(endpoint: Endpoint): void {
    const self = endpoint.hello.nodeId
    if (this.endpoints.get(self) === endpoint) this.endpoints.delete(self)
    for (const [id, other] of this.endpoints) {
      if (other.streams.get(self) !== endpoint.process) continue
      other.streams.delete(self)
      if (!this.options.refusedRedials || this.isCut(self, id) || this.isCut(id, self)) continue
      this.schedule.after(this.random.between(1, 12), () => {
        other.process.enter(() => {
          other.events.disconnected(self, unreachable(self))
          if (!this.endpoints.has(self)) other.events.refused(self)
        })
      })
    }
  }

  /** Dials until the stream stands or one of the two processes is gone. */
  private dial(from: NodeId, to: NodeId, waitMs = 0): void {
    const dialling = this.endpoints.get(from)
    if (dialling === undefined) return
    this.schedule.after(waitMs + this.random.between(1, 20), () => {
      const called = this.endpoints.get(to)
      if (this.endpoints.get(from) !== dialling || called === undefined) return
      if (dialling.streams.get(to) === called.process || !knows(dialling, to)) return
      if (this.isCut(from, to) || this.isCut(to, from)) {
        this.dial(from, to, redialMs)
        return
      }
      const refusal = this.options.checksIdentity ? handshake(dialling, called) : null
      if (refusal !== null) {
        this.refused(dialling, to, refusal)
        return
      }
      this.stands(dialling.hello, called.hello)
      if (!knows(called, from)) {
        const { nodeId: id, incarnation, peerAddress: address } = dialling.hello
        called.process.enter(() => {
          called.events.introduced({ id, address, incarnation })
        })
      }
      dialling.streams.set(to, called.process)
      this.digest.add(this.schedule.nowMs, 'stream', from, to)
      dialling.process.enter(() => {
        dialling.events.connected(to, called.hello)
      })
    })
  }

  private refused(dialling: Endpoint, to: NodeId, { by, error }: Refusal): void {
    const { code, details } = error
    const field = typeof details['field'] === 'string' ? details['field'] : code
    this.refusals.set(field, (this.refusals.get(field) ?? 0) + 1)
    if (code === 'NODE_REMOVED' && by === 'called') {
      dialling.process.enter(() => {
        dialling.events.removedBy(to)
      })
    } else {
      // It may be admitted here later than elsewhere.
      this.dial(dialling.hello.nodeId, to, redialMs)
    }
  }

  private breakStreams(a: NodeId, b: NodeId): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const endpoint = this.endpoints.get(from)
      if (endpoint?.streams.delete(to) !== true) continue
      endpoint.process.enter(() => {
        endpoint.events.disconnected(to, unreachable(to))
      })
      this.dial(from, to, redialMs)
    }
  }

  private post(from: NodeId, to: NodeId, what: string, deliver: (at: Endpoint) => void): void {
    const { random, options } = this
    const sender = this.endpoints.get(from)
    const receiver = sender?.streams.get(to)
    if (receiver === undefined) return
    if (this.isFaulty && random.chance(options.dropChance)) {
      this.faults += 1
      return
    }
    this.carry(from, to, receiver, what, deliver)
    if (this.isFaulty && random.chance(options.duplicateChance)) {
      this.faults += 1
      this.carry(from, to, receiver, what, deliver)
    }
  }

  private carry(
    from: NodeId,
    to: NodeId,
    receiver: SimProcess,
    what: string,
    deliver: (at: Endpoint) => void,
  ): void {
    const { random, options, schedule } = this
    const link = `${from}>${to}`
    let atMs =
      schedule.nowMs + options.delayMinMs - Math.log(1 - random.next()) * options.delayMeanMs
    if (this.isFaulty && random.chance(options.reorderChance)) {
      this.faults += 1
      atMs += random.between(0, 500)
    } else {
      atMs = Math.max(atMs, this.lastAtMs.get(link) ?? 0)
      this.lastAtMs.set(link, atMs)
    }
    schedule.after(atMs - schedule.nowMs, () => {
      const at = this.endpoints.get(to)
      if (at?.process !== receiver || this.isCut(from, to)) return
      this.digest.add(schedule.nowMs, link, what)
      receiver.enter(() => {
        deliver(at)
      })
    })
  }

  /** Over a connection of its own: it breaks with the path or with either process. */
  private async *fetch(
    process: SimProcess,
    self: NodeId,
    from: NodeId,
    wanted: Wanted,
  ): AsyncGenerator<FetchAnswer> {
    const caller = this.endpoints.get(self)
    const source = this.endpoints.get(from)
    await this.wait(process)
    this.holdOpen(source, self, from)
    const refusal =
      caller !== undefined && this.options.checksIdentity ? handshake(caller, source) : null
    if (refusal !== null) throw refusal.error
    for await (const answer of source.events.fetched(self, wanted)) {
      await this.wait(process)
      this.holdOpen(source, self, from)
      yield answer
    }
  }

  private wait(process: SimProcess): Promise<void> {
    const { delayMinMs, delayMeanMs } = this.options
    const ms = delayMinMs - Math.log(1 - this.random.next()) * delayMeanMs
    return new Promise((resolve) => {
      process.later(ms, resolve)
    })
  }

  private holdOpen(
    source: Endpoint | undefined,
    self: NodeId,
    from: NodeId,
  ): asserts source is Endpoint {
    const isLost = this.isFaulty && this.random.chance(this.options.dropChance)
    const isCut = this.isCut(self, from) || this.isCut(from, self)
    if (source === undefined || this.endpoints.get(from) !== source || isCut || isLost) {
      throw unreachable(from)
    }
  }

  private linksOf(self: NodeId): readonly PeerLink[] {
    const streams = this.endpoints.get(self)?.streams ?? new Map<NodeId, SimProcess>()
    return [...streams.keys()].map((id) => ({
      id,
      address: `${id}:7100`,
      connected: true,
      hello: this.endpoints.get(id)?.hello ?? null,
      lastError: null,
    }))
  }
}
