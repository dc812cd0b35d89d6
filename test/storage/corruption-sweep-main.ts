/**
 * `npm run corruption-sweep`: every kind of file of a data directory hurt in every way, on one node
 * and on two of five. `--json` prints one object. The last line sums up; the exit status is 1 when a
 * start found something else than it must.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Original, hurts, kinds, type Outcome } from './corruption.js'
import { damagedMinority } from './damaged-minority.js'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const startedMs = performance.now()
const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'countersign-'))
const failures: string[] = []
let points = 0
try {
  const original = await Original.found(folder)
  for (const kind of kinds) {
    const outcomes = new Map<Outcome, number>()
    for (const [name, hurt] of Object.entries(hurts)) {
      const { outcome, wrong } = await original.afterHurting(kind, hurt)
      points += 1
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      failures.push(...wrong.map((sentence) => `${kind.name}, ${name}: ${sentence}`))
    }
    const counts = [...outcomes].map(([outcome, count]) => `${outcome} ${String(count)}`)
    if (!values.json) console.log(`${kind.name}: ${counts.join(', ')}`)
  }
  const minority = await damagedMinority(original, Infinity)
  points += minority.points
  failures.push(...minority.failures.map((failure) => `two of five, ${failure}`))
  if (!values.json) console.log(`two of five: ${String(minority.points)} nodes started`)
  await original.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
const seconds = Math.round((performance.now() - startedMs) / 100) / 10
if (values.json) console.log(JSON.stringify({ points, seconds, failures }))
else {
  for (const failure of failures) console.log(`FAILED ${failure}`)
  console.log(
    `${String(points)} damaged directories, ${String(kinds.length)} kinds of files hurt in ` +
      `${String(Object.keys(hurts).length)} ways, in ${String(seconds)} s; ` +
      (failures.length === 0 ? 'none failed' : `${String(failures.length)} FAILED`),
  )
}
process.exitCode = failures.length === 0 && points > 0 ? 0 : 1
