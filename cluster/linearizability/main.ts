/**
 * `node dist/cluster/linearizability/main.js FILE [--picture FOLDER]`: judges a history of JSON
 * lines. Exit code 0 linearizable, 1 not, 2 unknown (the search gave up), 3 bad input.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { checkHistory, type HistoryVerdict } from './check.js'
import { shortestBadPrefix } from './bad-prefix.js'
import { BadHistory, parseHistory, type Operation } from './operation.js'
import { labelOf, picture } from './picture.js'

const exitCodes = { linearizable: 0, 'not linearizable': 1, unknown: 2, 'bad input': 3 } as const
const shownMax = 20

function run(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { picture: { type: 'string' } },
  })
  const [file] = positionals
  if (file === undefined || positionals.length > 1) {
    throw new BadHistory(0, 'Say which file holds the history: main.js FILE [--picture FOLDER]')
  }
  const history = parseHistory(readFileSync(file, 'utf8'))
  const startedMs = performance.now()
  const verdict = checkHistory(history)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2)
  for (const { key, ...each } of verdict.keys) {
    if (each.verdict === 'not linearizable') tellBadKey(key, history, values.picture)
    if (each.verdict === 'unknown') console.log(`${key}: no verdict after ${each.steps} steps`)
  }
  console.log(`${summaryOf(verdict)} in ${seconds} s: ${verdict.problem ?? verdict.verdict}`)
  return exitCodes[verdict.verdict]
}

function tellBadKey(key: string, history: readonly Operation[], folder: string | undefined): void {
  const prefix = shortestBadPrefix(
    key,
    history.filter((operation) => operation.key === key),
  )
  if (prefix === undefined) return
  const { operations, last } = prefix
  console.log(`${key}: not linearizable after ${operations.length} operations; the last of them:`)
  for (const operation of operations.slice(-shownMax)) {
    const { client, start, end } = operation
    console.log(`  ${String(client)} ${start}..${end ?? '?'} ${labelOf(operation)}`)
  }
  console.log(`  nothing explains: ${String(last.client)} ${labelOf(last)}`)
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const target = path.join(folder, `${key.replace(/[^\w.-]+/g, '_')}.html`)
  writeFileSync(target, picture(key, prefix))
  console.log(`  picture: ${target}`)
}

const summaryOf = ({ operations, keys }: HistoryVerdict) =>
  `${operations} operations on ${keys.length} keys`

try {
  process.exitCode = run()
} catch (error) {
  // A file that cannot be read or parsed is as little a verdict as a malformed operation.
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = exitCodes['bad input']
}
