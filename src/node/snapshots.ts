/** The snapshots of one node: made of its own state, fetched from a peer, handed to the core. */
import type { Logger } from 'pino'
import { logIndex, type Event, type NodeId, type SnapshotMeta } from '../raft/index.js'
import type { LogStore, SnapshotStore, StateStore } from '../storage/index.js'
import type { FetchAnswer, Wanted } from '../wire/index.js'
import type { StoredPortion } from './apply-loop.js'
import type { Defer } from './inbox.js'
import type { Clock, Peers, SnapshotFacts } from './ports.js'
import type { Rare } from './rare-sites.js'
import { SnapshotFetcher, type SnapshotWish } from './snapshot-fetcher.js'
import { metaOf, SnapshotMaker, type SnapshotThresholds } from './snapshot-maker.js'

export interface SnapshotsOptions {
  readonly clusterId: string
  readonly snapshotStore: SnapshotStore
  readonly logStore: LogStore
  readonly stateStore: StateStore
  readonly peers: Pick<Peers, 'fetch'>
  readonly clock: Clock
  readonly defer: Defer
  readonly thresholds: SnapshotThresholds
  readonly rare?: Rare
  readonly log: Logger
  readonly push: (event: Event) => void
  /** Indexes of the snapshots that peers are being fed. */
  readonly fed: () => readonly number[]
  readonly failed: (thrown: unknown) => void
}

export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #maker: SnapshotMaker
  readonly #fetcher: SnapshotFetcher
  #restoringSinceMs: number | null = null
  #lastRestoreMs: number | null = null
  #sentBytes = 0

  constructor(options: SnapshotsOptions) {
    this.#options = options
    const { clusterId, snapshotStore, failed, log, push } = options
    this.#maker = new SnapshotMaker({
      ...options,
      ...options.thresholds,
      saved: (snapshot) => {
        log.info({ index: snapshot.index }, 'snapshot saved')
        push({ kind: 'snapshotSaved', snapshot })
      },
    })
    this.#fetcher = new SnapshotFetcher({
      ...options,
      store: snapshotStore,
      peers: options.peers,
      clusterId,
      failed,
      fetched: (info) => {
        log.info({ index: info.index, bytes: info.size }, 'snapshot fetched')
        push({ kind: 'snapshotFetched', snapshot: metaOf(info) })
      },
      gaveUp: ({ from, snapshot }, { code, message }) => {
        const facts = { from, index: snapshot.index, code, reason: message }
        log.warn(facts, 'snapshot not fetched; the leader offers again')
      },
    })
  }

  fetch(wish: SnapshotWish): void {
    this.#fetcher.fetch(wish)
  }

  stored(portion: StoredPortion): Promise<void> {
    return this.#maker.stored(portion)
  }

  /** The state store is about to be emptied: nobody may read it. */
  async restoring(): Promise<void> {
    this.#restoringSinceMs = this.#options.clock.monotonicMs()
    await this.#maker.interrupt()
  }

  async restored({ index }: SnapshotMeta): Promise<void> {
    const { clock, snapshotStore, log } = this.#options
    this.#maker.restored()
    const since = this.#restoringSinceMs ?? clock.monotonicMs()
    this.#lastRestoreMs = clock.monotonicMs() - since
    this.#restoringSinceMs = null
    log.info({ index, ms: Math.round(this.#lastRestoreMs) }, 'snapshot installed')
    await snapshotStore.removeBelow(index)
  }

  /** Hands on what a peer fetches, counts it, and tells the core that the transfer gets on. */
  async *counted(
    peer: NodeId,
    wanted: Wanted,
    answers: AsyncIterable<FetchAnswer>,
  ): AsyncGenerator<FetchAnswer> {
    let index = logIndex(0)
    let bytes = wanted.kind === 'snapshot' ? wanted.offset : 0
    for await (const answer of answers) {
      if (answer.kind === 'snapshot') index = logIndex(answer.snapshot.index)
      if (answer.kind === 'part') {
        this.#sentBytes += answer.part.byteLength
        bytes += answer.part.byteLength
        this.#options.push({ kind: 'snapshotServed', peer, index, bytes })
      }
      yield answer
    }
  }

  facts(): SnapshotFacts {
    const latest = this.#options.snapshotStore.latest()
    return {
      index: latest?.index ?? 0,
      bytes: latest?.size ?? 0,
      isSaving: this.#maker.isRunning,
      fetching: this.#fetcher.progress,
      sentBytes: this.#sentBytes,
      lastRestoreMs: this.#lastRestoreMs,
    }
  }

  async stop(): Promise<void> {
    await this.#fetcher.stop()
    await this.#maker.stop()
  }
}
