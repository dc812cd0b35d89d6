/** Snapshots in memory, for tests and simulation: the store of files, over files in memory. */
import { openSnapshotStore } from './file-snapshot-store.js'
import { MemoryFiles } from './memory-files.js'
import type { SnapshotInfo, SnapshotStore } from './snapshot-store.js'

/** What survives a crash of a memory snapshot store; `files` may be tampered with by tests. */
export class MemorySnapshotDisk {
  readonly files = new MemoryFiles()
  readonly #clusterId: string
  readonly #nowMs: () => number
  #opened: SnapshotStore | null = null

  constructor(clusterId: string, nowMs: () => number = () => 0) {
    this.#clusterId = clusterId
    this.#nowMs = nowMs
  }

  async open(): Promise<SnapshotStore> {
    const { snapshots } = await openSnapshotStore({
      files: this.files,
      directory: 'snapshots',
      clusterId: this.#clusterId,
      nowMs: this.#nowMs,
    })
    this.#opened = snapshots
    return snapshots
  }

  /** Of the store that was opened last, for a log store on the same disk. */
  latest(atMost?: number): SnapshotInfo | null {
    return this.#opened?.latest(atMost) ?? null
  }

  info(index: number): SnapshotInfo | null {
    return this.#opened?.info(index) ?? null
  }
}
