/**
 * A peer with a valid certificate that says whatever it likes. It may cost availability; it must
 * not break the state of a node, whose invariants are checked after every step.
 */
import fc from 'fast-check'
import t from 'tap'
import { InvariantViolation } from '../../src/invariant.js'
import { logIndex, term, type Message } from '../../src/raft/index.js'
import { bytes, electionTicksMax, logOf } from './group.js'
import { at, hardStateOf, LoneNode, only } from './lone-node.js'
import '../property-seed.js'

/** The one way to stop a node: to contradict what it knows to be committed. It is evidence. */
const failStop = 'a committed entry is never overwritten'

const farTerms = [2 ** 19, 2 ** 32, Number.MAX_SAFE_INTEGER]

/** Numbers near what the node knows, and absurd ones. */
const near = fc.oneof(
  { weight: 9, arbitrary: fc.nat({ max: 7 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 32, Number.MAX_SAFE_INTEGER) },
)

const words = fc.record({
  kind: fc.constantFrom(
    ...(['append', 'append', 'append', 'appendReply', 'appendRejected', 'heartbeat'] as const),
    ...(['heartbeatReply', 'preVote', 'preVoteReply', 'vote', 'voteReply', 'timeoutNow'] as const),
  ),
  from: fc.constantFrom('b', 'c'),
  termAhead: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -1, max: 1 }) },
    { weight: 1, arbitrary: fc.constantFrom(...farTerms) },
  ),
  session: fc.nat({ max: 4 }),
  index: near,
  otherIndex: near,
  termOfIndex: near,
  flag: fc.boolean(),
  entryTerms: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
})

type Words = typeof words extends fc.Arbitrary<infer W> ? W : never

function messageOf(said: Words, currentTerm: number): Message {
  const { from, session, flag } = said
  const ahead = Math.min(Math.max(0, currentTerm + said.termAhead), Number.MAX_SAFE_INTEGER)
  const head = { from, to: 'a', term: term(ahead) }
  const last = { lastIndex: at(said.index), lastTerm: term(said.termOfIndex) }
  switch (said.kind) {
    case 'append': {
      const prevIndex = at(said.index)
      const entries = said.entryTerms.map((value, place) => ({
        index: logIndex(said.index + 1 + place),
        term: term(value),
        kind: 'command' as const,
        payload: bytes('x'),
      }))
      const prevTerm = term(said.termOfIndex)
      const isSafe = entries.every(({ index }) => Number.isSafeInteger(index))
      const fitting = isSafe ? entries : []
      const commit = at(said.otherIndex)
      return { kind: 'append', ...head, session, prevIndex, prevTerm, entries: fitting, commit }
    }
    case 'appendReply':
      return {
        ...{ kind: 'appendReply', ...head, session },
        result: { kind: 'matched', matchIndex: at(said.index) },
      }
    case 'appendRejected': {
      const hint = { hintIndex: at(said.otherIndex), hintTerm: term(said.termOfIndex) }
      const result = { kind: 'rejected', rejectedIndex: at(said.index), ...hint } as const
      return { kind: 'appendReply', ...head, session, result }
    }
    case 'heartbeat':
      return { kind: 'heartbeat', ...head, session, commit: at(said.index), readToken: said.index }
    case 'heartbeatReply':
      return { kind: 'heartbeatReply', ...head, session, readToken: said.index }
    case 'preVote':
      return { kind: 'preVote', ...head, ...last }
    case 'preVoteReply':
      return { kind: 'preVoteReply', ...head, granted: flag }
    case 'vote':
      return { kind: 'vote', ...head, ...last, transfer: flag }
    case 'voteReply':
      return { kind: 'voteReply', ...head, granted: flag }
    case 'timeoutNow':
      return { kind: 'timeoutNow', ...head }
  }
}

/** What happens beside the hostile words. */
const happening = fc.oneof(
  { weight: 6, arbitrary: words },
  { weight: 1, arbitrary: fc.constantFrom('tick', 'timeOut', 'propose', 'read', 'disk') },
  { weight: 1, arbitrary: fc.constantFrom('refused', 'distrust', 'connected') },
)

function happen(node: LoneNode, what: Words | string): void {
  if (typeof what !== 'string') {
    node.step({ kind: 'receive', message: messageOf(what, node.status.term) })
    return
  }
  if (what === 'tick') node.ticks(10)
  if (what === 'timeOut') node.ticks(electionTicksMax)
  if (what === 'propose') node.step({ kind: 'propose', id: 1, payload: bytes('y') })
  if (what === 'read') node.step({ kind: 'read', id: 1 })
  if (what === 'disk') node.out()
  const peer = node.status.leader ?? 'b'
  if (what === 'refused') node.step({ kind: 'peerRefused', peer })
  if (what === 'distrust') node.step({ kind: 'distrustLeader' })
  if (what === 'connected') node.step({ kind: 'peerConnected', peer: 'b' })
}

await t.test('no words of peers break the state of a node, or end it without evidence', (t) => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), fc.boolean(), (story, leads) => {
      const node = new LoneNode({
        hardState: hardStateOf(2, null, 1),
        entries: logOf(1, 2),
        applied: at(1),
      })
      if (leads) node.becomeLeader()
      try {
        for (const what of story) happen(node, what)
        node.out()
      } catch (thrown) {
        if (!(thrown instanceof InvariantViolation) || thrown.message !== failStop) throw thrown
      }
    }),
    { numRuns: 3000 },
  )
  t.end()
})

await t.test('a term from nowhere is not taken over: the next campaign would have none', (t) => {
  const node = new LoneNode()
  node.hear({ kind: 'vote', from: 'b', ...{ term: 3, transfer: true }, ...end(0, 0) })
  node.out()
  for (const far of [2 ** 32, Number.MAX_SAFE_INTEGER]) {
    node.hear({ kind: 'preVoteReply', from: 'b', term: far, granted: false })
    node.hear({ kind: 'vote', from: 'b', term: far, transfer: true, ...end(9, 9) })
  }
  t.equal(node.status.term, 3)
  t.same(node.out(), [], 'and not answered')
  node.becomeLeader()
  t.equal(node.status.role, 'leader')
  t.end()
})

await t.test('a second leader of a term is refused, also after the first was forgotten', (t) => {
  const node = new LoneNode()
  const heartbeat = { kind: 'heartbeat', session: 1, commit: at(0), readToken: 0 } as const
  node.hear({ ...heartbeat, from: 'b', term: 2 })
  node.out()
  node.step({ kind: 'peerRefused', peer: 'b' })
  node.hear({ ...heartbeat, from: 'c', term: 2 })
  t.equal(node.status.leader, null)
  t.same(only(node.out(), 'heartbeatReply'), [])
  node.hear({ ...heartbeat, from: 'b', term: 2 })
  t.equal(node.status.leader, 'b', 'the first comes back')
  t.end()
})

await t.test('a leader that takes entries back within its term names no commit there', (t) => {
  const node = new LoneNode()
  const append = { kind: 'append', from: 'b', session: 1, prevTerm: term(0) } as const
  node.hear({ ...append, term: 3, prevIndex: at(0), entries: logOf(2, 2, 2), commit: at(0) })
  node.hear({ ...append, term: 3, prevIndex: at(0), entries: logOf(3), commit: at(0) })
  node.out()
  const heartbeat = { kind: 'heartbeat', from: 'b', session: 1, readToken: 0 } as const
  node.hear({ ...heartbeat, term: 3, commit: at(3) })
  t.equal(node.status.commitIndex, 1)
  t.equal(node.status.lastIndex, 1)
  t.end()
})

function end(lastIndex: number, lastTerm: number) {
  return { lastIndex: at(lastIndex), lastTerm: term(lastTerm) }
}
