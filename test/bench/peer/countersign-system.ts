/** Three real nodes of this build as a {@link System}: TLS, signatures and approvals as always. */
import path from 'node:path'
import type { CountersignClient } from '../../../src/client/index.js'
import { changesMethods } from '../../../src/wire/index.js'
import type { NodeProcess } from '../../../cluster/node-process.js'
import { startBenchCluster, type BenchCluster } from '../bench-cluster.js'
import { approval, freshPath, proposal, rulesDigestOf, withdrawal } from '../messages.js'
import { MemberCalls } from './member-calls.js'
import type { Attempt, Lane, Member, System } from './system.js'

const readPath = '/prod/bench/read'
/** Longer than any failover takes, so that an attempt that hangs is no failed one. */
const attemptMs = 5_000

export async function startCountersignSystem(valueBytes: number): Promise<System> {
  const cluster = await startBenchCluster()
  return new CountersignSystem(cluster, valueBytes)
}

class CountersignSystem implements System {
  readonly name = 'countersign'
  readonly version = 'this build'
  readonly #cluster: BenchCluster
  readonly #client: CountersignClient
  readonly #calls: MemberCalls
  readonly #valueBytes: number

  constructor(cluster: BenchCluster, valueBytes: number) {
    const { ca, nodes } = cluster.running.file
    this.#cluster = cluster
    this.#valueBytes = valueBytes
    this.#client = cluster.connect()
    this.#calls = new MemberCalls({
      ca,
      addresses: new Map(nodes.map(({ id, client }) => [id, client])),
    })
  }

  members(): readonly Member[] {
    return this.#cluster.running.nodes.map((node) => this.#member(node))
  }

  async leader(): Promise<Member> {
    for (;;) {
      const id = await this.#cluster.running.leader()
      if (id !== undefined) return this.#member(this.#cluster.running.node(id))
    }
  }

  commands(count: number, lanes: number): readonly Lane[] {
    return this.#lanes(count, lanes, (message) => [
      () => this.#client.propose(message.propose),
      () => this.#client.withdraw(message.withdraw),
    ])
  }

  streamed(count: number, inFlight: number) {
    const stream = this.#client.proposeStream()
    const lanes = this.#lanes(count, inFlight, (message) => [
      () => stream.submit(message.propose),
      () => stream.submit(message.withdraw),
    ])
    return { lanes, end: () => stream.end() }
  }

  async prepareRead(): Promise<void> {
    const rules = await this.#rules()
    const value = 'x'.repeat(this.#valueBytes)
    const proposed = proposal(this.#cluster, { path: readPath, modRevision: 0, value })
    await this.#client.propose(proposed.message)
    for (const person of ['bob', 'carol'] as const) {
      await this.#client.decide(approval(this.#cluster, person, proposed, rules))
    }
    await this.read()
  }

  read(): Promise<unknown> {
    return this.#client.get(readPath)
  }

  async watched(count: number): Promise<readonly number[]> {
    const rules = await this.#rules()
    const seen = new Map<string, () => void>()
    const stop = new AbortController()
    let started: () => void = () => undefined
    const stands = new Promise<void>((resolve) => (started = resolve))
    const watching = (async () => {
      try {
        for await (const event of this.#client.watch({ prefix: '/prod/', signal: stop.signal })) {
          if (event.kind === 'started') started()
          if (event.kind === 'batch') seen.get(event.changeId)?.()
        }
      } catch (thrown) {
        if (!stop.signal.aborted) throw thrown
      }
    })()
    await stands
    const times: number[] = []
    for (let n = 0; n < count; n += 1) {
      const proposed = proposal(this.#cluster, { path: freshPath(), modRevision: 0, value: 1 })
      const last = approval(this.#cluster, 'carol', proposed, rules)
      await this.#client.propose(proposed.message)
      await this.#client.decide(approval(this.#cluster, 'bob', proposed, rules))
      const arrived = new Promise<void>((resolve) => seen.set(proposed.changeId, resolve))
      const begin = performance.now()
      await this.#client.decide(last)
      await arrived
      times.push(performance.now() - begin)
    }
    stop.abort()
    await watching
    return times
  }

  write(): Attempt {
    const { message } = this.#fresh()
    return (id) => this.#calls.call(id, changesMethods.propose, message, attemptMs)
  }

  async mark(): Promise<Attempt> {
    const { message, changeId } = this.#fresh()
    await this.#client.propose(message)
    const request = { changeId, local: true, asker: '' }
    return (id) => this.#calls.call(id, changesMethods.get, request, attemptMs)
  }

  async stop(): Promise<void> {
    this.#client.close()
    this.#calls.close()
    await this.#cluster.remove()
  }

  #fresh() {
    return proposal(this.#cluster, { path: freshPath(), modRevision: 0, value: 1 })
  }

  /** A proposal and its withdrawal: what is open stays bounded by the number of lanes. */
  #lanes(count: number, lanes: number, calls: (message: Pair) => Lane[number]): readonly Lane[] {
    const pairs = Math.max(1, Math.ceil(count / lanes / 2))
    return Array.from({ length: lanes }, () =>
      Array.from({ length: pairs }, () => {
        const proposed = this.#fresh()
        return calls({
          propose: proposed.message,
          withdraw: withdrawal(this.#cluster, proposed),
        })
      }),
    )
  }

  async #rules(): Promise<string> {
    const probe = proposal(this.#cluster, { path: freshPath(), modRevision: 0, value: 1 })
    await this.#client.propose(probe.message)
    const { value } = await this.#client.getChange(probe.changeId)
    await this.#client.withdraw(withdrawal(this.#cluster, probe))
    return rulesDigestOf(value.rules)
  }

  #member(node: NodeProcess): Member {
    return {
      id: node.id,
      pid: node.pid ?? 0,
      directory: path.join(path.dirname(node.config), 'data'),
      kill: async () => {
        await node.kill()
      },
      freeze: () => {
        node.freeze()
      },
      thaw: () => {
        node.thaw()
      },
      start: () => {
        node.start()
      },
      ready: () => node.ready(),
    }
  }
}

interface Pair {
  readonly propose: Parameters<CountersignClient['propose']>[0]
  readonly withdraw: Parameters<CountersignClient['withdraw']>[0]
}
