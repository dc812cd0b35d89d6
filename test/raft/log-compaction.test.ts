import fc from 'fast-check'
import t from 'tap'
import { Log } from '../../src/raft/log/log.js'
import { term, type Entry } from '../../src/raft/index.js'
import { bytes, logOf } from './group.js'
import { at } from './lone-node.js'
import '../property-seed.js'

const anchorAt = (index: number, termThere: number) => ({ index: at(index), term: term(termThere) })

/** Entries after `index`, one for each term. */
const entriesAfter = (index: number, ...terms: number[]): Entry[] =>
  terms.map((value, offset) => ({
    index: at(index + 1 + offset),
    term: term(value),
    kind: 'command',
    payload: bytes('x'.repeat(value)),
  }))

const indexes = (entries: readonly Entry[]) => entries.map((entry) => entry.index as number)

await t.test('a log that was read back after a cut begins behind its anchor', async (t) => {
  const log = new Log(entriesAfter(5, 2, 3), anchorAt(5, 2))
  t.same(log.anchor, { index: 5, term: 2 })
  t.equal(log.firstIndex, 6)
  t.equal(log.lastIndex, 7)
  t.equal(log.durableIndex, 7)
  t.equal(log.termAt(at(4)), null)
  t.equal(log.termAt(at(5)), 2)
  t.equal(log.termAt(at(7)), 3)
  t.equal(log.termAt(at(8)), null)
  t.throws(() => new Log(entriesAfter(6, 2), anchorAt(5, 2)), { message: 'the log has no gap' })
  t.throws(() => new Log(entriesAfter(5, 1), anchorAt(5, 2)), {
    message: 'terms in the log never decrease',
  })
})

await t.test('an empty log behind an anchor ends at the anchor', async (t) => {
  const log = new Log([], anchorAt(5, 2))
  t.equal(log.lastIndex, 5)
  t.equal(log.lastTerm, 2)
  t.ok(log.isUpToDate({ lastIndex: at(5), lastTerm: term(2) }))
  t.notOk(log.isUpToDate({ lastIndex: at(9), lastTerm: term(1) }))
  t.same(log.rangeWithin(at(6), 1000), [])
})

await t.test('a purge drops the entries up to its index and keeps the position', async (t) => {
  const log = new Log(logOf(1, 1, 2, 2, 3))
  log.purge(at(3))
  t.same(log.anchor, { index: 3, term: 2 })
  t.same(indexes(log.range(at(4), at(5))), [4, 5])
  t.same(indexes(log.rangeWithin(at(4), 1)), [4])
  t.same(log.termRuns(), [
    { term: 2, first: 3 },
    { term: 3, first: 5 },
  ])
  for (const gone of [
    () => log.range(at(3), at(4)),
    () => log.rangeWithin(at(3), 1000),
    () => log.entryAt(at(3)),
  ]) {
    t.throws(gone)
  }
  log.purge(at(2))
  t.equal(log.anchor.index, 3, 'a purge never goes back')
  log.purge(at(5))
  t.equal(log.lastIndex, 5)
  t.equal(log.lastTerm, 3)
  t.same(log.range(at(6), log.lastIndex), [])
  log.append(entriesAfter(5, 3))
  t.equal(log.lastIndex, 6)
})

await t.test('only what is durable is purged', async (t) => {
  const log = new Log(logOf(1))
  log.append(entriesAfter(1, 1))
  t.throws(
    () => {
      log.purge(at(2))
    },
    { message: 'only what is durable is purged' },
  )
})

await t.test('no truncation reaches behind the anchor', async (t) => {
  const log = new Log(entriesAfter(5, 2, 2), anchorAt(5, 2))
  t.throws(
    () => {
      log.truncateAfter(at(4))
    },
    { message: 'a truncation lies within the log' },
  )
  log.truncateAfter(at(5))
  t.equal(log.lastIndex, 5)
})

await t.test('backtracking ends where the log was cut', async (t) => {
  const log = new Log(entriesAfter(5, 4, 6, 6), anchorAt(5, 4))
  const last = (index: number, maxTerm: number) => log.lastWithTermAtMost(at(index), term(maxTerm))
  t.same(last(8, 5), { index: 6, term: 4 })
  t.same(last(5, 4), { index: 5, term: 4 })
  t.same(last(99, 9), { index: 8, term: 6 })
  t.equal(last(8, 3), null)
  t.equal(last(4, 9), null)
})

await t.test('purged entries are not written again, and writes go on', async (t) => {
  const log = new Log(logOf(1, 1, 1))
  log.append(entriesAfter(3, 2))
  log.purge(at(3))
  t.same(log.unstable.take(log.lastIndex), { truncateAfter: null, first: 4 })
  log.unstable.issued(1, 0)
  log.unstable.completed(1)
  t.equal(log.durableIndex, 4)
})

await t.test('after a reset a late write of the old log vouches for nothing', async (t) => {
  const log = new Log(logOf(1, 1, 1))
  log.append(entriesAfter(3, 1, 1, 1))
  log.unstable.take(log.lastIndex)
  log.unstable.issued(1, 0)
  log.truncateAfter(at(4))
  log.reset(anchorAt(5, 2), at(2))
  t.equal(log.durableIndex, 2, 'of the old log only what was committed')
  t.notOk(log.unstable.hasWork(log.lastIndex), 'the truncation went with the log')
  log.append(entriesAfter(5, 3))
  t.same(log.unstable.take(log.lastIndex), { truncateAfter: null, first: 6 })
  log.unstable.issued(2, 0)
  log.unstable.completed(1)
  t.equal(log.durableIndex, 2)
  log.unstable.completed(2)
  t.equal(log.durableIndex, 6)
})

/** The whole log and an anchor, with nothing clever about it. */
class NaiveLog {
  private history: Entry[] = []
  /** Entries before this position of `history` are compacted away. */
  private cut = 0
  private start = anchorAt(0, 0)

  get entries(): Entry[] {
    return this.history.slice(this.cut)
  }

  get anchor() {
    const last = this.history[this.cut - 1]
    return last === undefined ? this.start : { index: last.index, term: last.term }
  }

  get lastIndex(): number {
    return this.start.index + this.history.length
  }

  get lastTerm(): number {
    return this.history.at(-1)?.term ?? this.start.term
  }

  append(entries: readonly Entry[]): void {
    this.history.push(...entries)
  }

  truncateAfter(index: number): void {
    this.history.length = index - this.start.index
  }

  purge(index: number): void {
    this.cut = Math.max(this.cut, index - this.start.index)
  }

  reset(index: number, termThere: number): void {
    this.history = []
    this.cut = 0
    this.start = anchorAt(index, termThere)
  }

  /** Kept positions, the anchor first. */
  positions(): { index: number; term: number }[] {
    return [this.anchor, ...this.entries].map((entry) => ({ index: entry.index, term: entry.term }))
  }
}

await t.test('a log that is cut answers like one that keeps everything', async (t) => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      rise: fc.nat(1),
      count: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('purge' as const), tenths: fc.nat(10) }),
    fc.record({ kind: fc.constant('reset' as const), ahead: fc.nat(5), rise: fc.nat(1) }),
    fc.record({ kind: fc.constant('write' as const) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const log = new Log([])
      const model = new NaiveLog()
      let current = 1
      let token = 0
      for (const step of actions) {
        if (step.kind === 'append') {
          current += step.rise
          const terms = Array<number>(step.count).fill(current)
          const entries = entriesAfter(log.lastIndex, ...terms)
          log.append(entries)
          model.append(entries)
        }
        if (step.kind === 'truncate') {
          const to = Math.max(model.anchor.index, model.lastIndex - step.back)
          log.truncateAfter(at(to))
          model.truncateAfter(to)
          current += 1
        }
        if (step.kind === 'purge') {
          const span = Math.max(0, log.durableIndex - log.anchor.index)
          const to = log.anchor.index + Math.floor((step.tenths * span) / 10)
          log.purge(at(to))
          model.purge(to)
        }
        if (step.kind === 'reset') {
          current += step.rise
          const index = model.lastIndex + step.ahead
          log.reset(anchorAt(index, current), log.durableIndex)
          model.reset(index, current)
        }
        if (step.kind === 'write') {
          token += 1
          log.unstable.take(log.lastIndex)
          log.unstable.issued(token, 0)
          log.unstable.completed(token)
        }
        if (!same(log, model)) return false
      }
      return true
    }),
    { numRuns: 1000, seed: 48 },
  )
  t.pass()
})

function same(log: Log, model: NaiveLog): boolean {
  const positions = model.positions()
  const { entries, anchor } = model
  if (log.lastIndex !== model.lastIndex || log.lastTerm !== model.lastTerm) return false
  if (log.anchor.index !== anchor.index || log.anchor.term !== anchor.term) return false
  const kept = log.range(log.firstIndex, log.lastIndex)
  if (kept.length !== entries.length || kept.some((entry, place) => entry !== entries[place]))
    return false
  for (let index = Math.max(0, anchor.index - 2); index <= model.lastIndex + 2; index += 1) {
    const here = positions.find((position) => position.index === index)
    if (log.termAt(at(index)) !== (here?.term ?? null)) return false
    for (const maxTerm of [anchor.term - 1, anchor.term, anchor.term + 1, model.lastTerm]) {
      const found = log.lastWithTermAtMost(at(index), term(maxTerm))
      const expected = positions.findLast(
        (position) => position.index <= index && position.term <= maxTerm,
      )
      if (found?.index !== expected?.index || found?.term !== expected?.term) return false
    }
    if (here === undefined) continue
    const behind = entries.filter((entry) => entry.index > index)
    const size = behind.reduce((sum, entry) => sum + entry.payload.length, 0)
    if (log.payloadBytes(at(index), log.lastIndex) !== size) return false
    if (indexes(log.rangeWithin(at(index + 1), 70)).join() !== fitting(behind, 70).join())
      return false
  }
  return true
}

function fitting(entries: readonly Entry[], bytesMax: number): number[] {
  let used = 0
  const taken = entries.filter((entry, place) => {
    used += entry.payload.length + 32
    return place === 0 || used <= bytesMax
  })
  return indexes(taken)
}
