/**
 * A restart from any combination of anchor, snapshot, log, commit index and applied index that a
 * crash can leave behind: what is applied goes on without a gap, and the configuration in force is
 * the one that the log or the snapshot says.
 */
import fc from 'fast-check'
import t from 'tap'
import {
  configurationOf,
  foundingSnapshot,
  logIndex,
  term,
  type Configuration,
  type Entry,
  type RaftOptions,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import { encodeConfiguration } from '../../src/raft/membership/codec.js'
import { bytes, optionsOf } from './group.js'
import { LoneNode, at } from './lone-node.js'
import '../property-seed.js'

const length = 12
const lastTerm = 5

/** What the group has committed: all of it, on the disk of the leader `b`. */
interface History {
  readonly entries: readonly Entry[]
}

const history: fc.Arbitrary<History> = fc
  .array(fc.record({ step: fc.nat(1), learners: fc.option(fc.subarray(['d', 'e'])) }), {
    minLength: length,
    maxLength: length,
  })
  .map((shapes) => {
    let current = 1
    return {
      entries: shapes.map(({ step, learners }, place): Entry => {
        current = Math.min(lastTerm, current + step)
        const head = { index: at(place + 1), term: term(current) }
        if (learners === null) return { ...head, kind: 'command', payload: bytes('x') }
        const payload = encodeConfiguration(configurationOf(['a', 'b', 'c'], learners))
        return { ...head, kind: 'configuration', payload }
      }),
    }
  })

function termAt({ entries }: History, index: number): number {
  return entries[index - 1]?.term ?? 0
}

function snapshotAt(past: History, index: number): SnapshotMeta {
  const entry = past.entries.findLast((one) => one.kind === 'configuration' && one.index <= index)
  const head = { index: at(index), term: term(termAt(past, index)) }
  if (entry === undefined) return { ...foundingSnapshot(['a', 'b', 'c']), ...head }
  const text = new TextDecoder().decode(entry.payload)
  const configuration = JSON.parse(text) as Configuration
  return { ...head, configuration, configurationIndex: entry.index }
}

/** Five places of the history in rising order. */
const marks = fc
  .tuple(fc.nat(length), fc.nat(length), fc.nat(length), fc.nat(length), fc.nat(length))
  .map((places) => places.sort((one, other) => one - other))

type Start = Pick<RaftOptions, 'snapshot' | 'anchor' | 'hardState' | 'entries' | 'applied'>

function startOf(past: History, from: number, to: number, change: Partial<Start>): Start {
  return {
    snapshot: snapshotAt(past, from),
    anchor: { index: at(from), term: term(termAt(past, from)) },
    entries: past.entries.slice(from, to),
    hardState: { term: term(lastTerm), votedFor: null, commit: at(from) },
    applied: at(from),
    ...change,
  }
}

/** Carries everything out at once; what the state machine has been given, in order. */
function drain(node: LoneNode, given: (string | number)[]): void {
  for (;;) {
    const output = node.raft.takeOutput()
    if (output === null) return
    if (output.restore !== null) {
      given.push(`restored ${String(output.restore.index)}`)
      node.step({ kind: 'applied', index: output.restore.index })
    }
    for (const entry of output.apply) {
      given.push(entry.index)
      node.step({ kind: 'applied', index: entry.index })
    }
    if (output.persist !== null) node.step({ kind: 'persisted', token: output.persist.token })
  }
}

/** The leader sends the rest of the history, from a place that both hold. */
function sendRest(node: LoneNode, { entries }: History): void {
  const { commitIndex } = node.status
  const prevTerm = node.raft.termAt(commitIndex)
  if (prevTerm === null) throw new Error('the term at the commit index is known')
  node.hear({
    kind: 'append',
    from: 'b',
    term: lastTerm,
    session: 1,
    prevIndex: commitIndex,
    prevTerm,
    entries: entries.slice(commitIndex),
    commit: logIndex(length),
  })
}

function rangeOf(after: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - after) }, (_, place) => after + 1 + place)
}

function runsOn(node: LoneNode, past: History, begin: (string | number)[], from: number): boolean {
  const given: (string | number)[] = []
  drain(node, given)
  sendRest(node, past)
  drain(node, given)
  const expected = [...begin, ...rangeOf(from, length)]
  const { configurationIndex, configuration, appliedIndex } = node.status
  const end = snapshotAt(past, length)
  return (
    JSON.stringify(given) === JSON.stringify(expected) &&
    appliedIndex === length &&
    configurationIndex === end.configurationIndex &&
    JSON.stringify(configuration.learners) === JSON.stringify(end.configuration.learners)
  )
}

const limits = { ...optionsOf('a', []).limits, keptEntries: 2 }

await t.test('the log holds the snapshot', async (t) => {
  const place = fc.nat(length)
  const property = fc.property(history, marks, place, place, (past, places, some, other) => {
    const [anchor, snapshot, , committed, end] = places
    // What the disk says of commit and applied may lag behind what had been committed.
    const within = (value: number) => at(Math.min(Math.max(anchor, value), committed))
    const start = startOf(past, anchor, end, {
      snapshot: snapshotAt(past, snapshot),
      hardState: { term: term(lastTerm), votedFor: null, commit: within(some) },
      applied: within(other),
    })
    const node = new LoneNode({ ...start, limits })
    return runsOn(node, past, [], start.applied)
  })
  fc.assert(property, { numRuns: 500 })
  t.pass()
})

await t.test('a fetched snapshot is ahead of the log, or contradicts its end', async (t) => {
  const property = fc.property(history, marks, fc.nat(3), (past, places, wrong) => {
    const [anchor, applied, commit, end, snapshot] = places
    fc.pre(snapshot > end)
    const conflicting = rangeOf(end, end + wrong).map((index): Entry => {
      const inTerm = Math.max(termAt(past, end), 1)
      return { index: at(index), term: term(inTerm), kind: 'command', payload: bytes('lost') }
    })
    const entries = [...past.entries.slice(anchor, end), ...conflicting]
    const meta = snapshotAt(past, snapshot)
    const own = entries.find(({ index }) => index === snapshot)
    fc.pre(own?.term !== meta.term)
    const start = startOf(past, anchor, end, {
      entries,
      snapshot: meta,
      hardState: { term: term(lastTerm), votedFor: null, commit: at(commit) },
      applied: at(applied),
    })
    const node = new LoneNode({ ...start, limits })
    return runsOn(node, past, [`restored ${String(snapshot)}`], snapshot)
  })
  fc.assert(property, { numRuns: 500 })
  t.pass()
})
