/** The list of mutants is in order; `npm run mutants` hunts them. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { mutantsPage } from './docs-page.js'
import type { Hunted } from './hunt.js'
import { allMutants } from './index.js'
import { mutate } from './mutant.js'

await t.test('each mutant fits its source exactly once and changes it', (t) => {
  for (const mutant of allMutants) {
    const source = readFileSync(mutant.file, 'utf8')
    t.doesNotThrow(() => mutate(mutant, source), mutant.name)
    t.not(mutant.find, mutant.replace, mutant.name)
  }
  t.end()
})

await t.test('names are used once, and ten of them run with every merge', (t) => {
  t.equal(new Set(allMutants.map(({ name }) => name)).size, allMutants.length)
  t.equal(allMutants.filter(({ ten }) => ten === true).length, 10)
  t.end()
})

await t.test('a mutant that no longer fits is told', (t) => {
  const mutant = { name: 'x', breaks: '', source: '', file: 'a.ts', find: 'b', replace: 'c' }
  t.equal(mutate(mutant, 'abc'), 'acc')
  t.throws(() => mutate(mutant, 'acc'), /no longer fits a\.ts: its text is there 0 times/)
  t.throws(() => mutate(mutant, 'bb'), /2 times/)
  t.end()
})

await t.test('the page says what was tried and how long it took, and what was cut short', (t) => {
  const mutant = { name: 'x', breaks: '', source: '', file: 'a.ts', find: 'b', replace: 'c' }
  const held: Hunted = {
    mutant,
    ...{ scenarios: [3], scenarioSeconds: 1.5, sentence: '' },
    ...{ seed: null, seedsRan: 20, seedSeconds: 4, cutShort: false },
  }
  const rowOf = (change: Partial<Hunted>): string | undefined =>
    mutantsPage([{ ...held, ...change }], { seeds: 20, commit: 'abc', date: 'today' })
      .split('\n')
      .find((line) => line.startsWith('| x '))
  t.equal(rowOf({}), '| x |  |  | 3 | 1.5 | none of 20 | 4.0 |')
  t.match(rowOf({ seed: 7, seedsRan: 7 }), /\| 7 \| 4\.0/)
  t.match(rowOf({ seedsRan: 2, cutShort: true }), /none of 2, cut short/)
  t.match(rowOf({ seedsRan: 0, cutShort: true }), /none of 0, cut short/)
  t.match(rowOf({ seedsRan: 0 }), /not tried/)
  t.match(rowOf({ mutant: { ...mutant, level: 'cluster' }, seed: 1 }), /\| 1 \(c\) \|/)
  t.end()
})
