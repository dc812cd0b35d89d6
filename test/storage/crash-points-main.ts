/**
 * `npm run crash-points`: every life of crash-lives.ts, ended before each of its disk operations and
 * with each cut of the power. `--only TEXT` takes those whose name contains it, `--json` prints one
 * object. The last line sums up; the exit status is 1 when a start found what it must not.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lives } from './crash-lives.js'
import { crashPointsOf, cuts } from './crash-points.js'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const chosen = lives.filter(({ name }) => name.includes(values.only))
/** The power is cut in this program's mind: a real disk would only make it slow. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const startedMs = performance.now()
const failures: string[] = []
let points = 0
for (const life of chosen) {
  const folder = await mkdtemp(join(base, 'countersign-crash-points-'))
  try {
    const found = await crashPointsOf(life, folder)
    points += found.points
    failures.push(...found.failures)
    if (values.json) continue
    console.log(`${String(found.points).padStart(6)}  ${life.name}`)
    for (const failure of found.failures) console.log(`FAILED ${failure}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
const seconds = Math.round((performance.now() - startedMs) / 100) / 10
if (values.json) {
  console.log(JSON.stringify({ lives: chosen.length, points, seconds, failures }))
} else {
  console.log(
    `${String(points)} crash points in ${String(chosen.length)} lives, each life with ` +
      `${String(Object.keys(cuts).length)} cuts of the power, in ${String(seconds)} s; ` +
      (failures.length === 0 ? 'none failed' : `${String(failures.length)} FAILED`),
  )
}
process.exitCode = failures.length === 0 && points > 0 ? 0 : 1
