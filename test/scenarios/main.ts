/**
 * `npm run scenario -- 18` runs the scenarios of that number, `-- 18-figure-8` that file, `npm run
 * scenario` all of them; `--json` prints one line for each and one in summary, `--first` stops at
 * the first that fails. Ends with 1 when one fails, with 2 when a word names none.
 */
import { allScenarios, scenariosNamed } from './catalogue.js'

const args = process.argv.slice(2)
const json = args.includes('--json')
const onlyFirst = args.includes('--first')
const words = args.filter((arg) => arg !== '--json' && arg !== '--first')
const scenarios = allScenarios(process.cwd())
const { chosen, unknown } = scenariosNamed(scenarios, words)

if (unknown.length > 0) {
  console.error(`No scenario is named ${unknown.join(', ')}. Give a number or a file name:\n`)
  for (const { name, title } of scenarios) console.error(`  ${name}: ${title}`)
  console.error('\nOptions: --json, --first')
  process.exit(2)
}

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
console.log(
  json ? JSON.stringify({ passed, failed }) : `${String(passed)} passed, ${String(failed)} failed`,
)
process.exitCode = failed === 0 ? 0 : 1
