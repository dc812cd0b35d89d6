/** Clients that follow a prefix over every death of the node that serves them. */
import type { WatchBatch } from '../../../src/node/ports.js'
import { OracleViolation } from '../oracles.js'
import type { SeededRandom } from '../random.js'
import type { Schedule } from '../schedule.js'
import { watchedPrefix, type Ledger } from './ledger.js'
import type { ClusterMutant } from './options.js'
import type { Server } from './server.js'

/** Resumes after the last revision that it saw, on some node that lives, for ever. */
export class Watcher {
  batches = 0
  private readonly name: string
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly servers: readonly Server[]
  private readonly ledger: Ledger
  private readonly mutant: ClusterMutant | null
  private readonly violated: (thrown: unknown) => void
  /** Activations delivered so far: the next one in the ledger must come next. */
  private seen = 0
  private lastRevision = 0

  constructor(
    name: string,
    world: {
      readonly schedule: Schedule
      readonly servers: readonly Server[]
      readonly ledger: Ledger
      readonly mutant: ClusterMutant | null
      readonly violated: (thrown: unknown) => void
    },
    random: SeededRandom,
  ) {
    this.name = name
    this.schedule = world.schedule
    this.servers = world.servers
    this.ledger = world.ledger
    this.mutant = world.mutant
    this.violated = world.violated
    this.random = random
  }

  follow(): void {
    const server = this.random.pick(this.servers)
    const { node, process } = server
    // As the API does: a node that was removed or knows no leader shows an old state.
    if (node === null || process === null || !node.status().ready) {
      this.later()
      return
    }
    let isHere = true
    const subscription = node.watch(
      { prefix: watchedPrefix, afterRevision: this.lastRevision },
      (batch) => {
        if (isHere) this.take(batch)
      },
    )
    const leave = (): void => {
      if (!isHere) return
      isHere = false
      subscription.close()
      this.later()
    }
    process.onDeath(leave)
    // A client that moves on: it must find everything where it left.
    this.schedule.after(this.random.between(500, 10_000), leave)
  }

  /** All that the ledger knows has arrived. */
  get isUpToDate(): boolean {
    return this.seen === this.ledger.watched.length
  }

  private later(): void {
    this.schedule.after(this.random.between(1, 300), () => {
      this.follow()
    })
  }

  private take(batch: WatchBatch): void {
    this.batches += 1
    const expected = this.ledger.watched[this.seen]
    if (batch.revision !== expected?.index || batch.changeId !== expected.changeId) {
      // A throw would only end the watch: the node shields itself from its subscribers.
      const facts = {
        watcher: this.name,
        revision: batch.revision,
        changeId: batch.changeId,
        expected,
      }
      this.violated(
        new OracleViolation('a watch is in order, without a gap or a repetition', facts),
      )
      return
    }
    this.seen += 1
    this.lastRevision = batch.revision
    if (this.mutant === 'a watcher loses a batch' && this.random.chance(0.05)) this.seen += 1
  }
}
