/** Prints the comparison with a peer system: a line a figure with its spread, a line an aim. */
import { cores, median } from '../cost.js'
import { judgeAims, type Judged } from './aims.js'
import { compareWithEtcd, type Comparison } from './compare.js'
import { etcdVersion } from './etcd-process.js'
import type { Figure } from './figures.js'
import { meanCommandBytes } from './payload.js'

export interface ComparisonFlags {
  readonly peer: string
  readonly quick?: boolean
  readonly json?: boolean
  readonly rounds?: string
  readonly entries?: string
}

const full = {
  ...{ rounds: 3, scale: 1, pointSecondsMax: 10, failovers: 10, restarts: 3 },
  ...{ entries: 100_000, fillSecondsMax: 900 },
}
const quick = {
  ...{ rounds: 1, scale: 0.1, pointSecondsMax: 3, failovers: 3, restarts: 1 },
  ...{ entries: 5_000, fillSecondsMax: 120 },
}

/**
 * Resolves to the exit status: 2 for a wrong use, 1 when something could not be measured. An aim
 * that is missed is no failure of the bench.
 */
export async function runComparison(flags: ComparisonFlags): Promise<number> {
  const usual = flags.quick === true ? quick : full
  const rounds = Number(flags.rounds ?? usual.rounds)
  const entries = Number(flags.entries ?? usual.entries)
  if (flags.peer !== 'etcd' || ![rounds, entries].every((n) => Number.isSafeInteger(n) && n > 0)) {
    console.error(
      'Usage: npm run bench -- --peer etcd [--rounds N] [--entries N] [--quick] [--json]',
    )
    return 2
  }
  let version: string
  try {
    version = etcdVersion()
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : String(thrown))
    return 2
  }
  const commandBytes = meanCommandBytes()
  const begin = performance.now()
  const comparison = await compareWithEtcd({
    ...usual,
    ...{ rounds, entries, commandBytes },
    progress: (line) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  const minutes = (performance.now() - begin) / 60_000
  const judged = judgeAims(comparison)
  const facts = { peer: 'etcd', version, cores, rounds, entries, commandBytes, minutes }
  if (flags.json === true) console.log(JSON.stringify({ ...facts, ...comparison, aims: judged }))
  else print(facts, comparison, judged)
  return comparison.failures.length === 0 ? 0 : 1
}

function print(
  facts: {
    readonly version: string
    readonly rounds: number
    readonly entries: number
    readonly commandBytes: number
    readonly minutes: number
  },
  { figures, ed25519Bounds, failures }: Comparison,
  judged: readonly Judged[],
): void {
  const { version, rounds, entries, commandBytes, minutes } = facts
  const bound = median(ed25519Bounds)
  for (const text of [
    `etcd ${version} (plain text) and this build (TLS, every node verifies every signature)`,
    `three processes each, one system after the other, ${String(cores)} cores, ${String(rounds)} round(s)`,
    `commands of ${String(commandBytes)} bytes in both; memory, disk and outages with ${String(entries)} more entries`,
    `Ed25519 bound, ${String(cores)} cores / (3 nodes x one verification): ${bound.toFixed(0)}/s\n`,
  ]) {
    console.log(text)
  }
  const heads = [
    'etcd'.padStart(10),
    'here'.padStart(10),
    'times better, median (range)'.padStart(32),
  ]
  console.log(['figure'.padEnd(46), ...heads].join('  '))
  for (const figure of figures) console.log(lineOf(figure))
  console.log('\naims')
  for (const { aim, verdict } of judged) console.log(`${aim.padEnd(64)}  ${verdict}`)
  for (const failure of failures) console.log(`not measured: ${failure}`)
  const met = judged.filter(({ isMet }) => isMet === true).length
  console.log(
    `\n${String(met)} of ${String(judged.length)} aims met, in ${minutes.toFixed(1)} minutes.`,
  )
}

function lineOf({ name, unit, sense, etcd, countersign, ratios }: Figure): string {
  const digits = sense === 'rate' ? 0 : 1
  const show = (values: readonly number[]) =>
    median(values.filter(Number.isFinite)).toLocaleString('en-US', {
      maximumFractionDigits: digits,
    })
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  return [
    `${name}${unit === '/s' ? '' : `, ${unit}`}`.padEnd(46),
    show(etcd).padStart(10),
    show(countersign).padStart(10),
    (ratios.length === 0 ? 'not measured' : `${median(ratios).toFixed(2)} (${range})`).padStart(32),
  ].join('  ')
}
