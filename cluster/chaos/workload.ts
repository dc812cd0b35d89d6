/** Clients that are always busy: changes, linearizable reads of paths and of changes. */
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../src/client/index.js'
import type { Arena } from './arena.js'
import { makeChange, readChange, readPath, type ChangeContext } from './change.js'
import { clientsMax, type Keys } from './keys.js'
import { codeOf } from './outcome.js'
import type { People } from './people.js'
import type { Recorder } from './recorder.js'
import type { SeededRandom } from './seeded-random.js'

/** Short, so that a client that met a fault is soon back; the client library retries inside. */
const deadlineMs = 3000
const recentMax = 32
const freshMax = 3

export interface WorkloadOptions {
  readonly arena: Arena
  readonly people: People
  readonly keys: Keys
  readonly recorder: Recorder
  readonly random: SeededRandom
}

export class Workload {
  readonly #options: WorkloadOptions
  readonly #stop = new AbortController()
  readonly #clients: readonly Promise<void>[]
  /** Ids of changes that other clients look at. */
  readonly #recent: string[] = []

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#clients = Array.from({ length: clientsMax }, (_, at) =>
      this.#run(`client-${at}`, options.random.fork()),
    )
  }

  /** Rejects when a client met what is no answer of a cluster. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#clients)
  }

  async #run(name: string, random: SeededRandom): Promise<void> {
    const { arena, people, recorder } = this.#options
    const { nodes, ca } = arena.cluster.file
    const addresses = random.shuffled(nodes.map((node) => node.client))
    const client = connect({ addresses, ca, deadlineMs })
    const context = { name, client, people, recorder, random }
    try {
      while (!this.#stop.signal.aborted) await this.#act(context)
    } finally {
      client.close()
    }
  }

  async #act(context: ChangeContext): Promise<void> {
    const { keys } = this.#options
    const { random } = context
    const kind = random.next()
    if (kind < 0.4) {
      const changeId = await makeChange(
        context,
        keys.pick(random),
        this.#options.recorder.newValue(),
      )
      if (changeId === undefined) return
      this.#recent.push(changeId)
      if (this.#recent.length > recentMax) this.#recent.shift()
    } else if (kind < 0.8 || this.#recent.length === 0) {
      const seen = await readPath(context, this.#keyToRead(context))
      if (seen === undefined) await delay(20)
    } else {
      await readChange(context, random.pick(this.#recent)).catch(codeOf)
    }
  }

  /** Half of the reads follow a write at once: that is when a stale answer shows. */
  #keyToRead({ random, recorder }: ChangeContext): string {
    const last = recorder.acknowledged.slice(-freshMax)
    if (last.length === 0 || random.chance(0.5)) return this.#options.keys.pick(random)
    return this.#options.keys.use(random.pick(last).path)
  }
}
