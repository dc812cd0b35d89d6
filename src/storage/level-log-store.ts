/**
 * The Raft log in LevelDB. One write is one synced batch {hard state, anchor, removed entries, new
 * entries}, then the guard record, then the promise resolves. A batch that moves only the commit
 * index is remembered and written with the next one (log-batch.ts says why that is safe).
 *
 * The first failure kills the store: what a failed fsync left on the disk is unknown, so every
 * later write rejects with the same error and the node ends.
 */
import { invariant } from '../invariant.js'
import type { LogIndex } from '../raft/index.js'
import type { BinaryLevel } from './disk.js'
import { damaged, writeFailure } from './failure.js'
import type { GuardFile } from './guard-file.js'
import { entryKey, raftKeys } from './keys.js'
import { checkPurge, endAfterInstall, isCommitOnly, nextLogEnd } from './log-batch.js'
import type { LogBatch, LogStore, VerifiableLog } from './log-store.js'
import {
  decodeEntry,
  encodeAnchor,
  encodeEntry,
  encodeHardState,
  type Anchor,
  type ChainPoint,
  type HardStateRecord,
  type Identity,
} from './record.js'
import type { SnapshotStore } from './snapshot-store.js'
import { findDamage } from './verify-log.js'

export class LevelLogStore implements LogStore, VerifiableLog {
  readonly #db: BinaryLevel
  readonly #file: string
  readonly #guard: GuardFile
  readonly #identity: Identity
  readonly #snapshots: SnapshotStore
  #head: HardStateRecord
  #anchor: Anchor
  /** The commit index that the disk knows; #head may be ahead of it. */
  #writtenCommit: number
  #failure: Error | null = null
  #writing = false
  #closed = false
  /** Grows before and after each write that takes entries away; odd while one is under way. Closing counts. */
  #cuts = 0

  constructor(options: {
    readonly db: BinaryLevel
    readonly file: string
    readonly guard: GuardFile
    readonly identity: Identity
    readonly snapshots: SnapshotStore
    readonly head: HardStateRecord
    readonly anchor: Anchor
  }) {
    this.#db = options.db
    this.#file = options.file
    this.#guard = options.guard
    this.#identity = options.identity
    this.#snapshots = options.snapshots
    this.#head = options.head
    this.#anchor = options.anchor
    this.#writtenCommit = options.head.commit
  }

  async write(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    invariant(!this.#closed, 'Nothing is written to a closed store.')
    invariant(!this.#writing, 'Batches are awaited one by one by a single writer.')
    this.#writing = true
    const isCut = batch.truncateAfter !== null || batch.purgeTo !== null || batch.install !== null
    if (isCut) this.#cuts += 1
    try {
      await this.#writeBatch(batch)
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : writeFailure(this.#file, thrown)
      throw this.#failure
    } finally {
      this.#writing = false
      if (isCut) this.#cuts += 1
    }
  }

  async chainAt(index: LogIndex): Promise<string | null> {
    const isKept = index >= this.#anchor.index && index <= this.#head.lastIndex
    return isKept ? (await this.#pointAt(index)).chain.toString('hex') : null
  }

  async verify(first: LogIndex, entriesMax: number): Promise<LogIndex | null> {
    const [head, anchor, cuts] = [this.#head, this.#anchor, this.#cuts]
    const from = Math.max(first, anchor.index + 1)
    const to = Math.min(from + entriesMax - 1, head.lastIndex)
    if (to < from || this.#closed) return null
    const damage = await findDamage({
      db: this.#db,
      file: this.#file,
      before: () => (from === anchor.index + 1 ? Promise.resolve(anchor) : this.#pointAt(from - 1)),
      from,
      to,
    })
    const wasCut = this.#cuts !== cuts || cuts % 2 === 1
    // What does not fit may be of before or after the cut.
    if (damage !== null && wasCut) return from as LogIndex
    if (damage !== null) throw damage
    return to === head.lastIndex ? null : ((to + 1) as LogIndex)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cuts += 1
    try {
      if (this.#failure === null && this.#head.commit > this.#writtenCommit) {
        const head = { ...this.#head, generation: this.#head.generation + 1 }
        await this.#commitToDisk(head, this.#anchor, [])
      }
    } finally {
      await this.#db.close()
      await this.#guard.close()
    }
  }

  async #writeBatch(batch: LogBatch): Promise<void> {
    const start = this.#startOf(batch)
    const kept =
      batch.truncateAfter === null || batch.truncateAfter === start.head.lastIndex
        ? { term: start.head.lastTerm, chain: start.head.lastChain }
        : await this.#truncationPoint(batch.truncateAfter, start)
    const end = nextLogEnd(start.head, batch, kept.term)
    if (isCommitOnly(this.#head, batch)) {
      this.#head = { ...this.#head, commit: end.commit }
      return
    }
    const points: ChainPoint[] = []
    const puts: BatchOperation[] = []
    let chain = kept.chain
    for (const entry of batch.entries) {
      const encoded = encodeEntry(entry, chain)
      puts.push({ type: 'put', key: entryKey(entry.index), value: encoded.value })
      chain = encoded.chain
      points.push({ index: entry.index, term: entry.term, chain })
    }
    const anchor =
      batch.purgeTo === null
        ? start.anchor
        : await this.#anchorAfterPurge(batch.purgeTo, start, end, points)
    const purged = points.filter(({ index }) => index <= anchor.index).length
    const head: HardStateRecord = {
      ...end,
      generation: this.#head.generation + 1,
      firstIndex: anchor.index + 1,
      lastChain: chain,
    }
    const operations = [...this.#removals(anchor, end.lastIndex), ...puts.slice(purged)]
    await this.#commitToDisk(head, anchor, operations)
  }

  /** Where the rest of the batch goes on from: here, or after the snapshot that it installs. */
  #startOf({ install }: LogBatch): LogStart {
    if (install === null) return { head: this.#head, anchor: this.#anchor }
    const found = this.#snapshots.info(install.index)
    const { snapshot, ...end } = endAfterInstall(this.#head, install, found)
    const chain = Buffer.from(snapshot.chain, 'hex')
    const { index, term, digest } = snapshot
    return {
      head: { ...this.#head, ...end, lastChain: chain },
      anchor: { index, term, chain, snapshot: { index, digest } },
    }
  }

  async #truncationPoint(index: number, { head, anchor }: LogStart): Promise<ChainPoint> {
    invariant(
      index < head.lastIndex && index >= anchor.index,
      'The log is truncated below its end and not below its anchor.',
      { truncateAfter: index, lastIndex: head.lastIndex, anchor: anchor.index },
    )
    return index === anchor.index ? anchor : this.#pointAt(index)
  }

  async #anchorAfterPurge(
    purgeTo: number,
    { anchor }: LogStart,
    end: Parameters<typeof checkPurge>[2],
    appended: readonly ChainPoint[],
  ): Promise<Anchor> {
    const snapshot = this.#snapshots.latest(end.lastIndex)
    checkPurge(purgeTo, anchor.index, end, snapshot)
    const point = appended.find(({ index }) => index === purgeTo) ?? (await this.#pointAt(purgeTo))
    const { index, term, chain } = point
    return { index, term, chain, snapshot: { index: snapshot.index, digest: snapshot.digest } }
  }

  /** Keys on the disk below the new first entry or behind the new end; the rest is overwritten. */
  #removals(anchor: Anchor, lastIndex: number): BatchOperation[] {
    const operations: BatchOperation[] = []
    const remove = (from: number, to: number): void => {
      for (let index = from; index <= to; index += 1) {
        operations.push({ type: 'del', key: entryKey(index) })
      }
    }
    const { firstIndex, lastIndex: lastOnDisk } = this.#head
    remove(firstIndex, Math.min(anchor.index, lastOnDisk))
    remove(Math.max(firstIndex, lastIndex + 1, anchor.index + 1), lastOnDisk)
    return operations
  }

  async #commitToDisk(
    head: HardStateRecord,
    anchor: Anchor,
    operations: readonly BatchOperation[],
  ): Promise<void> {
    const { clusterId, incarnation } = this.#identity
    const records: BatchOperation[] = [
      { type: 'put', key: raftKeys.hardState, value: encodeHardState(head) },
    ]
    if (anchor !== this.#anchor) {
      records.push({ type: 'put', key: raftKeys.anchor, value: encodeAnchor(anchor) })
    }
    try {
      await this.#db.batch([...operations, ...records], { sync: true })
      await this.#guard.write({ ...head, clusterId, incarnation })
    } catch (thrown) {
      throw writeFailure(this.#file, thrown)
    }
    this.#head = head
    this.#anchor = anchor
    this.#writtenCommit = head.commit
  }

  /** The durable position at an index of the log. */
  async #pointAt(index: number): Promise<ChainPoint> {
    const { lastIndex, lastTerm, lastChain } = this.#head
    if (index === this.#anchor.index) return this.#anchor
    if (index === lastIndex) return { index, term: lastTerm, chain: lastChain }
    // The declared type leaves out what a missing key gives.
    const value = (await this.#db.get(entryKey(index))) as Buffer | undefined
    const decoded = value === undefined ? null : decodeEntry(index, value)
    if (decoded?.kind === 'ok') {
      return { index, term: decoded.entry.term, chain: decoded.chain }
    }
    throw damaged(this.#file, `entry ${String(index)}`, decoded?.why ?? 'is missing')
  }
}

interface LogStart {
  readonly head: HardStateRecord
  readonly anchor: Anchor
}

type BatchOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }
