import t from 'tap'
import { InvariantChecker, configurationOf, type RaftFacts } from '../../src/raft/index.js'
import { pointChecks, stepChecks } from '../../src/raft/invariants.js'
import { bytes } from './group.js'
import { LoneNode } from './lone-node.js'

/** A leader of term 2 with a log 1/1 2/2 3/2, of which b holds all and c nothing yet. */
function leaderFacts(): RaftFacts {
  const node = new LoneNode({
    hardState: { term: 1 as never, votedFor: null, commit: 0 as never },
    entries: [{ index: 1 as never, term: 1 as never, kind: 'command', payload: bytes('x') }],
  })
  node.becomeLeader()
  node.outWithSessions()
  node.acknowledge('b', 2)
  node.step({ kind: 'propose', id: 1, payload: bytes('y') })
  node.outWithSessions()
  node.acknowledge('b', 3)
  node.step({ kind: 'read', id: 1 })
  node.outWithSessions()
  return node.raft.facts()
}

function followerFacts(): RaftFacts {
  const node = new LoneNode()
  node.hear({
    kind: 'heartbeat',
    from: 'b',
    term: 2,
    session: 1,
    commit: 0 as never,
    readToken: 0,
  })
  node.out()
  return node.raft.facts()
}

function candidateFacts(): RaftFacts {
  const node = new LoneNode()
  node.becomeCandidate()
  node.out()
  return node.raft.facts()
}

type Change = Partial<Record<keyof RaftFacts, unknown>>
const changed = (facts: RaftFacts, change: Change): RaftFacts =>
  ({ ...facts, ...change }) as RaftFacts

const peer = (facts: RaftFacts, change: Partial<Record<string, unknown>>): Change => ({
  peers: facts.peers.map((one, place) => (place === 0 ? { ...one, ...change } : one)),
})

const leader = leaderFacts()
const follower = followerFacts()
const candidate = candidateFacts()

const brokenPoints: Readonly<Record<string, RaftFacts>> = {
  'who campaigns is a voter, at least of the committed configuration': changed(candidate, {
    configuration: configurationOf(['b', 'c']),
    committedConfiguration: configurationOf(['b', 'c']),
  }),
  'the configuration in force is a sound one': changed(follower, {
    configuration: configurationOf([]),
  }),
  'the configuration in force is the committed one, or stands above the commit index': changed(
    follower,
    { configurationIndex: 9 },
  ),
  'the committed configuration is not above the commit index': changed(follower, {
    configurationIndex: 1,
    committedConfigurationIndex: 1,
  }),
  'terms in the log rise': changed(leader, {
    termRuns: [
      { term: 2, first: 1 },
      { term: 2, first: 2 },
    ],
  }),
  'no entry is of a later term than the current one': changed(leader, { term: 1, durableTerm: 1 }),
  'the current term is never behind the disk': changed(follower, { durableTerm: 9 }),
  'applied <= applying': changed(leader, { appliedIndex: 9 }),
  'applying <= commit': changed(leader, { commitIndex: 1 }),
  'only what is durable here is applied': changed(leader, { durableIndex: 1 }),
  'commit <= last': changed(follower, { commitIndex: 5 }),
  'durable <= last': changed(follower, { durableIndex: 5 }),
  'a snapshot covers what was purged': changed(leader, { anchorIndex: 1 }),
  'a snapshot holds only what is committed': changed(leader, { snapshotIndex: 9 }),
  'what was purged is applied, or a snapshot is being restored': changed(follower, {
    anchorIndex: 1,
  }),
  'bytes in flight are counted right': changed(leader, { uncommittedBytes: -1 }),
  'who leads names itself the leader, and nobody else does': changed(leader, { leader: 'b' }),
  'a candidate knows no leader': changed(candidate, { leader: 'b' }),
  'who leads or is a candidate has voted for itself': changed(leader, { votedFor: 'b' }),
  'who leads has its own vote of this term on disk': changed(leader, { durableVotedFor: 'b' }),
  'no vote is counted before the own one is durable': changed(candidate, { durableTerm: 0 }),
  'a candidate with a majority leads': changed(candidate, { grantedVotes: ['a', 'b'] }),
  'a leader opened its term in its own log': changed(leader, { termStart: 1 }),
  'the commit index of a leader is as far as the quorum allows': changed(leader, {
    commitIndex: 2,
    applyingIndex: 2,
    appliedIndex: 2,
  }),
  'only a leader follows the progress of others': changed(follower, { peers: leader.peers }),
  'matchIndex < nextIndex <= last + 1': changed(leader, peer(leader, { nextIndex: 3 })),
  'the window of a peer holds what lies between match and next': changed(
    leader,
    peer(leader, { inflightMessages: 5, inflightBytes: 5 }),
  ),
  'leadership is handed only to another voter': changed(leader, { transferTarget: 'a' }),
  'no read token is acknowledged before it is made': changed(leader, { ackedReadToken: 9 }),
  'who does not lead has a timer within the election timeout': changed(follower, {
    electionElapsedTicks: 999,
  }),
}

const brokenSteps: Readonly<Record<string, readonly [before: RaftFacts, after: RaftFacts]>> = {
  'the term never goes back': [leader, changed(leader, { term: 1 })],
  'the durable term never goes back': [leader, changed(leader, { durableTerm: 1 })],
  'the commit index never goes back': [leader, changed(leader, { commitIndex: 1 })],
  'what is handed out for apply never goes back': [leader, changed(leader, { appliedIndex: 1 })],
  'anchor and snapshot never go back': [changed(leader, { snapshotIndex: 1 }), leader],
  'the read token never goes back': [leader, changed(leader, { lastReadToken: 0 })],
  'a vote is given once in a term': [leader, changed(leader, { votedFor: 'b' })],
  'a durable vote is not changed within its term': [
    leader,
    changed(leader, { durableVotedFor: 'b' }),
  ],
  'one term has one leader': [follower, changed(follower, { leader: 'c' })],
  'nobody leads a term that it did not campaign in': [
    changed(leader, { role: 'follower', leader: null }),
    leader,
  ],
  'a leader only appends to its log': [leader, changed(leader, { lastIndex: 2 })],
  'a committed entry never changes': [
    leader,
    changed(leader, { termRuns: [{ term: 1, first: 1 }] }),
  ],
  'a committed configuration is replaced by a later one only': [
    changed(leader, { committedConfigurationIndex: 1 }),
    leader,
  ],
  'a leader changes its configuration one step at a time': [
    leader,
    changed(leader, { configurationIndex: 3, configuration: configurationOf(['x']) }),
  ],
  'a campaign asks the voters of one configuration': [
    candidate,
    changed(candidate, { configurationIndex: 1 }),
  ],
  'the known match of a session never goes back': [
    leader,
    changed(leader, peer(leader, { matchIndex: 1 })),
  ],
}

await t.test('sound states pass every check', async (t) => {
  for (const facts of [leader, follower, candidate]) {
    for (const [sentence, holds] of pointChecks) t.ok(holds(facts), sentence)
    for (const [sentence, holds] of stepChecks) t.ok(holds(facts, facts), sentence)
  }
})

await t.test('each check at a point has a state that breaks it', async (t) => {
  t.same(Object.keys(brokenPoints).sort(), pointChecks.map(([sentence]) => sentence).sort())
  for (const [sentence, holds] of pointChecks) {
    const facts = brokenPoints[sentence]
    t.equal(facts === undefined || holds(facts), false, sentence)
  }
})

await t.test('each check between two points has a pair that breaks it', async (t) => {
  t.same(Object.keys(brokenSteps).sort(), stepChecks.map(([sentence]) => sentence).sort())
  for (const [sentence, holds] of stepChecks) {
    const pair = brokenSteps[sentence]
    t.equal(pair === undefined || holds(...pair), false, sentence)
  }
})

await t.test('the checker throws the sentence, with the state around it', async (t) => {
  const checker = new InvariantChecker()
  checker.check(leader)
  t.throws(
    () => {
      checker.check(changed(leader, { commitIndex: 1, applyingIndex: 1, appliedIndex: 1 }))
    },
    { name: 'InvariantViolation', facts: { at: { id: 'a' } } },
  )
})

await t.test('a leader that was forgotten is remembered as the only one of its term', async (t) => {
  const checker = new InvariantChecker()
  checker.check(follower)
  checker.check(changed(follower, { leader: null }))
  checker.check(follower)
  checker.check(changed(follower, { leader: null }))
  t.throws(
    () => {
      checker.check(changed(follower, { leader: 'c' }))
    },
    { message: 'one term has one leader, also after it was forgotten' },
  )
})
