/** The log store in memory, for tests and simulation. A crash is: drop the store, open it again. */
import { invariant } from '../invariant.js'
import type { Entry, HardState, LogAnchor, LogIndex, Term } from '../raft/index.js'
import { checkPurge, endAfterInstall, nextLogEnd, type LogEnd } from './log-batch.js'
import type { LogBatch, LogStore, RecoveredLog } from './log-store.js'
import { chainAfter, chainStart, entryDigest } from './record.js'
import type { SnapshotStore } from './snapshot-store.js'

interface KeptEntry {
  readonly entry: Entry
  readonly chain: Buffer
}

/** What survives a crash of a memory log store. */
export class MemoryLogDisk {
  readonly #snapshots: Pick<SnapshotStore, 'latest' | 'info'>
  #hardState: HardState = { term: 0 as Term, votedFor: null, commit: 0 as LogIndex }
  #anchor: LogAnchor & { readonly chain: Buffer }
  #entries: readonly KeptEntry[] = []

  /** `snapshots`: where installed snapshots and those behind a purge are looked up. */
  constructor(
    clusterId = '00'.repeat(32),
    snapshots: Pick<SnapshotStore, 'latest' | 'info'> = { latest: () => null, info: () => null },
  ) {
    this.#snapshots = snapshots
    this.#anchor = { index: 0 as LogIndex, term: 0 as Term, chain: chainStart(clusterId) }
  }

  open(): { logStore: LogStore; recovered: RecoveredLog } {
    const { index, term } = this.#anchor
    const entries = this.#entries.map(({ entry }) => entry)
    const recovered = { hardState: this.#hardState, anchor: { index, term }, entries }
    return { logStore: new MemoryLogStore(this), recovered }
  }

  chainAt(index: LogIndex): string | null {
    if (index === this.#anchor.index) return this.#anchor.chain.toString('hex')
    return this.#entries[index - this.#anchor.index - 1]?.chain.toString('hex') ?? null
  }

  apply(batch: LogBatch): void {
    const { install, purgeTo, truncateAfter } = batch
    const last = this.#entries.at(-1)?.entry ?? this.#anchor
    let start: LogEnd = { ...this.#hardState, lastIndex: last.index, lastTerm: last.term }
    let anchor = this.#anchor
    let kept = this.#entries
    if (install !== null) {
      const { snapshot, ...end } = endAfterInstall(
        start,
        install,
        this.#snapshots.info(install.index),
      )
      start = end
      const { index, term } = snapshot
      anchor = { index, term, chain: Buffer.from(snapshot.chain, 'hex') }
      kept = []
    }
    if (truncateAfter !== null) kept = kept.slice(0, Math.max(0, truncateAfter - anchor.index))
    const end = nextLogEnd(start, batch, (kept.at(-1)?.entry ?? anchor).term)
    let chain = kept.at(-1)?.chain ?? anchor.chain
    const appended = batch.entries.map((entry) => {
      chain = chainAfter(chain, entryDigest(entry))
      return { entry, chain }
    })
    let entries = [...kept, ...appended]
    if (purgeTo !== null) {
      checkPurge(purgeTo, anchor.index, end, this.#snapshots.latest(end.lastIndex))
      const cut = entries[purgeTo - anchor.index - 1]
      invariant(cut, 'What is purged is in the log.', { purgeTo })
      entries = entries.slice(purgeTo - anchor.index)
      anchor = { index: cut.entry.index, term: cut.entry.term, chain: cut.chain }
    }
    this.#anchor = anchor
    this.#entries = entries
    this.#hardState = {
      term: end.term as Term,
      votedFor: end.votedFor,
      commit: end.commit as LogIndex,
    }
  }
}

class MemoryLogStore implements LogStore {
  readonly #disk: MemoryLogDisk
  #failure: Error | null = null
  #writing = false
  #closed = false

  constructor(disk: MemoryLogDisk) {
    this.#disk = disk
  }

  async write(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    invariant(!this.#closed, 'Nothing is written to a closed store.')
    invariant(!this.#writing, 'Batches are awaited one by one by a single writer.')
    this.#writing = true
    await Promise.resolve()
    this.#writing = false
    try {
      this.#disk.apply(batch)
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : new Error(String(thrown))
      throw this.#failure
    }
  }

  chainAt(index: LogIndex): Promise<string | null> {
    return Promise.resolve(this.#disk.chainAt(index))
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}
