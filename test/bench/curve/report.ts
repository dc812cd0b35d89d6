/** `npm run bench -- --curve`: what a command costs as log and cluster grow, beside the theory. */
import { cores } from '../cost.js'
import { curveByEntries, type EntriesPoint } from './by-entries.js'
import { curveByNodes, type NodesPoint } from './by-nodes.js'

const full = { entriesMax: 100_000, window: 4000, warmUp: 4000 }
const quick = { entriesMax: 10_000, window: 1000, warmUp: 1000 }
const sizes = [3, 5, 7]

/** Resolves to the exit status: 2 for a wrong use, else 0. */
export async function runCurve(flags: {
  readonly quick?: boolean
  readonly json?: boolean
  readonly entries?: string
}): Promise<number> {
  const usual = flags.quick === true ? quick : full
  const entriesMax = Number(flags.entries ?? usual.entriesMax)
  if (!Number.isSafeInteger(entriesMax) || entriesMax < 1000) {
    console.error('Usage: npm run bench -- --curve [--entries N, 1000 or more] [--quick] [--json]')
    return 2
  }
  const begin = performance.now()
  const progress = (line: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
  }
  const byEntries = await curveByEntries({ ...usual, entriesMax, progress })
  const byNodes = await curveByNodes({ ...usual, sizes, progress })
  progress('')
  const minutes = (performance.now() - begin) / 60_000
  if (flags.json === true) console.log(JSON.stringify({ cores, minutes, byEntries, byNodes }))
  else print(byEntries, byNodes, minutes)
  return 0
}

function print(
  byEntries: readonly EntriesPoint[],
  byNodes: readonly NodesPoint[],
  minutes: number,
): void {
  console.log(`${String(cores)} cores, Node ${process.version}, signed commands over one stream\n`)
  console.log('One node process, by entries applied before. In theory the cost of one is constant;')
  console.log('the log on the disk is cut after snapshots, the state keeps every change.')
  const first = byEntries[0]?.cpuMsEach ?? Number.NaN
  table(
    ['entries', 'CPU ms each', 'of the first', 'a second', 'memory', 'log', 'state', 'snapshots'],
    byEntries.map((point) => [
      point.entries.toLocaleString('en-US'),
      point.cpuMsEach.toFixed(2),
      (point.cpuMsEach / first).toFixed(2),
      point.perSecond.toFixed(0),
      ...[point.memoryMiB, point.logMiB, point.stateMiB, point.snapshotsMiB].map(
        (mib) => `${mib.toFixed(0)} MiB`,
      ),
    ]),
  )
  console.log(
    '\nBy nodes. In theory a follower costs the same in every size, and the leader that plus',
  )
  console.log(
    'one more send for each follower: a straight line, given here through first and last.',
  )
  const base = byNodes[0]?.followerCpuMsEach ?? Number.NaN
  table(
    ['nodes', 'leader', 'on the line', 'follower', 'of the first', 'all', 'a second'],
    byNodes.map((point) => [
      String(point.nodes),
      `${point.leaderCpuMsEach.toFixed(2)} ms`,
      `${onLine(byNodes, point.nodes).toFixed(2)} ms`,
      `${point.followerCpuMsEach.toFixed(2)} ms`,
      (point.followerCpuMsEach / base).toFixed(2),
      `${point.allCpuMsEach.toFixed(2)} ms`,
      point.perSecond.toFixed(0),
    ]),
  )
  console.log(`\nmeasured in ${minutes.toFixed(1)} minutes.`)
}

function onLine(points: readonly NodesPoint[], nodes: number): number {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || first === last) return Number.NaN
  const slope = (last.leaderCpuMsEach - first.leaderCpuMsEach) / (last.nodes - first.nodes)
  return first.leaderCpuMsEach + slope * (nodes - first.nodes)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const row of [head, ...rows]) {
    console.log(row.map((cell) => cell.padStart(13)).join(''))
  }
}
