/**
 * `npm run scenario -- 18` runs the scenarios of that number, `npm run scenario` all of them;
 * `--json` prints one line for each, `--first` stops at the first that fails. Ends with 1 when one
 * fails.
 */
import { allScenarios } from './catalogue.js'

const args = process.argv.slice(2)
const json = args.includes('--json')
const onlyFirst = args.includes('--first')
const numbers = args.filter((arg) => /^\d+$/.test(arg)).map(Number)

const chosen = allScenarios(process.cwd()).filter(
  ({ number }) => numbers.length === 0 || numbers.includes(number),
)
let passed = 0
let failed = 0
for (const scenario of chosen) {
  if (onlyFirst && failed > 0) break
  const startedAt = performance.now()
  let failure: string | null = null
  try {
    await scenario.run()
    passed += 1
  } catch (thrown) {
    failure = thrown instanceof Error ? thrown.message : String(thrown)
    failed += 1
  }
  const ms = Math.round(performance.now() - startedAt)
  const { number, title, file } = scenario
  if (json) console.log(JSON.stringify({ number, file, failure, ms }))
  else {
    console.log(
      `${failure === null ? 'ok  ' : 'FAIL'} ${String(number)} ${title} (${String(ms)} ms)`,
    )
    if (failure !== null) console.log(`     ${failure.replaceAll('\n', '\n     ')}`)
  }
}
if (!json) console.log(`${String(passed)} passed, ${String(failed)} failed`)
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1
