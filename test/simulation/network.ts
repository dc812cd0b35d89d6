/** Messages between nodes: late, lost, repeated, overtaken, or cut off, in either direction. */
import type { Message, NodeId } from '../../src/raft/index.js'
import type { EventDigest } from './digest.js'
import type { SimulationOptions } from './options.js'
import type { SeededRandom } from './random.js'
import type { Schedule } from './schedule.js'

export class Network {
  faulty = true
  deliver: (message: Message) => void = () => undefined
  faults = 0
  private readonly options: SimulationOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly digest: EventDigest
  /** Directed links, `from>to`, that let nothing through. */
  private readonly cut = new Set<string>()
  /** Delivery on one link is in order, as on a stream, unless a message is let be overtaken. */
  private readonly lastAtMs = new Map<string, number>()

  constructor(
    options: SimulationOptions,
    schedule: Schedule,
    random: SeededRandom,
    digest: EventDigest,
  ) {
    this.options = options
    this.schedule = schedule
    this.random = random
    this.digest = digest
  }

  send(message: Message): void {
    const { random, options } = this
    if (this.faulty && random.chance(options.dropChance)) {
      this.faults += 1
      return
    }
    this.post(message)
    if (this.faulty && random.chance(options.duplicateChance)) {
      this.faults += 1
      this.post(message)
    }
  }

  /** How long a fetch takes: a request, and an answer that is large. */
  fetchMs(): number {
    const { delayMinMs, delayMeanMs } = this.options
    return 2 * (delayMinMs + delayMeanMs) + this.random.between(0, 400)
  }

  /** May a transfer that is under way come to nothing? */
  loses(): boolean {
    return this.faulty && this.random.chance(this.options.dropChance)
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cut.has(`${from}>${to}`)
  }

  cutLink(from: NodeId, to: NodeId): void {
    this.cut.add(`${from}>${to}`)
  }

  /** Returns the links that are whole again. */
  heal(): string[] {
    const healed = [...this.cut]
    this.cut.clear()
    return healed
  }

  private post(message: Message): void {
    const { random, options, schedule } = this
    const link = `${message.from}>${message.to}`
    const exponential = -Math.log(1 - random.next()) * options.delayMeanMs
    let atMs = schedule.nowMs + options.delayMinMs + exponential
    if (this.faulty && random.chance(options.reorderChance)) {
      this.faults += 1
      atMs += random.between(0, 500)
    } else {
      atMs = Math.max(atMs, this.lastAtMs.get(link) ?? 0)
      this.lastAtMs.set(link, atMs)
    }
    schedule.after(atMs - schedule.nowMs, () => {
      if (this.isCut(message.from, message.to)) return
      this.digest.add(schedule.nowMs, message.kind, link, message.term)
      this.deliver(message)
    })
  }
}
