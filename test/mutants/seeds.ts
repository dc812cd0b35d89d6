/**
 * Runs one level of the simulator from one seed on until a seed fails:
 * `seeds.js --level core --from 1 --count 40 --seconds 30`. Prints one line of JSON for each seed,
 * so that whoever ends it in the middle knows how far it came: {"seed": 7, "failure": "..."}, with
 * null for a seed that held.
 */
import { parseArgs } from 'node:util'
import { levels } from '../simulation/level.js'

const { values } = parseArgs({
  options: {
    level: { type: 'string', default: 'core' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
  },
})

const level = levels[values.level === 'cluster' ? 'cluster' : 'core']
const endsAt = performance.now() + Number(values.seconds) * 1000
const first = Number(values.from)
for (let seed = first; seed < first + Number(values.count); seed += 1) {
  let failure: string | null = null
  try {
    await level.run(seed, {})
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    failure = message.split('\n')[0] ?? ''
  }
  console.log(JSON.stringify({ seed, failure }))
  if (failure !== null || performance.now() >= endsAt) break
}
