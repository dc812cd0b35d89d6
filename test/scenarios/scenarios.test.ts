/**
 * Every scenario as a subtest. COUNTERSIGN_WRITE_DOCS=1 writes docs/scenarios.md, which otherwise
 * must be what the files say.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { allScenarios, scenariosNamed } from './catalogue.js'
import { scenariosPage } from './docs-page.js'

const root = process.cwd()
const page = 'docs/scenarios.md'
const scenarios = allScenarios(root)

await t.test('no number is left out, and each head is complete', (t) => {
  const numbers = new Set(scenarios.map(({ number }) => number))
  for (let number = 1; number <= 70; number += 1) {
    t.ok(numbers.has(number), `scenario ${String(number)}`)
  }
  for (const { file, number } of scenarios) {
    t.match(file, `/${String(number).padStart(2, '0')}-`, 'the file begins with the number')
  }
  t.end()
})

await t.test('a scenario is chosen by its number or its file, and nothing by a slip', (t) => {
  const filesOf = (...words: string[]) =>
    scenariosNamed(scenarios, words).chosen.map(({ name }) => name)
  t.same(filesOf('18'), ['18-figure-8-e', '18-figure-8'])
  t.same(filesOf('18-figure-8', '66'), ['18-figure-8', '66-feature-level'])
  t.same(filesOf('18-figure-8.scenario'), ['18-figure-8'])
  t.same(filesOf('test/scenarios/coded/66-feature-level.ts'), ['66-feature-level'])
  t.equal(filesOf().length, scenarios.length)
  t.same(scenariosNamed(scenarios, ['18', 'nonsense', '999', '--jsn']).unknown, [
    'nonsense',
    '999',
    '--jsn',
  ])
  t.end()
})

await t.test('docs/scenarios.md is what the files say', (t) => {
  const text = scenariosPage(scenarios)
  if (process.env['COUNTERSIGN_WRITE_DOCS'] === '1') writeFileSync(page, text)
  t.equal(readFileSync(page, 'utf8'), text)
  t.end()
})

for (const scenario of scenarios) {
  const { number, title, file } = scenario
  await t.test(`${String(number)} ${title} (${file})`, async (t) => {
    await scenario.run()
    t.pass(scenario.proves)
  })
}
