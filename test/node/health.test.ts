import t from 'tap'
import { Health } from '../../src/node/health.js'
import { logIndex, term, type Append, type RaftStatus } from '../../src/raft/index.js'

const append = (from: string, inTerm: number, commit: number): Append => ({
  ...{ kind: 'append', from, to: 'node-1', term: term(inTerm), session: 1 },
  ...{ prevIndex: logIndex(0), prevTerm: term(0), entries: [], commit: logIndex(commit) },
})

const follows = (leader: string | null, inTerm: number, applied: number): RaftStatus =>
  ({ leader, term: term(inTerm), appliedIndex: logIndex(applied) }) as RaftStatus

await t.test('ready once what the leader first called committed is applied', (t) => {
  const health = new Health()
  t.equal(health.isReady(follows('node-2', 3, 9)), false, 'nothing was heard')
  health.appendHeard(append('node-2', 3, 7))
  health.appendHeard(append('node-2', 3, 50))
  t.equal(health.isReady(follows('node-2', 3, 6)), false)
  t.equal(health.isReady(follows('node-2', 3, 7)), true)
  t.equal(health.isReady(follows(null, 3, 7)), false, 'without a leader')
  t.equal(health.isReady(follows('node-3', 4, 7)), true, 'it stays caught up')
  t.end()
})

await t.test('what another than the leader calls committed says nothing', (t) => {
  const health = new Health()
  health.appendHeard(append('node-3', 9, Number.MAX_SAFE_INTEGER))
  t.equal(health.isReady(follows('node-2', 3, 7)), false)
  health.appendHeard(append('node-2', 3, 7))
  t.equal(health.isReady(follows('node-2', 3, 7)), true)
  t.end()
})

await t.test('the commit index of a leader that was lost does not hold the node back', (t) => {
  const health = new Health()
  health.appendHeard(append('node-2', 3, Number.MAX_SAFE_INTEGER))
  t.equal(health.isReady(follows('node-2', 3, 7)), false)
  health.appendHeard(append('node-3', 4, 7))
  t.equal(health.isReady(follows('node-3', 4, 7)), true)
  t.end()
})

await t.test('a node that leads is ready with its own no-op', (t) => {
  const health = new Health()
  health.becameLeader({ id: 'node-1', term: term(2), index: 5 })
  t.equal(health.isReady(follows('node-1', 2, 4)), false)
  t.equal(health.isReady(follows('node-1', 2, 5)), true)
  t.end()
})
