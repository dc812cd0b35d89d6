/**
 * `npm run chaos`: real clusters under faults, judged by what clients saw. Exit code 0: every
 * nemesis passed; 1: one failed; 2: none failed, but not all could be exercised; 3: bad options.
 */
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseWanted, usage, UsageError, type Wanted } from './chaos/arguments.js'
import { nemeses } from './chaos/nemeses/index.js'
import {
  exitCodeOf,
  jsonOf,
  leaveEvidence,
  summaryOf,
  textOf,
  writeHistory,
} from './chaos/report.js'
import { runNemesis, type RunResult } from './chaos/run.js'
import { timeline } from './chaos/timeline.js'

async function run(wanted: Wanted): Promise<number> {
  const print = (line: string) => {
    if (wanted.json) console.error(line)
    else console.log(line)
  }
  const htmlFile = path.resolve(
    wanted.html ?? path.join(os.tmpdir(), `countersign-chaos-${String(wanted.seed)}.html`),
  )
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Stays registered: a second Ctrl-C must not leave processes and folders behind.
    process.on(name, () => {
      interrupted.abort()
    })
  }
  print(`seed ${String(wanted.seed)}, ${String(wanted.nodes)} nodes`)
  const results: RunResult[] = []
  for (const nemesis of wanted.nemeses) {
    if (interrupted.signal.aborted) break
    const result = await runNemesis(nemesis, wanted, { print, signal: interrupted.signal })
    results.push(result)
    for (const line of textOf(result)) print(line)
    const history = await writeHistory(result, wanted)
    if (history !== undefined) print(`  history: ${history}`)
    for (const file of await leaveEvidence(result, htmlFile)) print(`  evidence: ${file}`)
    if (wanted.json) console.log(jsonOf(result, wanted.seed))
  }
  const summary = summaryOf(results, wanted.seed)
  await writeFile(htmlFile, timeline(results, wanted.seed, summary))
  print(`timeline: ${htmlFile}`)
  print(summary)
  return exitCodeOf(results)
}

const endsWithinMs = 10_000

/** Nothing is left open when the runs are over; if something is, it is named, and does not stay. */
function endSoon(): void {
  const timer = setTimeout(() => {
    console.error(`still open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit()
  }, endsWithinMs)
  timer.unref()
}

try {
  const wanted = parseWanted(process.argv.slice(2))
  if (wanted.list) {
    for (const { name, what } of nemeses.values()) console.log(`${name.padEnd(16)} ${what}`)
  } else {
    process.exitCode = await run(wanted)
    endSoon()
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 3
}
