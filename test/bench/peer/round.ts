/** Everything that is measured of one system in one round. A part that fails leaves out its figure. */
import { median, residentMiB } from '../cost.js'
import { diskMiB } from '../disk-use.js'
import { clientCounts, figureKinds, losses, type FigureKind } from './figures.js'
import { fill, rateOf } from './load.js'
import { failoverMs, restartAllMs, restartFollowerMs } from './outages.js'
import type { Lane, System } from './system.js'

export interface RoundOptions {
  /** 1 is the full work, 0.1 a tenth. */
  readonly scale: number
  /** One rate is measured for at most so long. */
  readonly pointSecondsMax: number
  /** Entries that are written before memory, disk, failovers and restarts are measured. */
  readonly entries: number
  readonly fillSecondsMax: number
  readonly failovers: number
  readonly restarts: number
}

export interface RoundReport {
  readonly say: (line: string) => void
  /** NaN: it failed. */
  readonly note: (kind: FigureKind, value: number) => void
  readonly failed: (what: string, why: unknown) => void
}

export async function measureRound(
  system: System,
  options: RoundOptions,
  report: RoundReport,
): Promise<void> {
  const { scale, pointSecondsMax } = options
  const rate = (lanes: readonly Lane[]) => rateOf(lanes, pointSecondsMax)

  async function point(kind: FigureKind, measure: () => Promise<number>): Promise<number> {
    report.say(kind.name)
    let value = Number.NaN
    try {
      value = await measure()
    } catch (thrown) {
      report.failed(kind.name, thrown)
    }
    report.note(kind, value)
    return value
  }

  await system.leader()
  await rate(system.commands(2000 * scale, 16))
  let best = 0
  for (const clients of clientCounts) {
    const lanes = system.commands((clients === 1 ? 4000 : 20_000) * scale, clients)
    let latency = Number.NaN
    const perSecond = await point(figureKinds.writes(clients), async () => {
      const measured = await rate(lanes)
      latency = measured.p50Ms
      return measured.perSecond
    })
    report.note(figureKinds.writeLatency(clients), latency)
    if (perSecond > best) best = perSecond
  }
  await point(figureKinds.stream, async () => {
    const stream = system.streamed(20_000 * scale, 256)
    if (stream === null) return best
    const { perSecond } = await rate(stream.lanes)
    await stream.end()
    return perSecond
  })
  await system.prepareRead()
  for (const clients of clientCounts) {
    const each = Math.ceil((20_000 * scale) / clients)
    const lanes = Array.from({ length: clients }, () =>
      Array.from({ length: each }, () => [() => system.read()]),
    )
    await point(figureKinds.reads(clients), async () => (await rate(lanes)).perSecond)
  }
  await point(figureKinds.watch, async () => median(await system.watched(300 * scale)))

  report.say('filling')
  await fill(system, options.entries, options.fillSecondsMax, (done) => {
    report.say(`filling, ${String(done)} of ${String(options.entries)} entries`)
  })
  const members = system.members()
  await point(figureKinds.memory, () =>
    Promise.resolve(median(members.map(({ pid }) => residentMiB(pid)))),
  )
  await point(figureKinds.disk, async () =>
    median(await Promise.all(members.map(({ directory }) => diskMiB(directory)))),
  )
  const repeated = async (times: number, once: () => Promise<number>): Promise<number> => {
    const all: number[] = []
    for (let n = 0; n < times; n += 1) all.push(await once())
    return median(all)
  }
  for (const loss of losses) {
    await point(figureKinds.failover(loss), () =>
      repeated(options.failovers, () => failoverMs(system, loss)),
    )
  }
  await point(figureKinds.restartFollower, () =>
    repeated(options.restarts, () => restartFollowerMs(system)),
  )
  await point(figureKinds.restartAll, () => repeated(options.restarts, () => restartAllMs(system)))
}
