/** The checker is judged by histories whose verdict is known, and by the definition itself. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  checkHistory,
  formatHistory,
  parseHistory,
  picture,
  resolveUnknown,
  shortestBadPrefix,
  type Operation,
} from '../../cluster/linearizability/index.js'
import { repositoryRoot } from '../house/repository.js'
import { SeededRandom } from '../simulation/random.js'
import { isLinearizable } from './brute-force.js'
import { correctHistory, withStaleRead } from './histories.js'
import '../property-seed.js'

const key = '/prod/x'

const ms = (startedMs: number) => `${(performance.now() - startedMs).toFixed(0)} ms`

/** `start end` in the order of the columns; `end` absent: no answer. */
function did(
  client: string,
  start: number,
  end: number | null,
  what: Pick<Operation, 'op'> & Partial<Operation>,
): Operation {
  return { client, start, end, key, status: end === null ? 'info' : 'ok', ...what }
}

await t.test('histories that are explained by some order', async (t) => {
  const good: Readonly<Record<string, readonly Operation[]>> = {
    'one after the other': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('b', 2, 3, { op: 'get', result: 1 }),
      did('a', 4, 5, { op: 'delete' }),
      did('b', 6, 7, { op: 'get', result: null }),
    ],
    'two reads beside a write, in the order old, new': [
      did('a', 0, 9, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: null }),
      did('b', 3, 4, { op: 'get', result: 1 }),
    ],
    'a write without an answer that is seen late': [
      did('a', 0, null, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: null }),
      did('b', 8, 9, { op: 'get', result: 1 }),
    ],
    'a write without an answer that nobody sees': [
      did('a', 0, null, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: null }),
    ],
    'what failed was never there': [
      did('a', 0, 1, { op: 'put', value: 1, status: 'fail' }),
      did('b', 2, 3, { op: 'get', result: null }),
    ],
    'a read without an answer says nothing': [
      did('b', 0, null, { op: 'get', result: 7 }),
      did('a', 1, 2, { op: 'put', value: 1 }),
    ],
    'one of two cas from the same state': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('a', 2, 5, { op: 'cas', old: 1, value: 2 }),
      did('b', 2, 5, { op: 'cas', old: 1, value: 3, result: false }),
    ],
    'ended at the instant at which the next one began': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: null }),
    ],
  }
  for (const [name, history] of Object.entries(good)) {
    t.equal(checkHistory(history).verdict, 'linearizable', name)
  }
})

await t.test('histories that nothing explains', async (t) => {
  const bad: Readonly<Record<string, readonly Operation[]>> = {
    'a stale read': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('a', 2, 3, { op: 'put', value: 2 }),
      did('b', 4, 5, { op: 'get', result: 1 }),
    ],
    'two reads beside a write, in the order new, old': [
      did('a', 0, 9, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: 1 }),
      did('b', 3, 4, { op: 'get', result: null }),
    ],
    'a lost write': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('b', 2, 3, { op: 'get', result: null }),
    ],
    'a value from nowhere': [did('b', 0, 1, { op: 'get', result: 3 })],
    'a value before it was written': [
      did('b', 0, 1, { op: 'get', result: 1 }),
      did('a', 2, null, { op: 'put', value: 1 }),
    ],
    'two cas from the same state': [
      did('a', 0, 1, { op: 'put', value: 1 }),
      did('a', 2, 5, { op: 'cas', old: 1, value: 2 }),
      did('b', 2, 5, { op: 'cas', old: 1, value: 3 }),
    ],
    'a value that was overwritten comes back': [
      did('a', 0, null, { op: 'put', value: 1 }),
      did('b', 1, 2, { op: 'get', result: 1 }),
      did('b', 3, 4, { op: 'put', value: 2 }),
      did('b', 5, 6, { op: 'get', result: 1 }),
    ],
  }
  for (const [name, history] of Object.entries(bad)) {
    t.equal(checkHistory(history).verdict, 'not linearizable', name)
  }
})

await t.test('the state of a change', async (t) => {
  const change = 'change:00ff'
  const of = (operations: readonly Operation[]) =>
    checkHistory(operations.map((operation) => ({ ...operation, key: change }))).verdict
  const proposed = did('alice', 0, 1, { op: 'put', value: 'OPEN' })
  const approved = did('bob', 2, 5, { op: 'cas', old: 'OPEN', value: 'ACTIVE' })
  const rejected = did('carol', 2, 5, { op: 'cas', old: 'OPEN', value: 'REJECTED' })
  const saw = (start: number, result: string) => did('d', start, start + 1, { op: 'get', result })
  t.equal(of([proposed, approved, saw(6, 'ACTIVE')]), 'linearizable')
  t.equal(of([proposed, saw(2, 'STALE'), saw(4, 'STALE')]), 'linearizable', 'closed by itself')
  t.equal(
    of([did('alice', 0, null, { op: 'put', value: 'OPEN' }), saw(2, 'STALE')]),
    'linearizable',
    'a proposal without an answer is proved by the change that it made',
  )
  t.equal(of([proposed, approved, rejected]), 'not linearizable', 'two reviewers both win')
  t.equal(of([proposed, proposed]), 'not linearizable', 'proposed twice')
  t.equal(of([proposed, saw(2, 'STALE'), saw(4, 'OPEN')]), 'not linearizable', 'opened again')
  t.equal(of([proposed, saw(2, 'ACTIVE')]), 'not linearizable', 'active, and nobody approved it')
})

const shape = { clients: 5, operations: 300, keys: 3, lost: 0.05 }
const sets = 31

await t.test('random correct histories are accepted, a stale read in them is found', async (t) => {
  for (let seed = 1; seed <= sets; seed += 1) {
    const random = new SeededRandom(seed)
    const history = correctHistory(random, shape)
    const verdict = checkHistory(history)
    t.equal(verdict.verdict, 'linearizable', `seed ${String(seed)}`)
    const stale = withStaleRead(history, random)
    if (stale === undefined) throw new Error(`seed ${String(seed)} has no read to make stale`)
    t.equal(checkHistory(stale).verdict, 'not linearizable', `seed ${String(seed)}, one stale read`)
  }
})

const smallValue = fc.integer({ min: 0, max: 2 })
const smallOperation = fc
  .record({
    client: fc.integer({ min: 0, max: 3 }),
    start: fc.integer({ min: 0, max: 12 }),
    length: fc.integer({ min: 0, max: 6 }),
    op: fc.constantFrom('put', 'get', 'delete', 'cas'),
    status: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'info', 'fail'),
    value: smallValue,
    old: fc.option(smallValue),
    seen: fc.option(smallValue),
    hit: fc.boolean(),
  })
  .map(({ length, op, status, seen, hit, ...rest }): Operation => {
    const end = status === 'info' ? null : rest.start + length
    const result = op === 'get' ? { result: seen } : op === 'cas' ? { result: hit } : {}
    return { ...rest, end, key, op: op, status: status, ...result }
  })

await t.test('the verdict is that of trying every order', async (t) => {
  let bad = 0
  let runs = 0
  fc.assert(
    fc.property(fc.array(smallOperation, { minLength: 1, maxLength: 7 }), (history) => {
      const expected = isLinearizable(history) ? 'linearizable' : 'not linearizable'
      runs += 1
      if (expected !== 'linearizable') bad += 1
      return checkHistory(history).verdict === expected
    }),
    { numRuns: 3000 },
  )
  t.ok(bad > runs / 20 && bad < runs * 0.95, 'both verdicts occurred often')
})

await t.test('the workload that chaos runs produce is within its reach', async (t) => {
  // Each key is judged alone: a run of twenty keys is four times this one.
  const big = { clients: 8, operations: 4000 * 5, keys: 5, lost: 0.01 }
  const history = correctHistory(new SeededRandom(7), big)
  let startedMs = performance.now()
  const verdict = checkHistory(history)
  t.comment(`${String(history.length)} operations: ${ms(startedMs)}`)
  t.equal(verdict.verdict, 'linearizable')
  const one = correctHistory(new SeededRandom(8), { ...big, operations: 4000, keys: 1 })
  startedMs = performance.now()
  t.equal(checkHistory(one).verdict, 'linearizable')
  t.comment(`8 clients, 4000 operations on one key: ${ms(startedMs)}`)
  startedMs = performance.now()
  const stale = withStaleRead(one.slice(0, 1500), new SeededRandom(9)) ?? []
  t.equal(checkHistory(stale).verdict, 'not linearizable')
  t.comment(`1500 of them with a stale read: ${ms(startedMs)}`)
})

await t.test('a search that gives up says so', async (t) => {
  const history = correctHistory(new SeededRandom(3), { ...shape, keys: 1 })
  t.equal(checkHistory(history, { limits: { stepsMax: 20 } }).verdict, 'unknown')
})

await t.test('the shortest bad prefix ends with the answer that is wrong', async (t) => {
  const random = new SeededRandom(11)
  const history = correctHistory(random, { ...shape, keys: 1 })
  const stale = withStaleRead(history, random) ?? []
  const prefix = shortestBadPrefix('/prod/0', stale)
  if (prefix === undefined) throw new Error('a bad history has a bad prefix')
  const { last, operations } = prefix
  t.equal(checkHistory(operations).verdict, 'not linearizable')
  t.equal(
    checkHistory(operations.filter((each) => each.start !== last.start)).verdict,
    'linearizable',
    'without its last answer the prefix is good',
  )
  t.equal(shortestBadPrefix('/prod/0', history), undefined, 'a good history has none')
  const html = picture('/prod/<0>', prefix)
  t.match(html, '/prod/&lt;0>', 'the key is escaped')
  t.match(html, 'class="bad ok"', 'the answer is marked')
})

await t.test('what the log says settles what nobody was told', async (t) => {
  const lost = did('a', 0, null, { op: 'put', value: 1 })
  const unseen = did('b', 5, 6, { op: 'get', result: null })
  t.equal(checkHistory([lost, unseen]).verdict, 'linearizable', 'it may come later')
  const readBack = resolveUnknown([lost, unseen], 4, () => 'committed')
  t.equal(checkHistory(readBack).verdict, 'not linearizable', 'it stood before the read')
  t.equal(resolveUnknown([lost], 9, () => 'not in any log')[0]?.status, 'fail')
  t.same(
    resolveUnknown([lost, unseen], 9, () => 'cannot be told'),
    [lost, unseen],
  )
})

await t.test('what is no history is refused with its line', async (t) => {
  const bad: Readonly<Record<string, string>> = {
    '{"client":1,"start":0,"end":1,"op":"push","key":"k","status":"ok"}': 'op must be one of',
    '{"client":1,"start":2,"end":1,"op":"delete","key":"k","status":"ok"}': 'ends before it starts',
    '{"client":1,"start":2,"end":3,"op":"get","key":"k","status":"ok"}': 'without a result',
    '{"client":1,"start":2,"end":3,"op":"put","key":"k","status":"ok"}': 'without a value',
    '{"client":1,"start":2,"op":"put","key":"k","value":1,"status":"ok"}': 'has no end',
    nonsense: 'is not JSON',
  }
  for (const [line, problem] of Object.entries(bad)) {
    t.throws(() => parseHistory(`\n${line}\n`), { message: problem, line: 2 }, problem)
  }
  const verdict = checkHistory([{ ...did('a', 2, 1, { op: 'delete' }) }])
  t.match(verdict, { verdict: 'bad input', problem: 'Operation 1: ends before it starts' })
})

await t.test('the program tells its verdict by its exit code', async (t) => {
  const program = path.join(repositoryRoot, 'dist/cluster/linearizability/main.js')
  const folder = t.testdir()
  mkdirSync(folder, { recursive: true })
  const run = (history: string) => {
    const file = path.join(folder, 'history.ndjson')
    writeFileSync(file, history)
    const parameters = [program, file, '--picture', path.join(folder, 'out')]
    const ran = spawnSync(process.execPath, parameters, { encoding: 'utf8' })
    return { code: ran.status, output: ran.stdout + ran.stderr }
  }
  const written = did('a', 0, 1, { op: 'put', value: 1 })
  const good = run(formatHistory([written]))
  t.equal(good.code, 0, good.output)
  const bad = run(formatHistory([written, did('b', 2, 3, { op: 'get', result: 2 })]))
  t.equal(bad.code, 1, bad.output)
  t.match(bad.output, 'nothing explains: b get -> 2')
  t.match(bad.output, '_prod_x.html')
  t.equal(run('{}').code, 3)
})
