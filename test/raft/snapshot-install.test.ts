import t from 'tap'
import {
  configurationOf,
  logIndex,
  term,
  type RaftOptions,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import { electionTicksMin, heartbeatTicks, logOf, optionsOf } from './group.js'
import { LoneNode, append, at, hardStateOf, only } from './lone-node.js'

const snapshotAt = (
  index: number,
  termThere: number,
  voters: readonly string[] = ['a', 'b', 'c'],
): SnapshotMeta => ({
  index: at(index),
  term: term(termThere),
  configuration: configurationOf(voters),
  configurationIndex: at(0),
})

const offer = (snapshot: SnapshotMeta, inTerm = 3, from = 'b', session = 7) =>
  ({ kind: 'snapshotOffer', from, term: inTerm, session, snapshot }) as const

const heartbeat = (inTerm = 3, from = 'b') =>
  ({ kind: 'heartbeat', from, term: inTerm, session: 7, commit: at(0), readToken: 0 }) as const

/** A follower with this log, all of it durable, committed and applied up to `commit`. */
function follower(terms: readonly number[], commit: number, change: Partial<RaftOptions> = {}) {
  return new LoneNode({
    hardState: hardStateOf(Math.max(1, ...terms), null, commit),
    entries: logOf(...terms),
    applied: at(commit),
    ...change,
  })
}

const applied = (index: number) => ({ kind: 'applied', index: at(index) }) as const
const fetched = (snapshot: SnapshotMeta) => ({ kind: 'snapshotFetched', snapshot }) as const

await t.test('45: an offer at or below the commit index is answered, not fetched', async (t) => {
  const node = follower([1, 1, 2, 2], 3)
  node.hear(offer(snapshotAt(2, 1)))
  const output = node.take()
  t.equal(output.fetchSnapshot, null)
  t.equal(output.persist?.install, null)
  const [reply] = only(output.persist?.thenSend ?? [], 'appendReply')
  t.same(reply?.result, { kind: 'matched', matchIndex: 3 })
  t.equal(reply?.session, 7)
})

await t.test('45: an offer that the log holds moves the commit index and keeps all', async (t) => {
  const node = follower([1, 1, 2, 2], 1)
  node.hear(offer(snapshotAt(3, 2)))
  const output = node.take()
  t.equal(output.fetchSnapshot, null)
  t.equal(node.status.commitIndex, 3)
  t.equal(node.status.lastIndex, 4, 'the suffix stays')
  t.same(
    output.apply.map((entry) => entry.index),
    [2, 3],
  )
  const [reply] = only(output.persist?.thenSend ?? [], 'appendReply')
  t.same(reply?.result, { kind: 'matched', matchIndex: 3 })
})

await t.test('an offer beyond the log is fetched, and nothing is acknowledged', async (t) => {
  const node = follower([1, 1], 1)
  node.hear(offer(snapshotAt(9, 2)))
  const output = node.take()
  t.same(output.fetchSnapshot, { from: 'b', snapshot: snapshotAt(9, 2) })
  t.same(only(output.persist?.thenSend ?? [], 'appendReply'), [])
  node.hear(offer(snapshotAt(9, 2)))
  t.equal(node.take().fetchSnapshot?.snapshot.index, 9, 'offered again: it may have failed')
  node.hear(offer(snapshotAt(9, 2)))
  node.hear(offer(snapshotAt(12, 3)))
  t.equal(node.take().fetchSnapshot?.snapshot.index, 12, 'the newer one counts')
})

await t.test('51: heartbeats keep a node that fetches from campaigning', async (t) => {
  const node = follower([1], 1)
  node.hear(offer(snapshotAt(9, 2)))
  for (let passed = 0; passed < 5 * electionTicksMin; passed += heartbeatTicks) {
    node.ticks(heartbeatTicks)
    node.hear(heartbeat())
  }
  t.equal(node.status.role, 'follower')
  t.equal(node.status.leader, 'b')
  t.same(only(node.out(), 'preVote'), [])
})

await t.test(
  '45: what conflicts or is too short gives way to the snapshot, as a whole',
  async (t) => {
    for (const terms of [[1, 1, 1, 1, 1, 1, 1], [1, 1], []]) {
      const node = follower(terms, Math.min(1, terms.length))
      node.hear(offer(snapshotAt(5, 2)))
      node.take()
      node.step(fetched(snapshotAt(5, 2)))
      t.equal(node.status.firstIndex, 6)
      t.equal(node.status.lastIndex, 5)
      t.equal(node.status.commitIndex, 5)
      t.equal(node.status.snapshotIndex, 5)
      const output = node.take()
      t.same(output.persist?.install, snapshotAt(5, 2))
      t.equal(output.persist?.truncateAfter, null)
      t.equal(output.persist?.purgeTo, null)
      t.same(output.persist?.entries, [])
      t.equal(output.persist?.hardState?.commit, 5)
      const [reply] = only(output.persist?.thenSend ?? [], 'appendReply')
      t.same(reply?.result, { kind: 'matched', matchIndex: 5 })
      t.equal(reply?.session, 7)
    }
  },
)

await t.test(
  'the state is restored when the install is durable, and then apply goes on',
  async (t) => {
    const node = follower([1, 1], 1)
    node.hear(offer(snapshotAt(5, 2)))
    node.take()
    node.step(fetched(snapshotAt(5, 2)))
    t.equal(node.take().restore, null, 'a crash now brings the old log back')
    node.hear(append('b', 3, [5, 2], [2, 3], 7))
    t.equal(node.status.lastIndex, 7)
    const appended = node.take()
    t.same(
      appended.persist?.entries.map((entry) => entry.index),
      [6, 7],
    )
    t.equal(appended.persist?.install, null)
    node.persist()
    const restoring = node.take()
    t.same(restoring.restore, snapshotAt(5, 2))
    t.same(restoring.apply, [])
    t.equal(node.raft.takeOutput(), null, 'handed out once')
    node.step(applied(5))
    t.equal(node.status.appliedIndex, 5)
    t.same(
      node.take().apply.map((entry) => entry.index),
      [6, 7],
    )
  },
)

await t.test('what is out for apply when the log gives way is still counted right', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(2, null, 3),
    entries: logOf(1, 1, 2),
  })
  t.equal(node.take().apply.length, 3)
  node.step(fetched(snapshotAt(5, 2)))
  node.take()
  node.step(applied(2))
  t.equal(node.status.appliedIndex, 2)
  node.persist()
  t.equal(node.take().restore?.index, 5)
  node.step(applied(3))
  t.ok(node.raft.facts().applyingBytes >= 0)
  node.step(applied(5))
  t.equal(node.raft.facts().applyingBytes, 0)
  t.equal(node.raft.facts().applyingIndex, 5)
})

await t.test('a snapshot overtakes one whose restore is under way', async (t) => {
  const node = follower([1], 1)
  node.step(fetched(snapshotAt(5, 1)))
  node.take()
  node.persist()
  t.equal(node.take().restore?.index, 5)
  node.step(fetched(snapshotAt(9, 1)))
  node.take()
  node.step(applied(5))
  t.equal(node.raft.takeOutput(), null)
  node.persist()
  t.equal(node.take().restore?.index, 9)
  node.step(applied(9))
  t.equal(node.status.appliedIndex, 9)
})

await t.test('two snapshots within one drain: only the later one is installed', async (t) => {
  const node = follower([1], 1)
  node.step(fetched(snapshotAt(5, 1)), fetched(snapshotAt(9, 1)))
  t.equal(node.take().persist?.install?.index, 9)
  node.persist()
  t.equal(node.take().restore?.index, 9)
})

await t.test('a snapshot that is older than the commit index is ignored', async (t) => {
  const node = follower([1, 1, 1, 1], 4)
  node.step(fetched(snapshotAt(3, 1)))
  t.equal(node.raft.takeOutput(), null)
  t.equal(node.status.lastIndex, 4)
})

await t.test('the log has caught up with a snapshot meanwhile: its entries stay', async (t) => {
  const node = follower([1], 1)
  node.hear(offer(snapshotAt(3, 3)))
  node.take()
  node.hear(append('b', 3, [1, 1], [3, 3, 3], 1))
  node.take()
  node.persist()
  node.step(fetched(snapshotAt(3, 3)))
  const output = node.take()
  t.equal(output.persist?.install, null)
  t.equal(node.status.commitIndex, 3)
  t.equal(node.status.lastIndex, 4)
  t.same(only(output.persist?.thenSend ?? [], 'appendReply')[0]?.result, {
    kind: 'matched',
    matchIndex: 3,
  })
})

await t.test(
  'a fetch that outlives its leader is installed, and acknowledged to nobody',
  async (t) => {
    const node = follower([1], 1)
    node.hear(offer(snapshotAt(5, 2)))
    node.take()
    node.hear(heartbeat(4, 'c'))
    node.take()
    node.step(fetched(snapshotAt(5, 2)))
    const output = node.take()
    t.equal(output.persist?.install?.index, 5)
    t.same(only(output.persist?.thenSend ?? [], 'appendReply'), [])
  },
)

await t.test('a fetch is acknowledged only in the term of its offer', async (t) => {
  const node = follower([1], 1)
  node.hear(offer(snapshotAt(5, 2)))
  node.take()
  node.hear(heartbeat(4, 'b'))
  node.take()
  node.step(fetched(snapshotAt(5, 2)))
  t.same(only(node.take().persist?.thenSend ?? [], 'appendReply'), [])
})

await t.test('a fetch is not acknowledged to a leader that is distrusted meanwhile', async (t) => {
  const node = follower([1], 1)
  node.hear(offer(snapshotAt(5, 2)))
  node.take()
  node.step({ kind: 'distrustLeader' }, fetched(snapshotAt(5, 2)))
  const output = node.take()
  t.equal(output.persist?.install?.index, 5, 'what is committed is taken in all the same')
  t.same(only(output.persist?.thenSend ?? [], 'appendReply'), [])
})

await t.test('the term of a snapshot counts, whoever reported it', async (t) => {
  const node = follower([1], 1)
  node.step(fetched(snapshotAt(5, 4)))
  t.equal(node.status.term, 4)
  t.equal(node.take().persist?.hardState?.term, 4)
})

await t.test('44: the configuration of the snapshot replaces the one in force', async (t) => {
  const node = follower([1, 1], 1)
  const configurationIndex = at(4)
  node.step(fetched({ ...snapshotAt(5, 1, ['a', 'b', 'c', 'd', 'e']), configurationIndex }))
  t.same(node.status.voters, ['a', 'b', 'c', 'd', 'e'])
  t.equal(node.status.configurationCommitted, true)
  t.same(node.take().configuration?.configuration, configurationOf(['a', 'b', 'c', 'd', 'e']))
})

await t.test('a campaign ends when the log that it claims gives way', async (t) => {
  for (const campaign of ['preCandidate', 'candidate']) {
    const node = follower([1, 1], 1)
    node.timeOut()
    if (campaign === 'candidate') node.becomeCandidate()
    t.equal(node.status.role, campaign)
    node.step(fetched(snapshotAt(5, 1)))
    t.equal(node.status.role, 'follower')
  }
})

await t.test('an append from before the anchor finds what is covered already', async (t) => {
  const node = follower([1, 1, 1, 1], 4, {
    entries: logOf(1, 1, 1, 1).slice(3),
    anchor: { index: at(3), term: term(1) },
    snapshot: snapshotAt(4, 1),
  })
  const answerTo = (message: ReturnType<typeof append>) => {
    node.hear(message)
    return only(node.out(), 'appendReply')[0]?.result
  }
  t.same(answerTo(append('b', 2, [0, 0], [1, 1], 0)), { kind: 'matched', matchIndex: 4 })
  t.same(answerTo(append('b', 2, [1, 1], [1, 1, 1, 2], 0)), { kind: 'matched', matchIndex: 5 })
  t.equal(node.status.lastIndex, 5)
  t.same(answerTo(append('b', 2, [2, 1], [1, 1], 0)), { kind: 'matched', matchIndex: 4 })
  t.equal(node.status.lastIndex, 5, 'a late append removes nothing')
  t.throws(
    () => {
      node.hear(append('b', 2, [1, 1], [1, 2], 0))
    },
    { message: 'a committed entry is never overwritten' },
  )
})

await t.test('a rejection does not point behind the anchor', async (t) => {
  const node = follower([1, 1, 1, 1], 3, {
    entries: logOf(1, 1, 1, 1).slice(3),
    anchor: { index: at(3), term: term(1) },
    snapshot: snapshotAt(3, 1),
  })
  node.hear(append('b', 5, [9, 5]))
  t.same(only(node.out(), 'appendReply')[0]?.result, {
    kind: 'rejected',
    rejectedIndex: 9,
    hintIndex: 4,
    hintTerm: 1,
  })
  node.hear(append('b', 5, [4, 5]))
  t.match(only(node.out(), 'appendReply')[0]?.result, { hintIndex: 4, hintTerm: 1 })
})

await t.test('an impossible offer is refused, and an old leader is told the term', async (t) => {
  const node = follower([1], 1)
  node.hear(offer(snapshotAt(5, 9)))
  node.hear(offer({ ...snapshotAt(5, 2), configurationIndex: at(6) }))
  node.hear(offer(snapshotAt(5, 2, [])))
  t.equal(node.take().fetchSnapshot, null)
  node.hear(heartbeat(6, 'c'))
  node.out()
  node.hear(offer(snapshotAt(5, 2), 3))
  const output = node.take()
  t.equal(output.fetchSnapshot, null)
  t.equal(output.persist?.thenSend[0]?.term, 6)
})

await t.test('a leader never needs a snapshot: it is told so by its own invariant', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  t.throws(
    () => {
      node.step(fetched(snapshotAt(5, 1)))
    },
    { message: 'a leader holds everything that is committed' },
  )
})

await t.test('a restart goes on from snapshot and anchor', async (t) => {
  const node = new LoneNode({
    hardState: hardStateOf(2, null, 4),
    entries: logOf(1, 1, 1, 1, 2, 2).slice(3),
    anchor: { index: at(3), term: term(1) },
    snapshot: snapshotAt(5, 2, ['a', 'b', 'd']),
    applied: at(3),
  })
  t.equal(node.status.firstIndex, 4)
  t.equal(node.status.snapshotIndex, 5)
  t.equal(node.status.commitIndex, 5, 'a snapshot holds only what is committed')
  t.same(node.status.voters, ['a', 'b', 'd'])
  t.same(
    node.take().apply.map((entry) => entry.index),
    [4, 5],
  )
})

await t.test(
  '46: a snapshot that a crash left beside the log is installed at the start',
  async (t) => {
    const start = { hardState: hardStateOf(2, 'b', 2), entries: logOf(1, 1, 2) }
    const node = new LoneNode({ ...start, applied: at(2), snapshot: snapshotAt(9, 3) })
    t.equal(node.status.term, 3)
    t.equal(node.status.votedFor, null, 'the vote was of an older term')
    t.equal(node.status.lastIndex, 9)
    const output = node.take()
    t.equal(output.persist?.install?.index, 9)
    t.equal(output.persist?.hardState?.commit, 9)
    t.equal(output.restore?.index, 9)
    t.same(output.apply, [])
    node.step(applied(9))
    t.equal(node.status.appliedIndex, 9)

    const rebuilt = new LoneNode({ ...start, applied: at(9), snapshot: snapshotAt(9, 2) })
    const rebuiltOutput = rebuilt.take()
    t.equal(rebuiltOutput.persist?.install?.index, 9)
    t.equal(rebuiltOutput.restore, null, 'the state was rebuilt from it already')
    t.equal(rebuilt.status.votedFor, 'b')

    const conflicting = new LoneNode({ ...start, applied: at(1), snapshot: snapshotAt(3, 1) })
    t.equal(conflicting.take().persist?.install?.index, 3)
  },
)

await t.test('a start that does not fit together is refused', async (t) => {
  const options = { ...optionsOf('a', ['a', 'b', 'c']), hardState: hardStateOf(2, null, 4) }
  const entries = logOf(1, 1, 1, 1, 2, 2).slice(3)
  const anchor = { index: at(3), term: term(1) }
  const start = (change: Partial<RaftOptions>) => () =>
    new LoneNode({
      ...options,
      entries,
      anchor,
      applied: at(4),
      snapshot: snapshotAt(4, 1),
      ...change,
    })
  start({})()
  t.throws(start({ applied: at(2) }), { message: 'the state machine is not behind the log' })
  t.throws(start({ snapshot: snapshotAt(2, 1) }), { message: 'a snapshot covers what was purged' })
  t.throws(start({ snapshot: snapshotAt(4, 2) }), {
    message: 'a snapshot does not contradict what the log has committed',
  })
  t.throws(start({ applied: logIndex(9), snapshot: snapshotAt(8, 2) }), {
    message: 'the log that was read back reaches its commit index',
  })
})
