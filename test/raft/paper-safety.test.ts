/**
 * The properties of figure 3 of the paper, and the argument of its section 5.4.3: they say something
 * of all logs together, so they are judged over whole histories of a group. The table of what is
 * tested where stands in paper.test.ts.
 */
import t from 'tap'
import { logIndex, term, type Entry } from '../../src/raft/index.js'
import { SeededRandom } from '../simulation/random.js'
import { Group, bytes, heartbeatTicks, logOf } from './group.js'
import { LoneNode, append, hardStateOf, only } from './lone-node.js'

const ids = ['a', 'b', 'c', 'd', 'e']

/** What nodes said of themselves on the way, at every step. */
interface History {
  readonly group: Group
  /** Who led a term, each with the log that it had when it was first seen to lead. */
  readonly leaders: Map<number, { readonly id: string; readonly log: readonly string[] }[]>
  /** The first term in which somebody knew this entry, by index, to be committed. */
  readonly committed: Map<number, { readonly entry: string; readonly inTerm: number }>
  /** Leaders that were seen with another beginning of their log than they had before. */
  readonly rewritten: string[]
}

/** `index/term/payload` of each entry that the node has on its disk. */
function entriesOf(group: Group, id: string): string[] {
  return group.member(id).entries.map(textOf)
}

const textOf = ({ index, term, payload }: Entry): string =>
  `${String(index)}/${String(term)}/${Buffer.from(payload).toString('hex')}`

/** Five nodes that are cut off, crash, come back and are asked for something, all by chance. */
function live(seed: number): History {
  const random = new SeededRandom(seed)
  const below = (bound: number): number => Math.floor(random.next() * bound)
  const pick = (): string => ids[below(ids.length)] ?? 'a'
  const group = new Group(ids, () => ({ random: () => random.next() }))
  const history: History = { group, leaders: new Map(), committed: new Map(), rewritten: [] }
  for (let round = 0; round < 40; round += 1) {
    const fate = below(10)
    const one = pick()
    if (fate < 2) group.isolate(one, pick())
    if (fate === 2) group.heal()
    if (fate === 3 && ids.every((id) => group.member(id).alive)) group.crash(one)
    if (fate === 4) for (const id of ids) if (!group.member(id).alive) group.restart(id)
    for (const id of ids)
      if (group.status(id).role === 'leader') group.propose(id, `${id} ${round}`)
    // Some of what is on its way is lost, so that logs come to differ.
    group.wire = group.wire.filter(() => below(8) > 0)
    for (let turn = 0; turn < 6; turn += 1) {
      group.run(heartbeatTicks)
      observe(history)
    }
  }
  return history
}

function observe({ group, leaders, committed, rewritten }: History): void {
  for (const id of ids.filter((one) => group.member(one).alive)) {
    const { role, term: inTerm, commitIndex } = group.status(id)
    const log = entriesOf(group, id)
    if (role === 'leader') {
      const ofTerm = leaders.get(inTerm) ?? []
      const before = ofTerm.find((one) => one.id === id)
      if (before === undefined) leaders.set(inTerm, [...ofTerm, { id, log }])
      else if (before.log.some((entry, i) => log[i] !== entry)) rewritten.push(id)
    }
    for (const entry of log.slice(0, commitIndex)) {
      const index = Number(entry.split('/')[0])
      if (!committed.has(index)) committed.set(index, { entry, inTerm })
    }
  }
}

const histories = [1, 2, 3, 4].map(live)

await t.test('the histories are rich enough to mean something', async (t) => {
  const leaders = histories.reduce((sum, { leaders: terms }) => sum + terms.size, 0)
  const committed = histories.reduce((sum, { committed: entries }) => sum + entries.size, 0)
  t.ok(leaders > 2 * histories.length, `${String(leaders)} terms had a leader`)
  t.ok(committed > 20 * histories.length, `${String(committed)} entries were committed`)
})

await t.test('5.2 Election Safety: at most one leader in a term', async (t) => {
  for (const { leaders } of histories) {
    t.ok([...leaders.values()].every((ofTerm) => ofTerm.length === 1))
  }
})

await t.test('5.3 Leader Append-Only: a leader never changes what its log held', async (t) => {
  for (const { rewritten } of histories) t.same(rewritten, [])
})

await t.test('5.3 a leader makes at most one entry with an index in a term', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 2) })
  node.becomeLeader()
  node.out()
  const before = node.status.lastIndex
  for (const id of [1, 2, 3]) node.step({ kind: 'propose', id, payload: bytes(String(id)) })
  t.same(
    node.take().proposals.map((one) => one.kind === 'appended' && [one.index, one.term]),
    [1, 2, 3].map((step) => [before + step, node.status.term]),
  )
})

await t.test(
  '5.3 Log Matching: entries of the same index and term hold the same command, and so do all before',
  async (t) => {
    for (const { group } of histories) {
      const logs = ids.map((id) => entriesOf(group, id))
      for (const one of logs) {
        for (const other of logs) {
          const termAt = (log: readonly string[], index: number) => log[index]?.split('/')[1]
          const last = one.findLastIndex((_, i) => termAt(one, i) === termAt(other, i))
          t.same(one.slice(0, last + 1), other.slice(0, last + 1))
        }
      }
    }
  },
)

await t.test('5.3 the consistency check keeps logs alike, one append after another', async (t) => {
  // The induction step: a log that matches up to the entry before stays one that matches.
  const node = new LoneNode({ hardState: hardStateOf(3), entries: logOf(1, 1) })
  node.hear(append('b', 3, [2, 2], [3]))
  t.equal(only(node.out(), 'appendReply')[0]?.result.kind, 'rejected')
  t.equal(node.status.lastIndex, 2, 'another term at the index before: nothing is taken')
  node.hear(append('b', 3, [2, 1], [3]))
  t.equal(only(node.out(), 'appendReply')[0]?.result.kind, 'matched')
  t.equal(node.status.lastIndex, 3)
})

await t.test(
  '5.4.1 a new leader has every committed entry from the moment of its election',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.isolate('c')
    group.propose('a', 'x')
    group.settle()
    group.crash('a')
    group.heal()
    group.forgetTime('c')
    group.campaign('c')
    t.not(group.status('c').role, 'leader', 'it lacks an entry that is committed')
    const before = entriesOf(group, 'b')
    group.elect('b')
    t.same(entriesOf(group, 'b').slice(0, before.length), before)
    t.ok(before.some((entry) => entry.endsWith(`/${Buffer.from('x').toString('hex')}`)))
  },
)

await t.test(
  '5.4.3 Leader Completeness: what is committed in a term is in the log of every later leader',
  async (t) => {
    for (const { leaders, committed } of histories) {
      for (const [later, [leader]] of leaders) {
        const older = [...committed].filter(([, { inTerm }]) => inTerm < later)
        const missing = older.filter(([index, { entry }]) => leader?.log[index - 1] !== entry)
        t.same(missing, [], `term ${String(later)}`)
      }
    }
  },
)

await t.test('5.4.3 who stored a committed entry votes for nobody that lacks it', async (t) => {
  // The heart of the argument: two majorities share a node, and that node refuses.
  for (const inTerm of [3, 4, 9]) {
    for (const [lastIndex, lastTerm] of [
      [1, 1],
      [9, 1],
      [1, 2],
    ] as const) {
      const shared = new LoneNode({ hardState: hardStateOf(2, null, 2), entries: logOf(1, 2) })
      const last = { lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) }
      shared.hear({ kind: 'vote', from: 'b', term: inTerm, transfer: false, ...last })
      t.equal(only(shared.out(), 'voteReply')[0]?.granted, false)
    }
  }
})

await t.test(
  '5.4.3 State Machine Safety: nobody applies another entry at an index, all in the same order',
  async (t) => {
    for (const { group, committed } of histories) {
      for (const id of ids) {
        const { applied } = group.member(id)
        const others = applied.filter((entry, i) => committed.get(i + 1)?.entry !== textOf(entry))
        t.same(others, [], id)
        t.ok(applied.length > 0, `${id} applied ${String(applied.length)} entries`)
      }
    }
  },
)
