/**
 * The Raft log in LevelDB. One write is one synced batch {hard state, removed entries, new
 * entries}, then the guard record, then the promise resolves. A batch that moves only the commit
 * index is remembered and written with the next one (log-batch.ts says why that is safe).
 *
 * The first failure kills the store: what a failed fsync left on the disk is unknown, so every
 * later write rejects with the same error and the node ends.
 */
import { Level } from 'level'
import { invariant } from '../invariant.js'
import type { LogIndex, Term } from '../raft/index.js'
import { damaged, openFailure, writeFailure } from './failure.js'
import type { GuardFile } from './guard-file.js'
import { entryKey, raftKeys } from './keys.js'
import { isCommitOnly, nextLogEnd } from './log-batch.js'
import type { LogBatch, LogStore, RecoveredLog } from './log-store.js'
import {
  chainStart,
  decodeEntry,
  encodeEntry,
  encodeHardState,
  type GuardRecord,
  type HardStateRecord,
  type Identity,
} from './record.js'
import { recoverLog, type BinaryLevel } from './recover-log.js'

export async function openLevelLogStore(options: {
  readonly file: string
  readonly guardFile: string
  readonly identity: Identity
  readonly guard: GuardFile
  readonly newestGuard: GuardRecord
}): Promise<{ logStore: LogStore; recovered: RecoveredLog }> {
  const { file, guardFile, identity, guard, newestGuard } = options
  const db = await openLevel(file)
  try {
    const checked = await recoverLog({ db, file, guardFile, identity, guard: newestGuard })
    const { term, votedFor, commit } = checked.hardState
    const recovered: RecoveredLog = {
      hardState: { term: term as Term, votedFor, commit: commit as LogIndex },
      entries: checked.entries,
    }
    const store = new LevelLogStore({ db, file, guard, identity, head: checked.hardState })
    return { logStore: store, recovered }
  } catch (thrown) {
    await db.close()
    throw openFailure(file, thrown)
  }
}

async function openLevel(file: string): Promise<BinaryLevel> {
  const db: BinaryLevel = new Level(file, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: false,
  })
  try {
    await db.open()
    return db
  } catch (thrown) {
    throw openFailure(file, thrown)
  }
}

class LevelLogStore implements LogStore {
  readonly #db: BinaryLevel
  readonly #file: string
  readonly #guard: GuardFile
  readonly #identity: Identity
  #head: HardStateRecord
  /** The commit index that the disk knows; #head may be ahead of it. */
  #writtenCommit: number
  #failure: Error | null = null
  #writing = false
  #closed = false

  constructor(options: {
    readonly db: BinaryLevel
    readonly file: string
    readonly guard: GuardFile
    readonly identity: Identity
    readonly head: HardStateRecord
  }) {
    this.#db = options.db
    this.#file = options.file
    this.#guard = options.guard
    this.#identity = options.identity
    this.#head = options.head
    this.#writtenCommit = options.head.commit
  }

  async write(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    invariant(!this.#closed, 'Nothing is written to a closed store.')
    invariant(!this.#writing, 'Batches are awaited one by one by a single writer.')
    this.#writing = true
    try {
      await this.#writeBatch(batch)
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : writeFailure(this.#file, thrown)
      throw this.#failure
    } finally {
      this.#writing = false
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      if (this.#failure === null && this.#head.commit > this.#writtenCommit) {
        await this.#commitToDisk({ ...this.#head, generation: this.#head.generation + 1 }, [])
      }
    } finally {
      await this.#db.close()
      await this.#guard.close()
    }
  }

  async #writeBatch(batch: LogBatch): Promise<void> {
    const kept = await this.#endAfterTruncation(batch.truncateAfter)
    const end = nextLogEnd(this.#head, batch, kept.lastTerm)
    if (isCommitOnly(this.#head, batch)) {
      this.#head = { ...this.#head, commit: end.commit }
      return
    }
    const operations: BatchOperation[] = []
    const removed = batch.truncateAfter ?? this.#head.lastIndex
    for (let index = end.lastIndex + 1; index <= this.#head.lastIndex; index += 1) {
      if (index > removed) operations.push({ type: 'del', key: entryKey(index) })
    }
    let chain = kept.lastChain
    for (const entry of batch.entries) {
      const encoded = encodeEntry(entry, chain)
      operations.push({ type: 'put', key: entryKey(entry.index), value: encoded.value })
      chain = encoded.chain
    }
    const { generation, firstIndex } = this.#head
    await this.#commitToDisk(
      { ...end, generation: generation + 1, firstIndex, lastChain: chain },
      operations,
    )
  }

  async #commitToDisk(head: HardStateRecord, operations: readonly BatchOperation[]): Promise<void> {
    const { clusterId, incarnation } = this.#identity
    try {
      await this.#db.batch(
        [...operations, { type: 'put', key: raftKeys.hardState, value: encodeHardState(head) }],
        { sync: true },
      )
      await this.#guard.write({ ...head, clusterId, incarnation })
    } catch (thrown) {
      throw writeFailure(this.#file, thrown)
    }
    this.#head = head
    this.#writtenCommit = head.commit
  }

  async #endAfterTruncation(
    truncateAfter: LogIndex | null,
  ): Promise<{ readonly lastTerm: number; readonly lastChain: Buffer }> {
    if (truncateAfter === null || truncateAfter === this.#head.lastIndex) return this.#head
    invariant(truncateAfter < this.#head.lastIndex, 'The log is truncated below its end.', {
      truncateAfter,
      lastIndex: this.#head.lastIndex,
    })
    if (truncateAfter === 0) {
      return { lastTerm: 0, lastChain: chainStart(this.#identity.clusterId) }
    }
    const key = `entry ${String(truncateAfter)}`
    // The declared type leaves out what a missing key gives.
    const value = (await this.#db.get(entryKey(truncateAfter))) as Buffer | undefined
    const decoded = value === undefined ? null : decodeEntry(truncateAfter, value)
    if (decoded?.kind !== 'ok') throw damaged(this.#file, key, decoded?.why ?? 'is missing')
    return { lastTerm: decoded.entry.term, lastChain: decoded.chain }
  }
}

type BatchOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }
