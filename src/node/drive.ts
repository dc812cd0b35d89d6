/**
 * The loop that carries out what the consensus core decides. This is the contract; breaking it
 * loses acknowledged data.
 *
 * 1. One inbox. A drain steps every event that has gathered through the core, then takes one
 *    output. Nobody else touches the core.
 * 2. `send` leaves at once, before and beside the disk: these messages promise nothing about it.
 *    So a leader sends while it writes.
 * 3. `persist` goes to the one writer, first in, first out: one synced batch, then the guard
 *    record. No write overtakes another.
 * 4. `thenSend` leaves only after its write, and every write before it, is durable. These are the
 *    votes and acknowledgements of this node; their type fits nowhere else. The core hears of the
 *    durable write after they left, as one more event.
 * 5. `restore`, then `apply`: what is committed *and* durable here, in log order. The core hears
 *    how far it came. A snapshot is fetched outside the core, which hears when it is synced.
 * 6. Whatever throws ends the node: a broken invariant, a failed write. After that nothing is
 *    stepped, written, sent or answered; `failed` is called once.
 *
 * Written against ports, so that a simulator can run it with its own disk, network and clock.
 */
import type {
  Entry,
  Event,
  Message,
  NodeId,
  Output,
  PersistEffect,
  Raft,
  SnapshotMeta,
} from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import { Inbox, type Defer } from './inbox.js'
import { LogWriter } from './log-writer.js'
import type { Rare } from './rare-sites.js'

/** What the loop needs of the core: `Raft`, or a test's stand-in. */
export type Core = Pick<Raft, 'step' | 'takeOutput'>

export interface DrivePorts {
  readonly core: Core
  readonly logStore: LogStore
  readonly defer: Defer
  /** Messages of one drain to one peer, in order. */
  readonly send: (to: NodeId, messages: readonly Message[]) => void
  /** The state is replaced by this snapshot of the store; reports back as `apply` does. */
  readonly restore: (snapshot: SnapshotMeta) => void
  /** Reports back with a `snapshotFetched` event, or not at all. */
  readonly fetchSnapshot: (wish: { from: NodeId; snapshot: SnapshotMeta }) => void
  /** Committed and durable entries, in order; reports back with an `applied` event. */
  readonly apply: (entries: readonly Entry[]) => void
  /** Outcomes, leadership, configuration and trace of one drain; called last. */
  readonly report: (output: Output) => void
  /** After each step; for checks that may throw. */
  readonly stepped?: (event: Event) => void
  readonly rare?: Rare
  readonly failed: (thrown: unknown) => void
}

export class Drive {
  readonly #ports: DrivePorts
  readonly #inbox: Inbox<Event>
  readonly #writer: LogWriter
  #stopped = false

  constructor(ports: DrivePorts) {
    this.#ports = ports
    this.#inbox = new Inbox(ports.defer, (events) => {
      this.#drain(events)
    })
    this.#writer = new LogWriter({
      ...ports,
      store: ports.logStore,
      durable: (effect) => {
        this.#durable(effect)
      },
      failed: (thrown) => {
        this.fail(thrown)
      },
    })
  }

  push(event: Event): void {
    this.#inbox.push(event)
  }

  /** Takes nothing in any more; resolves when what was handed to the disk is durable. */
  async stop(): Promise<void> {
    this.#halt()
    await this.#writer.idle()
  }

  /** Ends the loop for a fault of this process; the first one counts. */
  fail(thrown: unknown): void {
    if (this.#stopped) return
    this.#halt()
    this.#ports.failed(thrown)
  }

  #halt(): void {
    this.#stopped = true
    this.#inbox.close()
  }

  #drain(events: readonly Event[]): void {
    const { rare } = this.#ports
    if (rare?.('drive: each event is a drain of its own') !== true) this.#drainAtOnce(events)
    else for (const event of events) if (!this.#stopped) this.#drainAtOnce([event])
  }

  #drainAtOnce(events: readonly Event[]): void {
    const { core, stepped, report, apply, restore, fetchSnapshot } = this.#ports
    try {
      for (const event of events) {
        core.step(event)
        stepped?.(event)
      }
      const output = core.takeOutput()
      if (output === null) return
      this.#send(output.send)
      if (output.persist !== null) this.#writer.add(output.persist)
      if (output.restore !== null) restore(output.restore)
      if (output.apply.length > 0) apply(output.apply)
      if (output.fetchSnapshot !== null) fetchSnapshot(output.fetchSnapshot)
      report(output)
    } catch (thrown) {
      this.fail(thrown)
    }
  }

  #durable(effect: PersistEffect): void {
    if (this.#stopped) return
    this.#send(effect.thenSend)
    this.#inbox.push({ kind: 'persisted', token: effect.token })
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return
    const byPeer = new Map<NodeId, Message[]>()
    for (const message of messages) {
      const queue = byPeer.get(message.to)
      if (queue === undefined) byPeer.set(message.to, [message])
      else queue.push(message)
    }
    for (const [peer, queue] of byPeer) this.#ports.send(peer, queue)
  }
}
