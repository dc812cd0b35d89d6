/** Closed-loop load: so many clients, each sends its next command when the last one is answered. */
import type { CountersignClient, SignedMessage } from '../../src/client/index.js'
import type { BenchCluster } from './bench-cluster.js'
import { cores, cpuSeconds, percentile } from './cost.js'
import { approval, freshPath, proposal, rulesDigestOf, withdrawal } from './messages.js'

export interface LoadFigures {
  readonly perSecond: number
  /** Of proposals, or of whole changes. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor milliseconds that one operation took in all: the client and the three nodes. */
  readonly cpuMsEach: number
  /** What this machine could do at most if every core did nothing else: cores / CPU time of one. */
  readonly boundPerSecond: number
}

/** What a run has done so far. */
interface Tally {
  operations: number
  /** Milliseconds of those whose latency is asked for. */
  readonly latencies: number[]
}

async function measured(
  cluster: BenchCluster,
  run: (tally: Tally) => Promise<void>,
): Promise<LoadFigures> {
  const pids = cluster.running.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  pids.push(process.pid)
  const spent = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const tally: Tally = { operations: 0, latencies: [] }
  const { latencies } = tally
  const cpuBefore = spent()
  const begin = performance.now()
  await run(tally)
  const seconds = (performance.now() - begin) / 1000
  const cpuEach = (spent() - cpuBefore) / tally.operations
  latencies.sort((a, b) => a - b)
  return {
    perSecond: tally.operations / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMsEach: cpuEach * 1000,
    boundPerSecond: cores / cpuEach,
  }
}

/**
 * Commands a second: each client proposes and withdraws in turn, so that what is open stays
 * bounded by the number of clients. All messages are signed before the clock starts.
 */
export async function commandLoad(
  cluster: BenchCluster,
  client: CountersignClient,
  options: { readonly clients: number; readonly commands: number; readonly by: 'unary' | 'stream' },
): Promise<LoadFigures> {
  const pairs = Math.max(1, Math.ceil(options.commands / options.clients / 2))
  const scripts = Array.from({ length: options.clients }, () =>
    Array.from({ length: pairs }, () => {
      const proposed = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
      return { propose: proposed.message, withdraw: withdrawal(cluster, proposed) }
    }),
  )
  const stream = options.by === 'stream' ? client.proposeStream() : undefined
  const propose = (message: SignedMessage) => stream?.submit(message) ?? client.propose(message)
  const withdraw = (message: SignedMessage) => stream?.submit(message) ?? client.withdraw(message)
  const figures = await measured(cluster, async (tally) => {
    await Promise.all(
      scripts.map(async (script) => {
        for (const pair of script) {
          tally.latencies.push(await timed(() => propose(pair.propose)))
          await withdraw(pair.withdraw)
          tally.operations += 2
        }
      }),
    )
  })
  await stream?.end()
  return figures
}

/** Whole changes: a proposal, two approvals, and a watcher that has seen the new value. */
export async function changeLoad(
  cluster: BenchCluster,
  client: CountersignClient,
  options: { readonly clients: number; readonly changes: number },
): Promise<LoadFigures> {
  const rules = await rulesInForce(cluster, client)
  const each = Math.ceil(options.changes / options.clients)
  const scripts = Array.from({ length: options.clients }, () =>
    Array.from({ length: each }, () => {
      const proposed = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
      return {
        changeId: proposed.changeId,
        propose: proposed.message,
        approvals: [
          approval(cluster, 'bob', proposed, rules),
          approval(cluster, 'carol', proposed, rules),
        ],
      }
    }),
  )
  const seen = new Map<string, () => void>()
  const stop = new AbortController()
  const watching = watchActivations(client, stop.signal, (changeId) => seen.get(changeId)?.())
  await watching.started
  const figures = await measured(cluster, async (tally) => {
    await Promise.all(
      scripts.map(async (script) => {
        for (const change of script) {
          const begin = performance.now()
          const arrived = new Promise<void>((resolve) => seen.set(change.changeId, resolve))
          await client.propose(change.propose)
          await Promise.all(change.approvals.map((message) => client.decide(message)))
          await arrived
          seen.delete(change.changeId)
          tally.latencies.push(performance.now() - begin)
          tally.operations += 1
        }
      }),
    )
  })
  stop.abort()
  await watching.ended
  return figures
}

async function rulesInForce(cluster: BenchCluster, client: CountersignClient): Promise<string> {
  const probe = proposal(cluster, { path: freshPath(), modRevision: 0, value: 1 })
  await client.propose(probe.message)
  const { value } = await client.getChange(probe.changeId)
  await client.withdraw(withdrawal(cluster, probe))
  return rulesDigestOf(value.rules)
}

function watchActivations(
  client: CountersignClient,
  signal: AbortSignal,
  activated: (changeId: string) => void,
): { readonly started: Promise<void>; readonly ended: Promise<void> } {
  const { promise: started, resolve: stands } = withResolvers()
  const ended = (async () => {
    try {
      for await (const event of client.watch({ prefix: '/prod/', signal })) {
        if (event.kind === 'started') stands()
        if (event.kind === 'batch') activated(event.changeId)
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    }
  })()
  return { started, ended }
}

/** Promise.withResolvers came with Node 22. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await call()
  return performance.now() - begin
}
