/**
 * `npm run bench -- --peer etcd`: etcd and this build in turn, on the same loopback, disk and
 * processors, called by the same gRPC library, with writes of the same size, all signed before the
 * clock starts. Each figure is a ratio within one round; over the rounds its spread is shown.
 * Absolute values are printed too, and mean little on a shared machine.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { median, percentile, residentMiB } from '../cost.js'
import { startCountersignSystem } from './countersign-system.js'
import { startEtcdSystem } from './etcd-system.js'
import type { Member, System } from './system.js'

/** Larger is better for a rate, smaller for everything else. */
type Sense = 'rate' | 'cost'

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly sense: Sense
  readonly etcd: readonly number[]
  readonly countersign: readonly number[]
  /** How many times better this build is, by round; below 1 it is worse. */
  readonly ratios: readonly number[]
}

export interface ComparisonOptions {
  readonly rounds: number
  /** 1 is the full work, 0.1 a tenth. */
  readonly scale: number
  /** Entries in the log before memory, disk and restarts are measured. */
  readonly entries: number
  readonly failovers: number
  readonly progress: (line: string) => void
}

/** Bytes of a signed proposal as the bench makes them; etcd's values are as long. */
export const payloadBytes = 620

export async function compareWithEtcd(options: ComparisonOptions): Promise<readonly Figure[]> {
  const figures = new Map<string, { unit: string; sense: Sense; etcd: number[]; own: number[] }>()
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const start of [() => startEtcdSystem(payloadBytes), startCountersignSystem]) {
      const system = await start()
      const say = (line: string) => {
        options.progress(
          `round ${String(round)} of ${String(options.rounds)}, ${system.name}: ${line}`,
        )
      }
      try {
        const isEtcd = system.name === 'etcd'
        await measure(system, options, say, (name, unit, sense, value) => {
          const figure = figures.get(name) ?? { unit, sense, etcd: [], own: [] }
          figures.set(name, figure)
          ;(isEtcd ? figure.etcd : figure.own).push(value)
        })
      } finally {
        await system.stop()
      }
    }
  }
  return [...figures].map(([name, { unit, sense, etcd, own }]) => ({
    ...{ name, unit, sense, etcd, countersign: own },
    ratios: etcd.map((theirs, at) => {
      const ours = own[at] ?? Number.NaN
      return sense === 'rate' ? ours / theirs : theirs / ours
    }),
  }))
}

type Note = (name: string, unit: string, sense: Sense, value: number) => void

async function measure(
  system: System,
  options: ComparisonOptions,
  say: (line: string) => void,
  note: Note,
): Promise<void> {
  const { scale } = options
  await system.leader()
  await rate(system.commands(2000 * scale, 16))
  let best = 0
  for (const clients of [1, 16, 64, 256]) {
    say(`writes, ${String(clients)} client(s)`)
    const lanes = system.commands((clients === 1 ? 1500 : 8000) * scale, clients)
    const { perSecond, p50Ms } = await rate(lanes)
    best = Math.max(best, perSecond)
    note(`writes/s, ${String(clients)} client(s)`, '/s', 'rate', perSecond)
    note(`write p50, ${String(clients)} client(s)`, 'ms', 'cost', p50Ms)
  }
  say('one stream')
  const stream = system.streamed(12_000 * scale, 256)
  if (stream !== null) best = (await rate(stream.lanes)).perSecond
  await stream?.end()
  note('writes/s, one stream (etcd: its best put rate)', '/s', 'rate', best)
  for (const clients of [1, 16, 64, 256]) {
    say(`linearizable reads, ${String(clients)} client(s)`)
    const count = Math.ceil((8000 * scale) / clients)
    const lanes = Array.from({ length: clients }, () =>
      Array.from({ length: count }, () => () => system.read()),
    )
    note(
      `linearizable reads/s, ${String(clients)} client(s)`,
      '/s',
      'rate',
      (await rate(lanes)).perSecond,
    )
  }
  say('watch')
  note('write to watcher, p50', 'ms', 'cost', median(await system.watched(300 * scale)))
  await fill(system, options.entries, say)
  const members = system.members()
  note('memory of a member', 'MiB', 'cost', median(members.map(({ pid }) => residentMiB(pid))))
  note('disk of a member', 'MiB', 'cost', median(await Promise.all(members.map(diskMiB))))
  for (const loss of ['killed', 'frozen'] as const) {
    const times: number[] = []
    for (let trial = 1; trial <= options.failovers; trial += 1) {
      say(`leader ${loss}, ${String(trial)} of ${String(options.failovers)}`)
      times.push(await failover(system, loss))
    }
    note(`leader ${loss} to next write, median`, 'ms', 'cost', median(times))
  }
  say('restarts')
  note('restart of a follower, until it reads', 'ms', 'cost', await restartFollower(system))
  note('restart of all, until a write', 'ms', 'cost', await restartAll(system))
}

async function rate(
  lanes: readonly (readonly (() => Promise<unknown>)[])[],
): Promise<{ readonly perSecond: number; readonly p50Ms: number }> {
  const latencies: number[] = []
  const begin = performance.now()
  await Promise.all(
    lanes.map(async (lane) => {
      for (const call of lane) {
        const sentAt = performance.now()
        await call()
        latencies.push(performance.now() - sentAt)
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1000
  latencies.sort((a, b) => a - b)
  return { perSecond: latencies.length / seconds, p50Ms: percentile(latencies, 0.5) }
}

/** In portions: what is prepared ahead must not itself fill the memory of this process. */
async function fill(system: System, entries: number, say: (line: string) => void): Promise<void> {
  const portion = 5000
  for (let done = 0; done < entries; done += portion) {
    say(`filling, ${String(done)} of ${String(entries)} entries`)
    const stream = system.streamed(portion, 256)
    await rate(stream?.lanes ?? system.commands(portion, 256))
    await stream?.end()
  }
}

async function failover(system: System, loss: 'killed' | 'frozen'): Promise<number> {
  const leader = await system.leader()
  // Warms the connection, as a client in use has it.
  await system.commands(2, 1)[0]?.[0]?.()
  const begin = performance.now()
  const ended = loss === 'killed' ? leader.kill() : undefined
  if (loss === 'frozen') leader.freeze()
  await system.writeThrough(60_000)
  const tookMs = performance.now() - begin
  await ended
  if (loss === 'killed') leader.start()
  else leader.thaw()
  await Promise.all(system.members().map((member) => member.ready()))
  return tookMs
}

async function restartFollower(system: System): Promise<number> {
  const leader = await system.leader()
  const follower = system.members().find(({ id }) => id !== leader.id)
  if (follower === undefined) throw new Error(`${system.name} has no follower`)
  await follower.kill()
  const begin = performance.now()
  follower.start()
  await follower.ready()
  return performance.now() - begin
}

async function restartAll(system: System): Promise<number> {
  const members = system.members()
  await Promise.all(members.map((member) => member.kill()))
  const begin = performance.now()
  for (const member of members) member.start()
  await system.writeThrough(120_000)
  const tookMs = performance.now() - begin
  await Promise.all(members.map((member) => member.ready()))
  return tookMs
}

async function diskMiB({ directory }: Member): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(directory, name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20
}
