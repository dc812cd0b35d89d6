/**
 * One node's disk: writes in order, one at a time, each atomic. A crash loses what was not synced,
 * except that the write under way may have reached the disk without anybody having heard of it.
 * Snapshots are whole or absent; one that was fetched may stand there before the log is cut for it.
 */
import {
  decodeConfiguration,
  foundingSnapshot,
  logIndex,
  origin,
  term,
  type Configuration,
  type Entry,
  type HardState,
  type LogAnchor,
  type NodeId,
  type PersistEffect,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import type { SimulationOptions } from './options.js'
import type { SeededRandom } from './random.js'
import type { RegisterValues } from './register.js'
import type { Schedule } from './schedule.js'

export interface SavedSnapshot {
  readonly meta: SnapshotMeta
  readonly values: RegisterValues
}

export class Disk {
  hardState: HardState = { term: term(0), votedFor: null, commit: logIndex(0) }
  /** The position before the first of `entries`. */
  anchor: LogAnchor = origin
  readonly entries: Entry[] = []
  snapshot: SavedSnapshot
  slow = false
  private readonly options: SimulationOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private queue: { readonly effect: PersistEffect; readonly done: () => void }[] = []
  private writing = false
  /** Completions of a process that is gone reach nobody. */
  private life = 0
  private staleHardState: HardState = this.hardState

  constructor(
    options: SimulationOptions,
    schedule: Schedule,
    random: SeededRandom,
    founders: readonly NodeId[],
  ) {
    this.options = options
    this.schedule = schedule
    this.random = random
    this.snapshot = { meta: foundingSnapshot(founders), values: new Map() }
  }

  write(effect: PersistEffect, done: () => void): void {
    this.queue.push({ effect, done })
    if (!this.writing) this.startNext()
  }

  /** Writes a snapshot beside everything else; `done` when it is synced and verified. */
  save(snapshot: SavedSnapshot, done: () => void): void {
    const { life } = this
    this.schedule.after(this.latencyMs() * 3, () => {
      if (life !== this.life) return
      if (snapshot.meta.index > this.snapshot.meta.index) this.snapshot = snapshot
      done()
    })
  }

  /** Is this entry on the disk for certain, itself or behind a snapshot? */
  holds(entry: Entry): boolean {
    if (entry.index <= this.anchor.index) return true
    return this.entries[entry.index - this.anchor.index - 1]?.term === entry.term
  }

  get lastIndex(): number {
    return this.anchor.index + this.entries.length
  }

  /** Of the last configuration entry, else of the snapshot. */
  get configuration(): Configuration {
    const entry = this.entries.findLast(({ kind }) => kind === 'configuration')
    const decoded = entry === undefined ? null : decodeConfiguration(entry.payload)
    return decoded ?? this.snapshot.meta.configuration
  }

  /**
   * What every start does first: a snapshot whose install the crash cut off is installed now. It
   * holds committed state only, whoever leads today.
   */
  finishInstall(): void {
    const { meta } = this.snapshot
    const at = this.entries[meta.index - this.anchor.index - 1]
    if (meta.index <= this.anchor.index || at?.term === meta.term) return
    const { term, votedFor, commit } = this.hardState
    this.hardState = {
      term: meta.term > term ? meta.term : term,
      votedFor: meta.term > term ? null : votedFor,
      commit: logIndex(Math.max(commit, meta.index)),
    }
    this.anchor = { index: meta.index, term: meta.term }
    this.entries.length = 0
  }

  crash(): void {
    const first = this.queue[0]
    if (first !== undefined && this.random.chance(this.options.unsyncedSurvivesChance)) {
      this.put(first.effect)
    }
    this.queue = []
    this.writing = false
    this.life += 1
    if (this.options.mutant === 'disk forgets synced votes') {
      const term = this.staleHardState.term
      const last = this.entries.at(-1)
      // As old as it can be without contradicting the log beside it.
      if (last === undefined || last.term <= term) {
        this.hardState = { ...this.staleHardState, commit: logIndex(0) }
      }
    }
    if (this.options.mutant === 'disk loses synced entries') {
      this.entries.length = Math.floor(this.entries.length / 2)
      this.hardState = { ...this.hardState, commit: logIndex(0) }
    }
  }

  private startNext(): void {
    const first = this.queue[0]
    if (first === undefined) return
    this.writing = true
    const { life } = this
    const { hardState, entries, install, purgeTo } = first.effect
    const work = hardState !== null || entries.length > 0 || install !== null || purgeTo !== null
    this.schedule.after(work ? this.latencyMs() : 0, () => {
      if (life !== this.life) return
      this.put(first.effect)
      this.queue.shift()
      this.writing = false
      first.done()
      this.startNext()
    })
  }

  private latencyMs(): number {
    return -Math.log(1 - this.random.next()) * (this.slow ? 800 : this.options.diskMeanMs)
  }

  private put(effect: PersistEffect): void {
    const { install, truncateAfter, purgeTo } = effect
    if (install !== null) {
      this.anchor = { index: install.index, term: install.term }
      this.entries.length = 0
    }
    if (truncateAfter !== null) this.entries.length = truncateAfter - this.anchor.index
    this.entries.push(...effect.entries)
    if (purgeTo !== null && purgeTo > this.anchor.index) {
      const count = purgeTo - this.anchor.index
      const last = this.entries[count - 1]
      if (last === undefined || purgeTo > this.snapshot.meta.index) {
        throw new Error(`the log is cut at ${String(purgeTo)}, where no snapshot covers it`)
      }
      this.entries.splice(0, count)
      this.anchor = { index: last.index, term: last.term }
    }
    if (effect.hardState !== null) {
      if (effect.hardState.term !== this.hardState.term) this.staleHardState = this.hardState
      this.hardState = effect.hardState
    }
  }
}
