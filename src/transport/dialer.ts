/**
 * Our own stream to one peer: probe, dial, Hello both ways, send; and all of it again when it
 * breaks. Every attempt is a stream and a client of its own. A probe that is refused is told at
 * once, each time: the core may not have known yet that this peer was its leader.
 */
import { CountersignError } from '../errors.js'
import type { Message } from '../raft/index.js'
import type { PeerEvents, PeerLink } from '../node/ports.js'
import type { Frame, Hello } from '../wire/index.js'
import { Backoff } from './backoff.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import { OutboundStream } from './outbound-stream.js'
import { parseAddress, probe, type HostPort, type Probe } from './probe.js'
import type { Roster } from './roster.js'

/** A stream that stood this long was a good one: the next backoff begins anew. */
const steadyAfterMs = 1000

export class Dialer {
  readonly #options: PeersOptions
  readonly #timing: TransportTiming
  readonly #roster: Roster
  readonly #peer: KnownPeer
  readonly #address: HostPort
  readonly #events: PeerEvents
  readonly #backoff: Backoff
  #stream: OutboundStream | null = null
  #probe: Probe | null = null
  #waiting: NodeJS.Timeout | null = null
  #stopped = false
  #hello: Hello | null = null
  #lastError: string | null = null

  constructor(
    options: PeersOptions,
    timing: TransportTiming,
    roster: Roster,
    peer: KnownPeer,
    events: PeerEvents,
  ) {
    const address = parseAddress(peer.address)
    if (address === null) {
      throw new CountersignError('CONFIG_INVALID', `The peer address "${peer.address}" is none.`)
    }
    this.#options = options
    this.#timing = timing
    this.#roster = roster
    this.#peer = peer
    this.#address = address
    this.#events = events
    this.#backoff = new Backoff({
      minMs: timing.backoffMinMs,
      maxMs: timing.backoffMaxMs,
      random: options.random,
    })
  }

  get peer(): KnownPeer {
    return this.#peer
  }

  start(): void {
    void this.#dial()
  }

  send(messages: readonly Message[]): void {
    this.#stream?.outbox?.send(messages)
  }

  sendApart(frame: Frame): void {
    this.#stream?.outbox?.sendApart(frame)
  }

  /** The peer has just been heard, or has just gone: do not wait for the end of the backoff. */
  hurry(): void {
    if (this.#waiting === null) return
    clearTimeout(this.#waiting)
    this.#waiting = null
    void this.#dial()
  }

  /** What the peer said of itself on a stream of its own. */
  heard(hello: Hello): void {
    this.#hello = hello
  }

  link(): PeerLink {
    return {
      id: this.#peer.id,
      address: this.#peer.address,
      connected: this.#stream?.outbox !== undefined && this.#stream.outbox !== null,
      hello: this.#hello,
      lastError: this.#lastError,
    }
  }

  stop(): void {
    this.#stopped = true
    if (this.#waiting !== null) clearTimeout(this.#waiting)
    this.#waiting = null
    this.#probe?.cancel()
    this.#stream?.close()
    this.#stream = null
  }

  async #dial(): Promise<void> {
    this.#probe = probe(this.#address, this.#timing.helloTimeoutMs)
    const outcome = await this.#probe.result
    this.#probe = null
    if (this.#stopped) return
    if (outcome === 'open') {
      this.#open()
      return
    }
    const how = outcome === 'refused' ? 'refuses connections' : 'does not answer'
    this.#note(new CountersignError('UNREACHABLE', `${this.#peer.address} ${how}.`))
    if (outcome === 'refused') this.#events.refused(this.#peer.id)
    this.#retryLater()
  }

  #open(): void {
    const [timing, roster, peer] = [this.#timing, this.#roster, this.#peer]
    const stream = new OutboundStream(this.#options, timing, roster, peer, this.#address, {
      standing: (hello) => {
        this.#hello = hello
        this.#lastError = null
        this.#options.log?.info({ peer: this.#peer.id }, 'peer stream stands')
        this.#events.connected(this.#peer.id, hello)
      },
      ended: (error, stoodMs) => {
        this.#stream = null
        if (this.#stopped) return
        this.#note(error)
        if (saysThatWeAreRemoved(error, this.#peer)) this.#events.removedBy(this.#peer.id)
        if (stoodMs === null) {
          this.#retryLater()
          return
        }
        if (stoodMs >= steadyAfterMs) this.#backoff.reset()
        this.#events.disconnected(this.#peer.id, error)
        // At once, for the sake of the probe: a refusal is how the death of a leader is learned.
        void this.#dial()
      },
    })
    this.#stream = stream
    stream.start()
  }

  #retryLater(): void {
    if (this.#stopped) return
    this.#waiting = setTimeout(() => {
      this.#waiting = null
      void this.#dial()
    }, this.#backoff.nextMs())
  }

  /** Logs a reason once, however often it repeats. */
  #note(error: CountersignError): void {
    if (this.#lastError !== error.message) {
      const facts = { peer: this.#peer.id, code: error.code, reason: error.message }
      this.#options.log?.warn(facts, 'no peer stream')
    }
    this.#lastError = error.message
  }
}

/** The same code is our own verdict on a peer that was removed: that one names the peer. */
function saysThatWeAreRemoved({ code, details }: CountersignError, peer: KnownPeer): boolean {
  return code === 'NODE_REMOVED' && details['nodeId'] !== peer.id
}
