import fc from 'fast-check'
import t from 'tap'
import { Log, entryBytes } from '../../src/raft/log/log.js'
import { logIndex, term, type Entry } from '../../src/raft/index.js'
import { bytes, logOf } from './group.js'
import { at } from './lone-node.js'
import '../property-seed.js'

const next = (log: Log, ...terms: number[]): Entry[] =>
  terms.map((value, offset) => ({
    index: logIndex(log.lastIndex + 1 + offset),
    term: term(value),
    kind: 'command',
    payload: bytes(String(value)),
  }))

await t.test('an empty log ends at index 0 of term 0', async (t) => {
  const log = new Log([])
  t.equal(log.lastIndex, 0)
  t.equal(log.lastTerm, 0)
  t.equal(log.termAt(at(0)), 0)
  t.equal(log.termAt(at(1)), null)
  t.ok(log.matches({ index: at(0), term: term(0) }))
  t.notOk(log.matches({ index: at(0), term: term(1) }))
})

await t.test('a gap or a falling term is refused', async (t) => {
  t.throws(() => new Log(logOf(1, 1).slice(1)), { message: 'the log has no gap' })
  t.throws(() => new Log(logOf(2, 1)), { message: 'terms in the log never decrease' })
  const log = new Log(logOf(1))
  t.throws(
    () => {
      log.append(logOf(1, 1, 1).slice(2))
    },
    { message: 'the log has no gap' },
  )
})

await t.test('isUpToDate compares the last term first, then the length', async (t) => {
  const log = new Log(logOf(1, 2, 2))
  const end = (lastIndex: number, lastTerm: number) =>
    log.isUpToDate({ lastIndex: at(lastIndex), lastTerm: term(lastTerm) })
  t.ok(end(3, 2))
  t.ok(end(4, 2))
  t.ok(end(1, 3))
  t.notOk(end(2, 2))
  t.notOk(end(9, 1))
})

await t.test('rangeWithin: contiguous, within the bytes, at least one', async (t) => {
  const log = new Log(logOf(1, 1, 1, 1))
  const [first] = log.range(at(1), at(1))
  const size = first === undefined ? 0 : entryBytes(first)
  const indexes = (from: number, bytesMax: number) =>
    log.rangeWithin(at(from), bytesMax).map((entry) => entry.index)
  t.same(indexes(1, 0), [1])
  t.same(indexes(1, size), [1])
  t.same(indexes(1, 2 * size - 1), [1])
  t.same(indexes(2, 2 * size), [2, 3])
  t.same(indexes(3, 1000), [3, 4])
  t.same(indexes(5, 1000), [])
})

await t.test('lastWithTermAtMost equals a walk through the log', async (t) => {
  const steps = fc.array(fc.nat(2), { maxLength: 30 })
  fc.assert(
    fc.property(steps, fc.nat(35), fc.nat(20), (rises, index, maxTerm) => {
      let value = 1
      const terms = rises.map((rise) => (value += rise))
      const log = new Log(logOf(...terms))
      let expected = Math.min(index, terms.length)
      while (expected > 0 && (terms[expected - 1] ?? 0) > maxTerm) expected -= 1
      const found = log.lastWithTermAtMost(at(index), term(maxTerm))
      return found?.index === expected && found.term === (terms[expected - 1] ?? 0)
    }),
    { numRuns: 1000, seed: 25 },
  )
  t.pass()
})

await t.test('a truncation takes back terms as well', async (t) => {
  const log = new Log(logOf(1, 2, 3, 3))
  log.truncateAfter(at(2))
  t.equal(log.lastIndex, 2)
  t.equal(log.lastTerm, 2)
  t.same(log.termRuns(), [
    { term: 0, first: 0 },
    { term: 1, first: 1 },
    { term: 2, first: 2 },
  ])
  log.append(next(log, 2, 5))
  t.same(log.termRuns().at(-1), { term: 5, first: 4 })
  t.throws(
    () => {
      log.truncateAfter(at(9))
    },
    { message: 'a truncation lies within the log' },
  )
})

await t.test('a write takes what is new since the last one', async (t) => {
  const log = new Log(logOf(1))
  t.notOk(log.unstable.hasWork(log.lastIndex))
  log.append(next(log, 1, 1))
  t.ok(log.unstable.hasWork(log.lastIndex))
  t.same(log.unstable.take(log.lastIndex), { truncateAfter: null, first: 2 })
  log.unstable.issued(1, 0)
  t.equal(log.durableIndex, 1)
  log.append(next(log, 1))
  t.same(log.unstable.take(log.lastIndex), { truncateAfter: null, first: 4 })
  log.unstable.issued(2, 0)
  log.unstable.completed(1)
  t.equal(log.durableIndex, 3)
  log.unstable.completed(2)
  t.equal(log.durableIndex, 4)
})

await t.test('entries that never went to the disk need no truncation there', async (t) => {
  const log = new Log(logOf(1))
  log.append(next(log, 1, 1))
  log.truncateAfter(at(1))
  t.notOk(log.unstable.hasWork(log.lastIndex))
  log.append(next(log, 2))
  t.same(log.unstable.take(log.lastIndex), { truncateAfter: null, first: 2 })
})

await t.test('completions out of order: the durable index is right and never stuck', async (t) => {
  const log = new Log([])
  for (const token of [1, 2, 3]) {
    log.append(next(log, 1))
    log.unstable.take(log.lastIndex)
    log.unstable.issued(token, token)
  }
  t.equal(log.unstable.oldestIssuedAtTicks(), 1)
  log.unstable.completed(2)
  t.equal(log.durableIndex, 2)
  log.unstable.completed(1)
  t.equal(log.durableIndex, 2)
  log.unstable.completed(3)
  t.equal(log.durableIndex, 3)
  t.equal(log.unstable.oldestIssuedAtTicks(), null)
})

await t.test(
  'A, B, A with writes in flight: an old completion vouches for nothing new',
  async (t) => {
    const log = new Log(logOf(1))
    const write = (token: number) => {
      const work = log.unstable.take(log.lastIndex)
      log.unstable.issued(token, 0)
      return work
    }
    log.append(next(log, 2))
    t.same(write(1), { truncateAfter: null, first: 2 })
    log.truncateAfter(at(1))
    log.append(next(log, 3))
    t.same(write(2), { truncateAfter: 1, first: 2 })
    log.truncateAfter(at(1))
    log.append([{ index: at(2), term: term(2), kind: 'command', payload: bytes('2') }])
    t.same(write(3), { truncateAfter: 1, first: 2 })

    log.unstable.completed(1)
    t.equal(log.durableIndex, 1, 'the disk has an A, but B is on its way to overwrite it')
    log.unstable.completed(2)
    t.equal(log.durableIndex, 1)
    log.unstable.completed(3)
    t.equal(log.durableIndex, 2)
  },
)

await t.test('any order of appends, truncations, writes: disk and memory end equal', async (t) => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      rise: fc.nat(1),
      count: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('write' as const) }),
    fc.record({ kind: fc.constant('complete' as const) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const log = new Log([])
      const disk: number[] = []
      const writes: { token: number; truncateAfter: number | null; terms: number[] }[] = []
      let token = 0
      let current = 1
      const write = () => {
        const work = log.unstable.take(log.lastIndex)
        token += 1
        log.unstable.issued(token, 0)
        const terms = log.range(work.first, log.lastIndex).map((entry) => entry.term as number)
        writes.push({ token, truncateAfter: work.truncateAfter, terms })
      }
      const complete = () => {
        const done = writes.shift()
        if (done === undefined) return
        if (done.truncateAfter !== null) disk.length = done.truncateAfter
        disk.push(...done.terms)
        log.unstable.completed(done.token)
      }
      const memory = () => log.range(at(1), log.lastIndex).map((entry) => entry.term as number)
      for (const step of actions) {
        if (step.kind === 'append') {
          current += step.rise
          log.append(next(log, ...Array<number>(step.count).fill(current)))
        }
        if (step.kind === 'truncate') {
          log.truncateAfter(at(Math.max(0, log.lastIndex - step.back)))
          current += 1
        }
        if (step.kind === 'write') write()
        if (step.kind === 'complete') complete()
        // What counts as durable is on the disk and stays there whatever completes next.
        const later = [...disk]
        for (const waiting of writes) {
          if (later.length < log.durableIndex) return false
          if (waiting.truncateAfter !== null)
            later.length = Math.min(later.length, waiting.truncateAfter)
          later.push(...waiting.terms)
        }
        const durable = memory().slice(0, log.durableIndex)
        if (disk.slice(0, log.durableIndex).join() !== durable.join()) return false
        if (later.slice(0, log.durableIndex).join() !== durable.join()) return false
      }
      write()
      while (writes.length > 0) complete()
      return disk.join() === memory().join() && log.durableIndex === log.lastIndex
    }),
    { numRuns: 1000, seed: 28 },
  )
  t.pass()
})
