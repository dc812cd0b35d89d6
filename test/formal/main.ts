/**
 * `npm run search`: exhaustive search over the real core (search.ts), from each beginning.
 * `--worlds N` bounds each search, `--beginning NAME` takes one of them, `--json` prints one object.
 * The last line sums up; the exit status is 1 when a fault was found.
 */
import { parseArgs } from 'node:util'
import { beginnings } from './beginnings.js'
import { search, type SearchResult } from './search.js'
import type { Bounds } from './world.js'

const { values: flags } = parseArgs({
  options: {
    worlds: { type: 'string', default: '100000' },
    beginning: { type: 'string' },
    terms: { type: 'string', default: '5' },
    entries: { type: 'string', default: '4' },
    crashes: { type: 'string', default: '2' },
    messages: { type: 'string', default: '4' },
    json: { type: 'boolean' },
  },
})

function count(name: 'worlds' | 'terms' | 'entries' | 'crashes' | 'messages'): number {
  const value = Number(flags[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} is a whole number, not "${flags[name]}".`)
  process.exit(2)
}

const bounds: Bounds = {
  nodes: 3,
  ...{ terms: count('terms'), entries: count('entries') },
  ...{ crashes: count('crashes'), messages: count('messages') },
}
const worldsMax = count('worlds')
const chosen = beginnings.filter(({ name }) => name === (flags.beginning ?? name))
if (chosen.length === 0) {
  const names = beginnings.map(({ name }) => name).join(', ')
  console.error(`There is no beginning "${flags.beginning ?? ''}". They are: ${names}.`)
  process.exit(2)
}

const results: SearchResult[] = []
for (const beginning of chosen) {
  const result = search({
    ...{ bounds, beginning, worldsMax },
    progress: (worlds, depth) => {
      if (!process.stderr.isTTY) return
      process.stderr.write(
        `\r\u001b[K${beginning.name}: ${String(worlds)} worlds, depth ${String(depth)}`,
      )
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  results.push(result)
  if (flags.json === true) continue
  const how = result.exhausted ? 'all within the bounds' : 'as many as asked for'
  console.log(
    `${beginning.name}: ${String(result.worlds)} worlds (${how}), to depth ${String(result.depth)}`,
  )
  if (result.fault !== null) {
    console.log(`  ${result.fault.message}`)
    for (const action of result.fault.actions) console.log(`    ${JSON.stringify(action)}`)
  }
}

const faults = results.filter(({ fault }) => fault !== null).length
const worlds = results.reduce((sum, result) => sum + result.worlds, 0)
if (flags.json === true) console.log(JSON.stringify({ bounds, results, worlds, faults }))
else
  console.log(
    `${String(worlds)} worlds from ${String(results.length)} beginnings, ${String(faults)} faults.`,
  )
process.exitCode = faults === 0 ? 0 : 1
