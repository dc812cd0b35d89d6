/**
 * Clients that keep to one node each. Others go to the leader and leave a deposed one at once; the
 * readers here stay for as long as their node does not say that another one leads, so an old leader
 * that answers from what it had when it was cut off is seen. The writers are at work as soon as
 * their own node leads: what is stale must first have been overwritten.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type CountersignClient } from '../../src/client/index.js'
import type { Arena } from './arena.js'
import { makeChange, readPath, type ChangeContext } from './change.js'
import type { Keys } from './keys.js'
import type { Recorder } from './recorder.js'
import type { SeededRandom } from './seeded-random.js'

/** Short, so that one of the questions to a frozen node is young when it wakes up. */
const deadlineMs = 600
const statusDeadlineMs = 150
const restMs = { readers: 10, writers: 40 } as const
const freshMax = 3

type Role = string | undefined

export interface DirectClientsOptions {
  readonly arena: Arena
  readonly people: ChangeContext['people']
  readonly keys: Keys
  readonly recorder: Recorder
  readonly random: SeededRandom
}

export class DirectClients {
  readonly #options: DirectClientsOptions
  readonly #stop = new AbortController()
  readonly #clients: readonly Promise<void>[]

  constructor(options: DirectClientsOptions) {
    this.#options = options
    this.#clients = options.arena.cluster.file.nodes.flatMap(({ id, client }) => [
      this.#run('readers', `reader-at-${id}`, client),
      this.#run('writers', `writer-at-${id}`, client),
    ])
  }

  /** Rejects when a client met what is no answer of a cluster. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#clients)
  }

  async #run(kind: 'readers' | 'writers', name: string, address: string): Promise<void> {
    const { arena, people, recorder } = this.#options
    const { ca } = arena.cluster.file
    const random = this.#options.random.fork()
    let client: CountersignClient | undefined
    try {
      while (!this.#stop.signal.aborted) {
        client ??= connect({ addresses: [address], ca, deadlineMs })
        const role = await roleOf(client, address)
        const context = { name, client, people, recorder, random }
        if (role !== 'leader' && role !== undefined) {
          // A refusal has told it who leads, and it would go there: only a new one stays here.
          client.close()
          client = undefined
        } else if (kind === 'readers') {
          await readPath(context, this.#freshKey(random))
        } else if (role === 'leader') {
          await makeChange(context, this.#freshKey(random), recorder.newValue())
        }
        await delay(restMs[kind])
      }
    } finally {
      client?.close()
    }
  }

  /** Few keys, and those that were just written: a stale answer to them is wrong without doubt. */
  #freshKey(random: SeededRandom): string {
    const { keys, recorder } = this.#options
    const last = recorder.acknowledged.slice(-freshMax)
    return last.length === 0 ? keys.pick(random) : keys.use(random.pick(last).path)
  }
}

/** Undefined when the node does not answer: a silent one may still believe that it leads. */
async function roleOf(client: CountersignClient, address: string): Promise<Role> {
  const status = await client
    .status(address, { deadlineMs: statusDeadlineMs })
    .catch(() => undefined)
  return status?.role
}
