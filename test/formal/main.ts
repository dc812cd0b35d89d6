/**
 * `npm run search`: breadth-first search over the real core (search.ts), from each beginning.
 * `--terms N` and `--entries N` say how many more than a beginning has, `--crashes N` and
 * `--messages N` how many there may be. `--worlds N` bounds each search, `--beginning NAME[,NAME]` takes some of them, `--exhaust` demands that all
 * worlds within the bounds are seen, `--json` prints one object. The last line sums up; the exit
 * status is 1 when a fault was found, or when `--exhaust` was asked for and worlds are left.
 */
import { parseArgs } from 'node:util'
import { beginnings } from './beginnings.js'
import type { Beginning, Bounds } from './model.js'
import { search, type SearchResult } from './search.js'

const { values: flags } = parseArgs({
  options: {
    worlds: { type: 'string' },
    beginning: { type: 'string' },
    terms: { type: 'string', default: '2' },
    entries: { type: 'string', default: '3' },
    crashes: { type: 'string', default: '2' },
    messages: { type: 'string', default: '4' },
    exhaust: { type: 'boolean', default: false },
    json: { type: 'boolean' },
  },
})

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} is a whole number, not "${text}".`)
  process.exit(2)
}

const more = {
  terms: wholeNumber('terms', flags.terms),
  entries: wholeNumber('entries', flags.entries),
  crashes: wholeNumber('crashes', flags.crashes),
  messages: wholeNumber('messages', flags.messages),
}

function boundsFrom({ nodes }: Beginning): Bounds {
  return {
    ...more,
    nodes: nodes.length,
    terms: Math.max(...nodes.map(({ term }) => term)) + more.terms,
    entries: Math.max(...nodes.map(({ log }) => log.length)) + more.entries,
  }
}

/** Those of an exhaustive search fit into memory. */
const worldsMax = wholeNumber('worlds', flags.worlds ?? (flags.exhaust ? '40000000' : '100000'))
const wanted = flags.beginning?.split(',') ?? beginnings.map(({ name }) => name)
const chosen = beginnings.filter(({ name }) => wanted.includes(name))
if (chosen.length < wanted.length) {
  const names = beginnings.map(({ name }) => name).join(', ')
  console.error(`There is not each of "${wanted.join(', ')}". They are: ${names}.`)
  process.exit(2)
}

const results: SearchResult[] = []
for (const beginning of chosen) {
  const result = search({
    ...{ bounds: boundsFrom(beginning), beginning, worldsMax },
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
  const { worlds, depth, exhausted, fault, steps, coreSteps } = result
  const all = `all ${String(worlds)} worlds within the bounds`
  console.log(
    `${beginning.name}: ${exhausted ? all : `${String(worlds)} worlds, more are left`}, to depth ` +
      `${String(depth)}, ${String(steps)} steps (${String(coreSteps)} different ones of a node)`,
  )
  if (fault !== null) {
    console.log(`  ${fault.message}`)
    for (const action of fault.actions) console.log(`    ${JSON.stringify(action)}`)
  }
}

const faults = results.filter(({ fault }) => fault !== null).length
const exhausted = results.filter((result) => result.exhausted).length
const worlds = results.reduce((sum, result) => sum + result.worlds, 0)
if (flags.json === true) console.log(JSON.stringify({ more, results, worlds, exhausted, faults }))
else
  console.log(
    `${String(worlds)} worlds from ${String(results.length)} beginnings, ` +
      `${String(exhausted)} searched to the end, ${String(faults)} faults.`,
  )
process.exitCode = faults === 0 && (!flags.exhaust || exhausted === results.length) ? 0 : 1
