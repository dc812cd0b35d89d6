import fc from 'fast-check'
import t from 'tap'
import {
  hasQuorum,
  majorityOf,
  majorityValue,
  quorumValue,
  voteResult,
} from '../../src/raft/quorum.js'
import '../property-seed.js'

const plain = (voters: readonly string[]) => ({ voters, outgoing: [] })

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
  t.equal(voteResult(plain(voters), votes('')), 'pending')
  t.equal(voteResult(plain(voters), votes('++')), 'pending')
  t.equal(voteResult(plain(voters), votes('+++')), 'won')
  t.equal(voteResult(plain(voters), votes('--+')), 'pending')
  t.equal(voteResult(plain(voters), votes('---')), 'lost')
  t.equal(voteResult(plain(voters), votes('--++')), 'pending')
  t.equal(voteResult(plain(voters), votes('--+++')), 'won')
  t.equal(voteResult(plain(['a', 'b']), new Map([['a', true]])), 'pending')
  t.equal(voteResult(plain(['a', 'b']), new Map([['b', false]])), 'lost', 'half is not a majority')
  t.equal(
    voteResult(plain(['a']), new Map([['x', true]])),
    'pending',
    'who is no voter does not count',
  )
})

const joint = { voters: ['a', 'b', 'c'], outgoing: ['c', 'd', 'e'] }

await t.test('while joint, both halves are asked', async (t) => {
  const held = (text: string) => (voter: string) => (text.includes(voter) ? 7 : 0)
  const cases: [who: string, value: number][] = [
    ['ab', 0],
    ['de', 0],
    ['abc', 0],
    ['abd', 0],
    ['cde', 0],
    ['abde', 7],
    ['acd', 7],
    ['bce', 7],
  ]
  for (const [who, value] of cases) t.equal(quorumValue(joint, held(who)), value, who)
})

await t.test('while joint, an election is won in both halves and lost in one', async (t) => {
  const votes = (yes: string, no: string) =>
    new Map([
      ...Array.from(yes, (id): [string, boolean] => [id, true]),
      ...Array.from(no, (id): [string, boolean] => [id, false]),
    ])
  t.equal(voteResult(joint, votes('ab', '')), 'pending')
  t.equal(voteResult(joint, votes('abde', '')), 'won')
  t.equal(voteResult(joint, votes('ac', 'de')), 'lost', 'the outgoing half')
  t.equal(voteResult(joint, votes('cd', 'ab')), 'lost', 'the incoming half')
  t.equal(voteResult(joint, votes('a', 'cb')), 'lost')
})

await t.test('27: a quorum of random halves equals a count by brute force', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  const half = (minLength: number) =>
    fc.uniqueArray(fc.constantFrom(...names), { minLength, maxLength: 9 })
  const progress = fc.array(fc.nat(5), { minLength: 9, maxLength: 9 })
  fc.assert(
    fc.property(half(1), half(0), progress, (voters, outgoing, matches) => {
      const valueOf = (voter: string) => matches[names.indexOf(voter)] ?? 0
      const isHeld = (value: number) =>
        [voters, outgoing].every(
          (ids) =>
            ids.length === 0 || ids.filter((id) => valueOf(id) >= value).length * 2 > ids.length,
        )
      const reached = [0, 1, 2, 3, 4, 5].filter(isHeld)
      const halves = { voters, outgoing }
      const votes = new Map(names.map((id) => [id, valueOf(id) >= 3]))
      return (
        quorumValue(halves, valueOf) === Math.max(...reached) &&
        hasQuorum(halves, (id) => valueOf(id) >= 3) === isHeld(3) &&
        (voteResult(halves, votes) === 'won') === isHeld(3)
      )
    }),
    { numRuns: 1000, seed: 27 },
  )
  t.pass()
})

await t.test('two quorums of neighbouring configurations meet', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const subsets = Array.from({ length: 32 }, (_, bits) =>
    names.filter((_, place) => (bits >> place) % 2 === 1),
  )
  const old = { voters: ['a', 'b', 'c'], outgoing: [] }
  const both = { voters: ['c', 'd', 'e'], outgoing: ['a', 'b', 'c'] }
  const next = { voters: ['c', 'd', 'e'], outgoing: [] }
  for (const [one, other] of [
    [old, both],
    [both, next],
  ] as const) {
    for (const some of subsets.filter((ids) => hasQuorum(one, (id) => ids.includes(id)))) {
      for (const others of subsets.filter((ids) => hasQuorum(other, (id) => ids.includes(id)))) {
        if (!some.some((id) => others.includes(id))) t.fail(`${some.join('')} ${others.join('')}`)
      }
    }
  }
  t.pass()
})
