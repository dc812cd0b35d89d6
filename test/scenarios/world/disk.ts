/**
 * The disk of one node: writes in order, each atomic, none before its turn. A crash loses what was
 * not synced. After every write the order of the stream is checked: an entry of term t on the disk
 * means that the disk's term is at least t.
 */
import {
  logIndex,
  term,
  type HardState,
  type PersistEffect,
  type SnapshotMeta,
} from '../../../src/raft/index.js'
import { StoredLog } from './stored-log.js'

/** A snapshot of the scenario's state machine: the commands applied so far, as text. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly commands: readonly string[]
}

export class Disk {
  hardState: HardState = { term: term(0), votedFor: null, commit: logIndex(0) }
  log = new StoredLog()
  held = false
  /** Handed over and not yet synced, oldest first. */
  queue: PersistEffect[] = []
  /** The latest one, own or installed; and every one that a peer may still be fetching. */
  private latest: StoredSnapshot
  private readonly snapshots = new Map<number, StoredSnapshot>()
  /** Fetched from a peer and not installed yet; a crash loses it. */
  staged: StoredSnapshot | null = null

  constructor(founding: SnapshotMeta) {
    this.latest = { meta: founding, commands: [] }
  }

  get snapshot(): StoredSnapshot {
    return this.latest
  }

  snapshotAt(index: number): StoredSnapshot | null {
    return this.snapshots.get(index) ?? null
  }

  save(snapshot: StoredSnapshot): void {
    this.latest = snapshot
    this.snapshots.set(snapshot.meta.index, snapshot)
  }

  /** Syncs the oldest write and returns it; null when none waits. */
  writeNext(): PersistEffect | null {
    const effect = this.queue.shift()
    if (effect === undefined) return null
    if (effect.install !== null) {
      const { staged } = this
      if (staged?.meta.index !== effect.install.index) {
        throw new Error(`snapshot ${String(effect.install.index)} was never fetched`)
      }
      this.save(staged)
      this.staged = null
    }
    if (effect.purgeTo !== null && effect.purgeTo > this.snapshot.meta.index) {
      throw new Error('the log is cut beyond the latest synced snapshot')
    }
    this.log.follow(effect)
    this.hardState = effect.hardState ?? this.hardState
    if (this.log.lastTerm > this.hardState.term) {
      throw new Error(
        `an entry of term ${String(this.log.lastTerm)} is on the disk, but its term is ${String(this.hardState.term)}`,
      )
    }
    return effect
  }

  /** `synced` writes of those under way reached the disk without anybody having heard of it. */
  crash(synced: number): void {
    for (let written = 0; written < synced; written += 1) {
      if (this.writeNext() === null) throw new Error('so many writes were not under way')
    }
    this.queue = []
    this.staged = null
    this.held = false
  }
}
