import fc from 'fast-check'
import t from 'tap'
import { majorityOf, majorityValue, voteResult } from '../../src/raft/quorum.js'

await t.test('majorityOf', async (t) => {
  t.same([1, 2, 3, 4, 5, 6, 7, 8, 9].map(majorityOf), [1, 2, 2, 3, 3, 4, 4, 5, 5])
})

await t.test('majorityValue', async (t) => {
  const cases: [values: number[], reached: number][] = [
    [[7], 7],
    [[7, 0], 0],
    [[7, 3], 3],
    [[9, 5, 1], 5],
    [[5, 5, 0], 5],
    [[100, 0, 0], 0],
    [[9, 10, 11], 10],
    [[4, 3, 2, 1], 2],
    [[5, 4, 3, 2, 1], 3],
    [[9, 9, 9, 0, 0], 9],
    [[10, 9, 100, 2, 0, 0, 8], 8],
  ]
  for (const [values, reached] of cases) t.equal(majorityValue(values), reached, values.join())
})

await t.test('random progress: the majority value equals a count by brute force', async (t) => {
  const values = fc.array(fc.nat(12), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(values, (matches) => {
      const reached = [...matches, 0].filter(
        (value) => matches.filter((match) => match >= value).length * 2 > matches.length,
      )
      return majorityValue(matches) === Math.max(...reached)
    }),
    { numRuns: 1000, seed: 27 },
  )
  t.pass()
})

await t.test('the order of the values does not matter, and the input is left alone', async (t) => {
  const values = [3, 11, 2, 100, 20]
  t.equal(majorityValue(values), 11)
  t.same(values, [3, 11, 2, 100, 20])
})

await t.test('voteResult', async (t) => {
  const voters = ['a', 'b', 'c', 'd', 'e']
  const votes = (text: string) =>
    new Map(
      Array.from(text, (sign, place): [string, boolean] => [voters[place] ?? '', sign === '+']),
    )
  t.equal(voteResult(voters, votes('')), 'pending')
  t.equal(voteResult(voters, votes('++')), 'pending')
  t.equal(voteResult(voters, votes('+++')), 'won')
  t.equal(voteResult(voters, votes('--+')), 'pending')
  t.equal(voteResult(voters, votes('---')), 'lost')
  t.equal(voteResult(voters, votes('--++')), 'pending')
  t.equal(voteResult(voters, votes('--+++')), 'won')
  t.equal(voteResult(['a', 'b'], new Map([['a', true]])), 'pending')
  t.equal(voteResult(['a', 'b'], new Map([['b', false]])), 'lost', 'half is not a majority')
  t.equal(voteResult(['a'], new Map([['x', true]])), 'pending', 'who is no voter does not count')
})
