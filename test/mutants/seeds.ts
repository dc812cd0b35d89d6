/**
 * Runs the core-level simulator from one seed on until a seed fails: `seeds.js --from 1 --count 40`.
 * Prints one line of JSON: {"seed": 7, "sentence": "...", "ran": 7}; seed null when all held.
 */
import { parseArgs } from 'node:util'
import { simulate } from '../simulation/simulate.js'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '0.5' },
  },
})

const endsAt = performance.now() + Number(values.minutes) * 60_000
const first = Number(values.from)
let failure: { readonly seed: number; readonly sentence: string } | null = null
let ran = 0
while (failure === null && ran < Number(values.count) && performance.now() < endsAt) {
  const seed = first + ran
  ran += 1
  try {
    simulate(seed)
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    failure = { seed, sentence: message.split('\n')[0] ?? '' }
  }
}
const found = failure ?? { seed: null, sentence: '' }
console.log(JSON.stringify({ ...found, ran }))
