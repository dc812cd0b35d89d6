/**
 * `npm run bench`: figures of this machine, all in one run. Absolute times say little on a shared
 * machine; compare figures of one run with each other, and runs by their ratios to the floors.
 *
 * `--quick` measures with a tenth of the work; `--json` prints one JSON object. `--peer etcd`
 * compares with an etcd cluster instead (peer/compare.ts), `--rounds N` times, with `--entries N` in
 * the log. `--curve` shows what a command costs as log and cluster grow (curve/), up to `--entries N`.
 */
import { parseArgs } from 'node:util'
import { startBenchCluster } from './bench-cluster.js'
import { cores, median, residentMiB } from './cost.js'
import { failoverTimes, type Loss } from './failover.js'
import { durableWritesPerSecond, verificationsPerSecond } from './floors.js'
import { changeLoad, commandLoad, type LoadFigures } from './load.js'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    peer: { type: 'string' },
    rounds: { type: 'string' },
    entries: { type: 'string' },
    curve: { type: 'boolean' },
  },
})
if (flags.peer !== undefined) {
  const { runComparison } = await import('./peer/report.js')
  process.exit(await runComparison({ ...flags, peer: flags.peer }))
}
if (flags.curve === true) {
  const { runCurve } = await import('./curve/report.js')
  process.exit(await runCurve(flags))
}
const scale = flags.quick === true ? 0.1 : 1
const trials = flags.quick === true ? 3 : 10

const report: Record<string, unknown> = { cores, node: process.version }

function say(line: string): void {
  if (flags.json !== true) console.log(line)
}

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, useGrouping: true })
}

function sayLoad(name: string, figures: LoadFigures): void {
  progress('')
  report[name] = figures
  say(
    [
      name.padEnd(34),
      `${number(figures.perSecond)}/s`.padStart(9),
      `p50 ${number(figures.p50Ms, 2)} ms`.padStart(15),
      `p99 ${number(figures.p99Ms, 2)} ms`.padStart(15),
      `CPU ${number(figures.cpuMsEach, 2)} ms each`.padStart(18),
      `bound ${number(figures.boundPerSecond)}/s`.padStart(16),
    ].join('  '),
  )
}

say(
  `${String(cores)} cores, Node ${process.version}; three node processes, every log write synced\n`,
)

const verifications = verificationsPerSecond()
report['ed25519VerificationsPerSecond'] = verifications
say(
  `Ed25519 verifications, one core      ${number(verifications)}/s; bound of ${String(cores)} cores ${number(verifications * cores)}/s`,
)
const writes = await durableWritesPerSecond()
report['durableWritesPerSecond'] = writes
say(`synced LevelDB batch + guard record  ${number(writes)}/s, one after the other\n`)

const cluster = await startBenchCluster()
const client = cluster.connect()
try {
  const memory = () =>
    cluster.running.nodes.map(({ id, pid }) => ({
      id,
      residentMiB: pid === undefined ? 0 : Math.round(residentMiB(pid)),
    }))
  const before = memory()
  await commandLoad(cluster, client, { clients: 16, commands: 2000 * scale, by: 'unary' })
  for (const clients of [1, 16, 64, 256]) {
    progress(`${String(clients)} clients ...`)
    const commands = (clients === 1 ? 1000 : 8000) * scale
    const figures = await commandLoad(cluster, client, { clients, commands, by: 'unary' })
    sayLoad(`commands, ${String(clients)} client(s), unary`, figures)
  }
  for (const inFlight of [1, 16, 64, 256]) {
    progress('one stream ...')
    const commands = (inFlight === 1 ? 1000 : 8000) * scale
    const figures = await commandLoad(cluster, client, {
      clients: inFlight,
      commands,
      by: 'stream',
    })
    sayLoad(`commands, one stream, ${String(inFlight)} in flight`, figures)
  }
  for (const clients of [1, 32]) {
    progress('whole changes ...')
    const changes = (clients === 1 ? 200 : 1500) * scale
    sayLoad(
      `changes to the watcher, ${String(clients)} at once`,
      await changeLoad(cluster, client, { clients, changes }),
    )
  }
  const after = memory()
  report['memory'] = { before, after }
  say('')
  for (const { id, residentMiB: mib } of before) {
    const later = after.find((node) => node.id === id)?.residentMiB ?? 0
    say(`memory of ${id}: ${String(mib)} MiB before, ${String(later)} MiB after`)
  }
  say('')
  for (const loss of ['killed', 'frozen'] satisfies readonly Loss[]) {
    const times = await failoverTimes(cluster, client, {
      ...{ loss, trials },
      progress: (done) => {
        progress(`leader ${loss}: ${String(done)} of ${String(trials)}`)
      },
    })
    progress('')
    report[`leader ${loss} to next commit, ms`] = times
    const how = loss === 'killed' ? 'SIGKILL, its port refuses' : 'SIGSTOP, nothing refuses'
    say(
      `leader ${loss} (${how}) to the next commit: median ${number(median(times))} ms, ` +
        `from ${number(Math.min(...times))} to ${number(Math.max(...times))} ms, ${String(trials)} trials`,
    )
  }
} finally {
  client.close()
  await cluster.remove()
}
if (flags.json === true) console.log(JSON.stringify(report))
