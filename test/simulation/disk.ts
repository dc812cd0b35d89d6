/**
 * One node's disk: writes in order, one at a time, each atomic. A crash loses what was not synced,
 * except that the write under way may have reached the disk without anybody having heard of it.
 */
import { logIndex, type Entry, type HardState, type PersistEffect } from '../../src/raft/index.js'
import type { SimulationOptions } from './options.js'
import type { SeededRandom } from './random.js'
import type { Schedule } from './schedule.js'
import { term } from '../../src/raft/index.js'

export class Disk {
  hardState: HardState = { term: term(0), votedFor: null, commit: logIndex(0) }
  readonly entries: Entry[] = []
  slow = false
  private readonly options: SimulationOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private queue: { readonly effect: PersistEffect; readonly done: () => void }[] = []
  private writing = false
  /** Completions of a process that is gone reach nobody. */
  private life = 0
  private staleHardState: HardState = this.hardState

  constructor(options: SimulationOptions, schedule: Schedule, random: SeededRandom) {
    this.options = options
    this.schedule = schedule
    this.random = random
  }

  write(effect: PersistEffect, done: () => void): void {
    this.queue.push({ effect, done })
    if (!this.writing) this.startNext()
  }

  /** Is this entry on the disk for certain? */
  holds(entry: Entry): boolean {
    return this.entries[entry.index - 1]?.term === entry.term
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
    const work = first.effect.hardState !== null || first.effect.entries.length > 0
    const mean = this.slow ? 800 : this.options.diskMeanMs
    const ms = work ? -Math.log(1 - this.random.next()) * mean : 0
    this.schedule.after(ms, () => {
      if (life !== this.life) return
      this.put(first.effect)
      this.queue.shift()
      this.writing = false
      first.done()
      this.startNext()
    })
  }

  private put(effect: PersistEffect): void {
    if (effect.truncateAfter !== null) this.entries.length = effect.truncateAfter
    this.entries.push(...effect.entries)
    if (effect.hardState !== null) {
      if (effect.hardState.term !== this.hardState.term) this.staleHardState = this.hardState
      this.hardState = effect.hardState
    }
  }
}
