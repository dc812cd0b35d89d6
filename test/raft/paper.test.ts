/**
 * D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)",
 * 2014: one test for each sentence of section 5 that states behaviour, named with its subsection.
 * Where pre-vote and check-quorum (dissertation 9.6, 6.2) stand before the paper's rule, the test
 * goes through them. What speaks of all logs together is in paper-safety.test.ts (marked "safety").
 *
 *   5    leader accepts, replicates, says when to apply      5.3 appended; committed; commit index
 *        places entries without asking; data flows one way   5.3 appended; 5.3 never overwrites
 *        a leader that fails is replaced                     5.1 two failures; 5.6
 *   fig3 Election Safety, Leader Append-Only, Log Matching,
 *        Leader Completeness, State Machine Safety           safety
 *   5.1  five servers tolerate two; one leader, the others
 *        follow                                              5.1 two failures
 *        followers are passive; redirect clients             5.1 passive; 5.1 turns a command away
 *        terms are consecutive, and only grow; a leader
 *        serves the rest of its term                         5.1 terms only grow; 5.2 to begin
 *        terms travel with every message; larger, own, stale 5.1 every message; takes over; out of
 *                                                            date; stale
 *        requests are retried, and sent in parallel          5.5 sent again; 5.3 in parallel
 *   5.2  begins as follower, stays one, times out            5.2 begins; stays; grants; hears nothing
 *        asks for votes; wins, loses, or nobody wins         5.2 to begin; wins; hears; refuses; neither
 *        one vote a term, first come; the majority rule      5.2 each server; safety: Election Safety
 *        authority; heartbeats                               5.2 once elected; periodic
 *        random timeouts, at each election anew              5.2 random; in most cases
 *   5.3  command, append, commit, apply, answer              5.3 appended; committed
 *        sent until all have it, after the answer too        5.3 keeps sending
 *        an entry has command, term and index                5.3 an entry carries
 *        committed is durable, and executed by all           5.3 keeps sending; 5.5 crashed
 *        commits all before; commit index in each message    5.3 committing; tells
 *        the two halves of Log Matching, and their reasons   safety: at most one; Log Matching; check
 *        the check; figure 7; force to duplicate             5.3 without the entry; conflicting; figure 7
 *        nextIndex: starts after the last, steps back, meets 5.3 nextIndex (two)
 *        one round to a majority; slow followers             5.3 one round
 *   5.4.1 committed entries are in each new leader            5.4.1 safety: moment of its election
 *        the vote compares last term, then length            5.4.1 (two)
 *   5.4.2 no counting for older terms; figure 8              5.4.2 (two)
 *   5.4.3 the argument                                       safety: 5.4.3 (three)
 *   5.5  retried without end; a restarted server answers;
 *        repeated requests                                   5.5 (three)
 *   5.6  timing is for progress, never for safety            5.6; safety as a whole
 */
import t from 'tap'
import { term, type Message } from '../../src/raft/index.js'
import { SeededRandom } from '../simulation/random.js'
import { Group, bytes, electionTicksMax, electionTicksMin, heartbeatTicks, logOf } from './group.js'
import { LoneNode, append, at, hardStateOf, only } from './lone-node.js'

const heartbeat = (from: string, inTerm: number) =>
  ({ kind: 'heartbeat', from, term: inTerm, session: 1, commit: at(0), readToken: 0 }) as const

const vote = (from: string, inTerm: number, lastIndex = 0, lastTerm = 0) =>
  ({
    kind: 'vote',
    from,
    term: inTerm,
    lastIndex: at(lastIndex),
    lastTerm: term(lastTerm),
    transfer: false,
  }) as const

// ---- 5.1 ----------------------------------------------------------------------------------

await t.test('5.1 a node of a smaller term takes over the larger term', async (t) => {
  const roles = {
    follower: () => new LoneNode({ hardState: hardStateOf(1) }),
    candidate: () => {
      const node = new LoneNode()
      node.becomeCandidate()
      return node
    },
    leader: () => {
      const node = new LoneNode()
      node.becomeLeader()
      return node
    },
  }
  for (const [role, make] of Object.entries(roles)) {
    const node = make()
    t.equal(node.status.role, role)
    node.hear(heartbeat('b', 7))
    t.equal(node.status.term, 7, `${role} moves to the term of the message`)
    t.equal(node.status.role, 'follower')
    t.equal(node.status.leader, 'b')
    t.equal(node.status.votedFor, null)
  }
})

await t.test(
  '5.1 a candidate or leader that finds its term out of date becomes a follower',
  async (t) => {
    for (const reply of ['voteReply', 'appendReply'] as const) {
      const node = new LoneNode()
      if (reply === 'voteReply') {
        node.becomeCandidate()
        node.out()
        node.hear({ kind: 'voteReply', from: 'b', term: 9, granted: false })
      } else {
        node.becomeLeader()
        node.outWithSessions()
        node.hear({
          kind: 'appendReply',
          from: 'b',
          term: 9,
          session: node.sessionOf('b'),
          result: { kind: 'rejected', rejectedIndex: at(0), hintIndex: at(0), hintTerm: term(0) },
        })
      }
      t.equal(node.status.role, 'follower')
      t.equal(node.status.term, 9)
    }
  },
)

await t.test('5.1 a request with a stale term is rejected, and told the current one', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(5), entries: logOf(1) })
  node.hear(vote('b', 4, 9, 4))
  node.hear(append('b', 4, [1, 1], [4]))
  node.hear(heartbeat('b', 4))
  const answers = node.out()
  t.same(
    answers.map((message) => [message.kind, message.term]),
    [
      ['voteReply', 5],
      ['appendReply', 5],
      ['heartbeatReply', 5],
    ],
  )
  t.equal(only(answers, 'voteReply')[0]?.granted, false)
  t.equal(only(answers, 'appendReply')[0]?.result.kind, 'rejected')
  t.equal(node.status.lastIndex, 1)
  t.equal(node.status.leader, null)
})

await t.test('5.1 followers are passive: they send no request of their own', async (t) => {
  const node = new LoneNode()
  for (let tick = 0; tick < 20; tick += 1) {
    node.ticks(heartbeatTicks)
    node.hear(heartbeat('b', 1))
    t.same(
      node.out().map((message) => message.kind),
      ['heartbeatReply'],
    )
  }
})

await t.test('5.1 a follower turns a command of a client away, and says who leads', async (t) => {
  const node = new LoneNode()
  node.hear(heartbeat('b', 1))
  node.out()
  node.step({ kind: 'propose', id: 1, payload: bytes('x') })
  t.same(node.take().proposals, [{ id: 1, kind: 'refused', code: 'NOT_LEADER', leader: 'b' }])
})

await t.test('5.1 a cluster of five tolerates two failures, and not three', async (t) => {
  const group = new Group(['a', 'b', 'c', 'd', 'e'])
  group.elect('a')
  const roles = ['b', 'c', 'd', 'e'].map((id) => group.status(id).role)
  t.ok(
    roles.every((role) => role === 'follower'),
    'one leads, all others follow',
  )
  group.crash('a')
  group.crash('b')
  group.elect('c')
  group.propose('c', 'x')
  group.settle()
  t.same(group.appliedTexts('d'), ['x'])
  group.crash('d')
  group.propose('c', 'y')
  group.settle()
  t.same(group.appliedTexts('c'), ['x'], 'two of five are no majority')
})

await t.test('5.1 terms only grow, by one at each election', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(6) })
  const seen: number[] = []
  for (let times = 0; times < 3; times += 1) {
    node.becomeCandidate()
    node.out()
    node.hear(heartbeat('b', 2))
    seen.push(node.status.term)
  }
  t.same(seen, [7, 8, 9])
  node.becomeLeader()
  node.hear(vote('b', 3, 99, 99))
  node.ticks(1)
  t.equal(node.status.role, 'leader', 'it serves the rest of its term')
})

await t.test('5.1 every message carries the term of its sender', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.propose('a', 'x')
  group.settle()
  group.run(heartbeatTicks)
  const kinds = new Set(group.sent.map(({ kind }) => kind))
  for (const kind of ['vote', 'voteReply', 'append', 'appendReply', 'heartbeat'] as const) {
    t.ok(kinds.has(kind), kind)
  }
  // A pre-vote names the term that it would begin: all of these are of one term.
  t.ok(group.sent.every((message) => message.term === group.status('a').term))
})

// ---- 5.2 ----------------------------------------------------------------------------------

await t.test('5.2 a server begins as a follower', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(3, 'a'), entries: logOf(1, 3) })
  t.equal(node.status.role, 'follower')
  t.equal(node.status.leader, null)
})

await t.test('5.2 it stays a follower as long as it hears a leader', async (t) => {
  const node = new LoneNode()
  for (let beats = 0; beats < 100; beats += 1) {
    node.ticks(electionTicksMin - 1)
    node.hear(heartbeat('b', 1))
    node.out()
  }
  t.equal(node.status.role, 'follower')
  t.equal(node.status.term, 1)
})

await t.test('5.2 it stays a follower when it grants a vote: its timer starts anew', async (t) => {
  const node = new LoneNode()
  node.ticks(electionTicksMin - 1)
  node.hear(vote('b', 1))
  node.ticks(electionTicksMin - 1)
  t.equal(node.status.role, 'follower')
  node.ticks(1)
  t.equal(node.status.role, 'preCandidate')
})

await t.test('5.2 leaders send periodic heartbeats to all followers', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  node.out()
  for (let beats = 0; beats < 3; beats += 1) {
    node.ticks(heartbeatTicks - 1)
    t.same(only(node.out(), 'heartbeat'), [], 'not before the interval is over')
    node.ticks(1)
    t.same(
      only(node.out(), 'heartbeat').map((message) => message.to),
      ['b', 'c'],
    )
  }
})

await t.test(
  '5.2 a follower that hears nothing for the election timeout begins an election',
  async (t) => {
    const node = new LoneNode()
    node.ticks(electionTicksMin - 1)
    t.equal(node.status.role, 'follower')
    node.ticks(1)
    t.equal(node.status.role, 'preCandidate')
    t.same(
      node.out().map((message) => [message.kind, message.to]),
      [
        ['preVote', 'b'],
        ['preVote', 'c'],
      ],
    )
  },
)

await t.test(
  '5.2 to begin an election it raises its term, votes for itself and asks all others',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(4), entries: logOf(2, 4) })
    node.becomeCandidate()
    t.equal(node.status.role, 'candidate')
    t.equal(node.status.term, 5)
    t.equal(node.status.votedFor, 'a')
    const requests = only(node.out(), 'vote')
    t.same(
      requests.map(({ to, term: inTerm, lastIndex, lastTerm }) => [
        to,
        inTerm,
        lastIndex,
        lastTerm,
      ]),
      [
        ['b', 5, 2, 4],
        ['c', 5, 2, 4],
      ],
    )
  },
)

await t.test('5.2 a candidate wins with votes of a majority of the full cluster', async (t) => {
  const cases: [size: number, granted: number, refused: number, role: string][] = [
    [1, 0, 0, 'leader'],
    [3, 2, 0, 'leader'],
    [3, 1, 0, 'leader'],
    [3, 1, 1, 'leader'],
    [3, 0, 0, 'candidate'],
    [3, 0, 1, 'candidate'],
    [3, 0, 2, 'follower'],
    [4, 1, 0, 'candidate'],
    [4, 2, 1, 'leader'],
    [5, 4, 0, 'leader'],
    [5, 3, 0, 'leader'],
    [5, 2, 0, 'leader'],
    [5, 2, 2, 'leader'],
    [5, 1, 2, 'candidate'],
    [5, 1, 3, 'follower'],
    [5, 1, 0, 'candidate'],
  ]
  for (const [size, granted, refused, role] of cases) {
    const voters = ['a', 'b', 'c', 'd', 'e'].slice(0, size)
    const node = new LoneNode({ voters })
    node.becomeCandidate()
    node.out()
    voters.slice(1).forEach((from, position) => {
      if (position >= granted + refused) return
      node.hear({
        kind: 'voteReply',
        from,
        term: node.status.term,
        granted: position < granted,
      })
    })
    t.equal(
      node.status.role,
      role,
      `${String(granted)} for, ${String(refused)} against, of ${String(size)}`,
    )
    t.equal(node.status.term, 1)
  }
})

await t.test('5.2 a vote that comes twice counts once', async (t) => {
  const node = new LoneNode({ voters: ['a', 'b', 'c', 'd', 'e'] })
  node.becomeCandidate()
  node.out()
  for (let times = 0; times < 5; times += 1) {
    node.hear({ kind: 'voteReply', from: 'b', term: 1, granted: true })
  }
  t.equal(node.status.role, 'candidate')
})

await t.test(
  '5.2 each server votes for one candidate in a term, first come first served',
  async (t) => {
    const cases: [votedFor: string | null, asks: string, granted: boolean][] = [
      [null, 'b', true],
      [null, 'c', true],
      ['b', 'b', true],
      ['c', 'c', true],
      ['b', 'c', false],
      ['c', 'b', false],
      ['a', 'b', false],
    ]
    for (const [votedFor, from, granted] of cases) {
      const node = new LoneNode({ hardState: hardStateOf(1, votedFor) })
      node.hear(vote(from, 1))
      const [answer] = only(node.out(), 'voteReply')
      t.equal(answer?.granted, granted, `voted for ${String(votedFor)}, asked by ${from}`)
      t.equal(answer?.to, from)
      t.equal(node.status.votedFor, granted ? from : votedFor)
    }
  },
)

await t.test('5.2 once elected, it sends to all others to establish its authority', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  const appends = only(node.out(), 'append')
  t.same(
    appends.map(({ to, term: inTerm, prevIndex, entries }) => [
      to,
      inTerm,
      prevIndex,
      entries.map((entry) => entry.kind),
    ]),
    [
      ['b', 1, 0, ['noop']],
      ['c', 1, 0, ['noop']],
    ],
  )
})

await t.test(
  '5.2 a candidate that hears a leader of its own or a later term follows it',
  async (t) => {
    for (const inTerm of [1, 2]) {
      for (const message of [heartbeat('b', inTerm), append('b', inTerm, [0, 0])]) {
        const node = new LoneNode()
        node.becomeCandidate()
        node.hear(message)
        t.equal(node.status.role, 'follower')
        t.equal(node.status.term, inTerm)
        t.equal(node.status.leader, 'b')
        t.equal(node.status.votedFor, inTerm === 1 ? 'a' : null, 'its vote of this term stays')
      }
    }
  },
)

await t.test(
  '5.2 a candidate refuses a leader of an earlier term and stays a candidate',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(3) })
    node.becomeCandidate()
    node.out()
    node.hear(append('b', 3, [0, 0]))
    t.equal(node.status.role, 'candidate')
    t.equal(only(node.out(), 'appendReply')[0]?.term, 4)
  },
)

await t.test(
  '5.2 a candidate that neither wins nor loses starts a new election after a timeout',
  async (t) => {
    const node = new LoneNode()
    node.becomeCandidate()
    node.out()
    node.becomeCandidate()
    t.equal(node.status.term, 2)
    t.equal(node.status.role, 'candidate')
    t.equal(only(node.out(), 'vote').length, 2)
  },
)

await t.test('5.2 the election timeout is random in a fixed interval', async (t) => {
  for (const role of ['follower', 'candidate'] as const) {
    const random = new SeededRandom(7)
    const drawn = new Set<number>()
    const node = new LoneNode({ random: () => random.next() })
    for (let round = 0; round < 2_000; round += 1) {
      if (role === 'follower') node.hear(heartbeat('b', node.status.term + 1))
      else node.becomeCandidate()
      node.out()
      const timeout = node.raft.facts().electionTimeoutTicks
      drawn.add(timeout)
    }
    t.equal(Math.min(...drawn), electionTicksMin)
    t.equal(Math.max(...drawn), electionTicksMax - 1)
    t.equal(drawn.size, electionTicksMax - electionTicksMin, `${role}: every value occurs`)
  }
})

await t.test('5.2 in most cases only one server times out first', async (t) => {
  let conflicts = 0
  const rounds = 300
  for (let seed = 0; seed < rounds; seed += 1) {
    const timeouts = [0, 1, 2, 3, 4].map((place) => {
      const random = new SeededRandom(seed * 5 + place)
      const node = new LoneNode({ random: () => random.next() })
      return node.raft.facts().electionTimeoutTicks
    })
    const first = Math.min(...timeouts)
    // Another one within a heartbeat would split the vote.
    if (timeouts.filter((timeout) => timeout < first + 3).length > 1) conflicts += 1
  }
  t.ok(conflicts < rounds * 0.3, `${String(conflicts)} of ${String(rounds)}`)
})

// ---- 5.3 ----------------------------------------------------------------------------------

await t.test(
  '5.3 a command is appended to the log and sent to all others in parallel',
  async (t) => {
    const node = new LoneNode()
    node.becomeLeader()
    node.outWithSessions()
    node.acknowledge('b', 1)
    node.acknowledge('c', 1)
    node.out()
    node.step({ kind: 'propose', id: 1, payload: bytes('x') })
    const output = node.take()
    t.same(output.proposals, [{ id: 1, kind: 'appended', index: 2, term: 1 }])
    t.same(
      only([...output.send], 'append').map(({ to, prevIndex, prevTerm, entries }) => [
        to,
        prevIndex,
        prevTerm,
        entries.map((entry) => entry.index),
      ]),
      [
        ['b', 1, 1, [2]],
        ['c', 1, 1, [2]],
      ],
      'and nobody waits for the own disk',
    )
    t.same(
      output.persist?.entries.map((entry) => entry.index),
      [2],
    )
  },
)

await t.test('5.3 an entry is committed when a majority has stored it, then applied', async (t) => {
  const cases: [size: number, acknowledge: string[], committed: boolean][] = [
    [1, [], true],
    [3, [], false],
    [3, ['b'], true],
    [3, ['b', 'c'], true],
    [5, ['b'], false],
    [5, ['b', 'c'], true],
    [5, ['b', 'c', 'd', 'e'], true],
  ]
  for (const [size, acknowledge, committed] of cases) {
    const node = new LoneNode({ voters: ['a', 'b', 'c', 'd', 'e'].slice(0, size) })
    node.becomeLeader()
    node.outWithSessions()
    for (const peer of node.status.voters) if (peer !== 'a') node.acknowledge(peer, 1)
    node.outWithSessions()
    node.step({ kind: 'propose', id: 1, payload: bytes('x') })
    node.outWithSessions()
    for (const peer of acknowledge) node.acknowledge(peer, 2)
    node.out()
    const expected = committed ? 2 : 1
    t.equal(node.status.commitIndex, expected, `${acknowledge.join()} of ${String(size)}`)
    t.equal(node.status.appliedIndex, expected)
  }
})

await t.test(
  '5.3 the leader tells the commit index, and followers apply in log order',
  async (t) => {
    const node = new LoneNode()
    node.hear(append('b', 1, [0, 0], [1, 1, 1], 2))
    const first = node.take()
    t.same(first.apply, [], 'not before it is durable here')
    node.persist()
    t.same(
      node.take().apply.map((entry) => entry.index),
      [1, 2],
    )
    node.step({ kind: 'applied', index: at(2) })
    node.hear({ ...heartbeat('b', 1), commit: at(3) })
    t.same(
      node.take().apply.map((entry) => entry.index),
      [3],
    )
  },
)

await t.test(
  '5.3 a leader keeps sending until all followers have stored all entries',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.isolate('c')
    for (const text of ['x', 'y', 'z']) group.propose('a', text)
    group.settle()
    group.run(5 * heartbeatTicks)
    group.heal()
    group.run(3 * heartbeatTicks)
    t.same(group.appliedTexts('c'), ['x', 'y', 'z'])
  },
)

await t.test(
  '5.3 committing an entry commits all before it, those of other leaders too',
  async (t) => {
    for (const terms of [[], [2], [1, 2], [1]]) {
      const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(...terms) })
      node.becomeLeader()
      node.outWithSessions()
      node.acknowledge('b', terms.length + 1)
      node.out()
      t.equal(node.status.commitIndex, terms.length + 1)
      t.equal(node.status.appliedIndex, terms.length + 1)
    }
  },
)

await t.test('5.3 a follower without the entry before the new ones refuses them', async (t) => {
  const cases: [prev: [number, number], matched: number | null, hint: [number, number]][] = [
    [[0, 0], 0, [0, 0]],
    [[1, 1], 1, [0, 0]],
    [[2, 2], 2, [0, 0]],
    [[1, 2], null, [1, 1]],
    [[2, 1], null, [1, 1]],
    [[3, 3], null, [2, 2]],
    [[9, 1], null, [1, 1]],
  ]
  for (const [prev, matched, hint] of cases) {
    const node = new LoneNode({ hardState: hardStateOf(3), entries: logOf(1, 2) })
    node.hear(append('b', 3, prev))
    const [answer] = only(node.out(), 'appendReply')
    t.same(
      answer?.result,
      matched === null
        ? { kind: 'rejected', rejectedIndex: prev[0], hintIndex: hint[0], hintTerm: hint[1] }
        : { kind: 'matched', matchIndex: matched },
      `after ${prev.join('/')}`,
    )
  }
})

await t.test(
  '5.3 conflicting entries of a follower are overwritten with those of the leader',
  async (t) => {
    const cases: [prev: [number, number], terms: number[], log: number[]][] = [
      [[2, 2], [3], [1, 2, 3]],
      [
        [1, 1],
        [3, 4],
        [1, 3, 4],
      ],
      [[0, 0], [1], [1, 2]],
      [[0, 0], [3], [3]],
    ]
    for (const [prev, terms, expected] of cases) {
      const node = new LoneNode({ hardState: hardStateOf(4), entries: logOf(1, 2) })
      node.hear(append('b', 4, prev, terms))
      const { persist } = node.take()
      const disk = [1, 2]
      if (persist?.truncateAfter != null) disk.length = persist.truncateAfter
      disk.push(...(persist?.entries.map((entry) => entry.term) ?? []))
      t.same(disk, expected, `${terms.join()} after ${prev.join('/')}`)
      t.equal(node.status.lastIndex, expected.length)
    }
  },
)

// Figure 7 of the paper: what a leader of term 8 may find.
const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
const followerLogs: Readonly<Record<string, readonly number[]>> = {
  'a: a missing entry': [1, 1, 1, 4, 4, 5, 5, 6, 6],
  'b: many missing': [1, 1, 1, 4],
  'c: one too many': [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  'd: two of a later term': [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  'e: missing and too many': [1, 1, 1, 4, 4, 4, 4],
  'f: other terms': [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
}
for (const [name, terms] of Object.entries(followerLogs)) {
  await t.test(`5.3 figure 7 ${name}: forced to be like the leader's log`, async (t) => {
    const group = new Group(['a', 'b', 'c'], (id) => ({
      hardState: hardStateOf(7),
      entries: id === 'a' ? logOf(...leaderLog) : id === 'b' ? logOf(...terms) : [],
    }))
    // The third node is empty, and its vote makes the leader.
    group.elect('a')
    group.propose('a', 'x')
    group.settle()
    t.same(group.terms('b'), [...leaderLog, 8, 8])
    t.same(group.terms('c'), [...leaderLog, 8, 8])
    const probes = group.sent.filter(
      (message) => message.kind === 'appendReply' && message.result.kind === 'rejected',
    )
    const distinct = new Set(terms).size
    t.ok(probes.filter((message) => message.from === 'b').length <= distinct)
  })
}

await t.test(
  '5.3 an entry carries its command, the term of its leader and its index',
  async (t) => {
    const group = new Group(['a', 'b', 'c'])
    group.elect('a')
    group.propose('a', 'x')
    group.settle()
    group.isolate('a')
    group.elect('b')
    group.propose('b', 'y')
    group.settle()
    t.same(
      group
        .member('c')
        .entries.filter(({ kind }) => kind === 'command')
        .map(({ index, term: ofLeader, payload }) => [
          index,
          ofLeader,
          String(Buffer.from(payload)),
        ]),
      [
        [2, 1, 'x'],
        [4, 2, 'y'],
      ],
    )
  },
)

await t.test(
  '5.3 nextIndex of each follower starts just after the last entry of the leader',
  async (t) => {
    const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 1, 2) })
    node.becomeLeader()
    t.same(
      only(node.out(), 'append').map(({ to, prevIndex, prevTerm }) => [to, prevIndex, prevTerm]),
      [
        ['b', 3, 2],
        ['c', 3, 2],
      ],
      'whatever the follower has',
    )
  },
)

await t.test('5.3 after a refusal nextIndex steps back until the logs meet', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(4), entries: logOf(1, 1, 1, 2, 2) })
  node.becomeLeader()
  node.outWithSessions()
  // The follower has 1 1 1 3 3 3, so the entry before the leader's new one is refused.
  const refuse = (rejectedIndex: number, hintIndex: number, hintTerm: number): number[] => {
    node.hear({
      kind: 'appendReply',
      from: 'b',
      term: node.status.term,
      session: node.sessionOf('b'),
      result: {
        kind: 'rejected',
        rejectedIndex: at(rejectedIndex),
        hintIndex: at(hintIndex),
        hintTerm: term(hintTerm),
      },
    })
    return only(node.outWithSessions(), 'append').map(({ prevIndex }) => prevIndex)
  }
  // The paper's own shortcut: past all entries of the term in conflict at once.
  t.same(refuse(5, 3, 1), [3])
  node.acknowledge('b', 3)
  node.outWithSessions()
  t.equal(node.status.peers.find(({ id }) => id === 'b')?.matchIndex, 3, 'here they agree')
  node.acknowledge('b', 6)
  t.equal(node.status.commitIndex, 6, 'and everything after was sent')
})

await t.test('5.3 one round to a majority commits; a slow follower holds nobody up', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.run(heartbeatTicks)
  group.isolate('c')
  const before = group.sent.length
  group.propose('a', 'x')
  group.settle()
  t.same(group.appliedTexts('a'), ['x'], 'without a tick')
  const toB = group.sent.slice(before).filter(({ from, to }) => from === 'a' && to === 'b')
  const rounds = toB.filter((one) => one.kind === 'append' && one.entries.length > 0)
  t.equal(rounds.length, 1)
})

await t.test('5.3 a leader never overwrites or deletes entries of its own log', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 2) })
  node.becomeLeader()
  node.out()
  node.hear(append('b', 3, [0, 0], [3]))
  const output = node.take()
  t.equal(output.persist, null, 'what claims to lead its own term is not even answered')
  t.equal(node.status.role, 'leader')
  t.equal(node.status.lastIndex, 3)
})

// ---- 5.4 ----------------------------------------------------------------------------------

await t.test('5.4.1 a request for a vote tells the last index and term of the log', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(6), entries: logOf(2, 2, 6) })
  node.becomeCandidate()
  for (const request of only(node.out(), 'vote')) {
    t.equal(request.lastIndex, 3)
    t.equal(request.lastTerm, 6)
  }
})

await t.test(
  '5.4.1 a voter refuses when its own log is more up to date: term first, then length',
  async (t) => {
    const cases: [own: number[], candidate: [index: number, term: number], granted: boolean][] = [
      [[], [0, 0], true],
      [[1], [1, 1], true],
      [[1], [2, 1], true],
      [[1, 1], [1, 1], false],
      [[1], [1, 2], true],
      [[1], [2, 2], true],
      [[1, 1], [1, 2], true],
      [[2], [1, 1], false],
      [[2], [2, 1], false],
      [[2], [9, 1], false],
      [[1, 2], [1, 2], false],
      [[1, 2], [0, 0], false],
    ]
    for (const [own, candidate, granted] of cases) {
      const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(...own) })
      node.hear(vote('b', 3, ...candidate))
      const name = `log ${own.join()}, candidate ${candidate.join('/')}`
      t.equal(only(node.out(), 'voteReply')[0]?.granted, granted, name)
    }
  },
)

await t.test('5.4.2 only entries of the own term are committed by counting replicas', async (t) => {
  for (const [matched, committed] of [
    [1, 0],
    [2, 0],
    [3, 3],
  ] as const) {
    const node = new LoneNode({ hardState: hardStateOf(2), entries: logOf(1, 2) })
    node.becomeLeader()
    node.outWithSessions()
    node.acknowledge('b', matched)
    t.equal(node.status.commitIndex, committed, `match ${String(matched)}`)
  }
})

await t.test(
  '5.4.2 figure 8: an entry of an old term on a majority is not committed',
  async (t) => {
    // (c): s1 leads term 4 and has brought its entry of term 2 to s3; s5 has another, of term 3.
    const logs: Readonly<Record<string, readonly number[]>> = {
      s1: [1, 2],
      s2: [1, 2],
      s3: [1],
      s4: [1],
      s5: [1, 3],
    }
    const group = new Group(Object.keys(logs), (id) => ({
      hardState: hardStateOf(3),
      entries: logOf(...(logs[id] ?? [])),
    }))
    const olderOnly = (message: Message): boolean =>
      message.from === 's5' ||
      message.to === 's5' ||
      (message.kind === 'append' && message.entries.some((entry) => entry.term === 4))
    group.lost = olderOnly
    group.elect('s1')
    t.equal(group.status('s1').commitIndex, 0)

    // The followers get the old entry alone, so it lies on three of five.
    const session = group.status('s1')
    t.equal(session.term, 4)
    group.lost = () => true
    group.wire = []
    for (const to of ['s2', 's3']) {
      group.wire.push({
        kind: 'append',
        from: 's1',
        to,
        term: session.term,
        session: to === 's2' ? 1 : 2,
        prevIndex: at(1),
        prevTerm: term(1),
        entries: logOf(1, 2).slice(1),
        commit: at(0),
      })
    }
    group.lost = (message) =>
      (message.kind !== 'append' && message.kind !== 'appendReply') || olderOnly(message)
    group.settle()
    t.same(group.terms('s3'), [1, 2])
    t.equal(group.status('s1').commitIndex, 0, 'on a majority, and still not committed')

    // (d): s5 is elected by s2, s3, s4 and overwrites it.
    group.crash('s1')
    group.heal()
    group.forgetTime('s5')
    group.campaign('s5')
    t.equal(group.status('s5').term, 4, 'refused, and told the term')
    group.campaign('s5')
    t.equal(group.status('s5').role, 'leader')
    group.run(2 * heartbeatTicks)
    for (const id of ['s2', 's3', 's4']) t.same(group.terms(id).slice(0, 2), [1, 3])
  },
)

// ---- 5.5, 5.6 -----------------------------------------------------------------------------

await t.test('5.5 a repeated request does no harm', async (t) => {
  const node = new LoneNode({ hardState: hardStateOf(1), entries: logOf(1) })
  const message = append('b', 1, [1, 1], [1, 1])
  node.hear(message)
  const first = only(node.out(), 'appendReply')
  node.hear(message)
  const second = node.take()
  t.same(second.persist?.entries, [])
  t.equal(second.persist?.truncateAfter, null)
  t.same(second.persist?.thenSend, first)
  t.equal(node.status.lastIndex, 3)
})

await t.test('5.5 a request that gets no answer is sent again', async (t) => {
  const node = new LoneNode()
  node.becomeLeader()
  node.outWithSessions()
  node.hear({
    kind: 'heartbeatReply',
    from: 'b',
    term: 1,
    session: node.sessionOf('b'),
    readToken: 0,
  })
  t.same(
    only(node.out(), 'append').map(({ to, entries }) => [to, entries.length]),
    [['b', 1]],
  )
})

await t.test('5.5 a follower that crashed and restarts gets what it missed', async (t) => {
  const group = new Group(['a', 'b', 'c'])
  group.elect('a')
  group.crash('c')
  for (const text of ['x', 'y']) group.propose('a', text)
  group.settle()
  group.run(5 * heartbeatTicks)
  group.restart('c')
  group.run(2 * heartbeatTicks)
  t.same(group.appliedTexts('c'), ['x', 'y'])
})

await t.test(
  '5.6 a cluster without a steady leader makes progress once one can be elected',
  async (t) => {
    const random = new SeededRandom(3)
    const group = new Group(['a', 'b', 'c', 'd', 'e'], () => ({ random: () => random.next() }))
    group.run(2 * electionTicksMax)
    const leaders = [...group.members.keys()].filter((id) => group.status(id).role === 'leader')
    t.equal(leaders.length, 1)
    t.ok([...group.members.keys()].every((id) => group.status(id).commitIndex >= 1))
  },
)
