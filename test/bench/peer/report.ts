/** Prints the comparison with a peer system: one line a figure, the ratio and its spread. */
import { median } from '../cost.js'
import { compareWithEtcd, payloadBytes, type Figure } from './compare.js'
import { etcdVersion } from './etcd-process.js'

/** Resolves to the exit status: 2 for a wrong use, else 0; a figure that is missed is no failure. */
export async function runComparison(flags: {
  readonly peer: string
  readonly quick?: boolean
  readonly json?: boolean
  readonly rounds?: string
}): Promise<number> {
  const rounds = Number(flags.rounds ?? '3')
  if (flags.peer !== 'etcd' || !Number.isSafeInteger(rounds) || rounds < 1) {
    console.error('Usage: npm run bench -- --peer etcd [--rounds N] [--quick] [--json]')
    return 2
  }
  let version: string
  try {
    version = etcdVersion()
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : String(thrown))
    return 2
  }
  const quick = flags.quick === true
  const figures = await compareWithEtcd({
    rounds,
    scale: quick ? 0.1 : 1,
    entries: quick ? 5_000 : 100_000,
    failovers: quick ? 2 : 10,
    progress: (line) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (flags.json === true) {
    console.log(JSON.stringify({ peer: 'etcd', version, rounds, payloadBytes, figures }))
    return 0
  }
  console.log(
    `etcd ${version} (plain text) and this build (TLS, every node verifies every signature)`,
  )
  console.log(`three processes each, one after the other, ${String(rounds)} round(s)\n`)
  console.log(
    [
      'figure'.padEnd(46),
      'etcd'.padStart(10),
      'here'.padStart(10),
      'times better, median (range)'.padStart(32),
    ].join('  '),
  )
  for (const figure of figures) console.log(line(figure))
  const level = figures.filter(({ ratios }) => median(ratios) >= 1).length
  console.log(
    `\nlevel with etcd or better in ${String(level)} of ${String(figures.length)} figures.`,
  )
  return 0
}

function line(figure: Figure): string {
  const { name, unit, etcd, countersign, ratios } = figure
  const digits = figure.sense === 'rate' ? 0 : 1
  const show = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  return [
    `${name}${unit === '/s' ? '' : `, ${unit}`}`.padEnd(46),
    show(median(etcd)).padStart(10),
    show(median(countersign)).padStart(10),
    `${median(ratios).toFixed(2)} (${range})`.padStart(32),
  ].join('  ')
}
