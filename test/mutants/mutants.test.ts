/** The list of mutants is in order; `npm run mutants` hunts them. */
import { readFileSync } from 'node:fs'
import t from 'tap'
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
