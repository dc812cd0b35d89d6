/**
 * Saves the applied state as a snapshot, so that the log behind it can be cut. The records come
 * from the state store's own consistent view, and are checked against the state digest while they
 * are written: what the log is cut for must be what was applied. One at a time, beside the loop.
 */
import { CountersignError } from '../errors.js'
import { MultisetDigest, recordHash } from '../machine/index.js'
import { logIndex, term, type ConfigurationInForce, type SnapshotMeta } from '../raft/index.js'
import type {
  AppliedPoint,
  LogStore,
  SnapshotInfo,
  SnapshotStore,
  StateStore,
} from '../storage/index.js'
import type { StoredPortion } from './apply-loop.js'
import type { Defer } from './inbox.js'
import type { Rare } from './rare-sites.js'

/** Records between which other work gets a turn. */
const recordsAtOnce = 256

export interface SnapshotThresholds {
  /** Applied entries since the last snapshot. */
  readonly snapshotEntries: number
  /** Payload bytes applied since the last snapshot. */
  readonly snapshotBytes: number
}

export interface SnapshotMakerPorts extends SnapshotThresholds {
  readonly clusterId: string
  readonly stateStore: StateStore
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  readonly defer: Defer
  readonly rare?: Rare
  readonly saved: (snapshot: SnapshotMeta) => void
  /** Indexes of the snapshots that peers are being fed, and that a later session resumes. */
  readonly fed: () => readonly number[]
  readonly failed: (thrown: unknown) => void
}

export class SnapshotMaker {
  readonly #ports: SnapshotMakerPorts
  #entries = 0
  #bytes = 0
  #run: Promise<void> | null = null
  #stopped = false
  #interrupted = false

  constructor(ports: SnapshotMakerPorts) {
    this.#ports = ports
  }

  get isRunning(): boolean {
    return this.#run !== null
  }

  /**
   * After a portion is applied and in the state store; nothing is written there until this
   * resolves, which is as soon as the consistent view is open.
   */
  async stored(portion: StoredPortion): Promise<void> {
    this.#entries += portion.entries
    this.#bytes += portion.bytes
    const { snapshotEntries, snapshotBytes, stateStore, rare } = this.#ports
    const isDue =
      this.#entries >= snapshotEntries ||
      this.#bytes >= snapshotBytes ||
      rare?.('snapshot-maker: a snapshot is due early') === true
    if (!isDue || this.#run !== null || this.#stopped) return
    const applied = await stateStore.readApplied()
    if (applied === null) return
    const view = stateStore.readAll()[Symbol.asyncIterator]()
    // The first step opens the view; later writes do not show in it.
    const first = await view.next()
    this.#entries = 0
    this.#bytes = 0
    this.#run = this.#save({ applied, configuration: portion.configuration }, first, view)
  }

  /** Another snapshot took the place of what was counted. */
  restored(): void {
    this.#entries = 0
    this.#bytes = 0
  }

  /** Gives up the snapshot under way; resolves when nothing reads the state store any more. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    await this.#run
    this.#interrupted = false
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.interrupt()
  }

  async #save(
    at: { readonly applied: AppliedPoint; readonly configuration: ConfigurationInForce },
    first: IteratorResult<StateRecord>,
    view: AsyncIterator<StateRecord>,
  ): Promise<void> {
    const { clusterId, logStore, snapshotStore, stateStore, rare, saved, fed, failed } = this.#ports
    const { applied } = at
    try {
      const index = logIndex(applied.index)
      const chain = await logStore.chainAt(index)
      // Another snapshot was installed meanwhile: this one is of no use.
      if (chain === null) return
      const { configuration, index: configurationIndex } = at.configuration
      const meta = { index, term: term(applied.term), configuration, configurationIndex }
      const head = { ...meta, clusterId, chain, stateDigest: applied.digest }
      const info = await snapshotStore.save(head, this.#checked(applied, first, view))
      if (rare?.('snapshot-maker: a snapshot is told late') === true) await this.#breathe()
      // A start from now on begins with this snapshot.
      await stateStore.settle(info.index)
      saved(metaOf(info))
      await snapshotStore.removeBelow(Math.min(info.index, ...fed()))
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) failed(thrown)
    } finally {
      await view.return?.()
      this.#run = null
    }
  }

  async *#checked(
    applied: AppliedPoint,
    first: IteratorResult<StateRecord>,
    view: AsyncIterator<StateRecord>,
  ): AsyncGenerator<StateRecord> {
    const digest = new MultisetDigest()
    let given = 0
    for (let next = first; next.done !== true; next = await view.next()) {
      const [key, value] = next.value
      digest.add(recordHash(key, value))
      yield next.value
      given += 1
      if (given % recordsAtOnce === 0) await this.#breathe()
    }
    if (digest.hex() === applied.digest) return
    // The next start must not build on what it did not read: it finds this, and rebuilds.
    await this.#ports.stateStore.forgetChanges()
    throw new CountersignError(
      'STORE_DAMAGED',
      `The state store does not hold the state of index ${String(applied.index)} that was applied. ` +
        'Start the node again: it rebuilds the state from snapshot and log.',
      { details: { index: applied.index } },
    )
  }

  async #breathe(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ports.defer(resolve)
    })
    if (this.#interrupted) throw new Interrupted()
  }
}

type StateRecord = readonly [key: string, value: Uint8Array]

/** The node stops, or its state is replaced: an unfinished snapshot is dropped. */
class Interrupted extends Error {}

export function metaOf({
  index,
  term: at,
  configuration,
  configurationIndex,
}: SnapshotInfo): SnapshotMeta {
  return { index, term: at, configuration, configurationIndex }
}
