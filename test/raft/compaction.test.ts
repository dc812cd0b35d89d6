import t from 'tap'
import {
  configurationOf,
  logIndex,
  term,
  type Message,
  type RaftLimits,
  type SnapshotMeta,
} from '../../src/raft/index.js'
import { bytes, electionTicksMax, heartbeatTicks, logOf, optionsOf } from './group.js'
import { append, at, hardStateOf, LoneNode, only, steadyLeader } from './lone-node.js'

const limits = (change: Partial<RaftLimits>): RaftLimits => ({
  ...optionsOf('a', []).limits,
  keptEntries: 0,
  ...change,
})

/** The snapshot that the node's own state machine would save at this index. */
const saved = (
  node: LoneNode,
  index: number,
  termThere: number = node.status.term,
): SnapshotMeta => ({
  index: at(index),
  term: term(termThere),
  configuration: configurationOf(['a', 'b', 'c']),
  configurationIndex: at(0),
})

const save = (node: LoneNode, index: number, termThere: number = node.status.term) => {
  node.step({ kind: 'snapshotSaved', snapshot: saved(node, index, termThere) })
}

/** A leader of term 1 with entries 1..n, all committed by b and applied; c has answered nothing. */
function leaderOf(count: number, change: Partial<RaftLimits> = {}, payload = 'x'): LoneNode {
  const node = new LoneNode({ limits: limits(change) })
  node.becomeLeader()
  node.outWithSessions()
  propose(node, count - 1, payload)
  node.acknowledge('b', count)
  node.outWithSessions()
  return node
}

function propose(node: LoneNode, count: number, payload = 'x'): void {
  for (let id = 0; id < count; id += 1) {
    node.step({ kind: 'propose', id, payload: bytes(payload) })
  }
  node.outWithSessions()
}

/** c opens a session: nothing of it is known, so it needs everything. What it is sent. */
function connectC(node: LoneNode): Message[] {
  node.outWithSessions()
  node.step({ kind: 'peerConnected', peer: 'c' })
  return node.outWithSessions().filter(({ to }) => to === 'c')
}

const peerC = (node: LoneNode) => node.status.peers.find(({ id }) => id === 'c')

const offers = (node: LoneNode) => only(node.outWithSessions(), 'snapshotOffer')

/** Time passes with c answering heartbeats, and b too so that the leader stays. */
function alive(node: LoneNode, ticks: number): ReturnType<typeof offers> {
  const seen: ReturnType<typeof offers> = []
  for (let passed = 0; passed < ticks; passed += heartbeatTicks) {
    node.ticks(heartbeatTicks)
    for (const message of node.outWithSessions()) {
      if (message.kind === 'snapshotOffer') seen.push(message)
      if (message.kind !== 'heartbeat') continue
      const { to: from, session } = message
      node.hear({ kind: 'heartbeatReply', from, term: node.status.term, session, readToken: 0 })
    }
    seen.push(...offers(node))
  }
  return seen
}

await t.test('50: without a saved snapshot nothing is cut', async (t) => {
  const node = leaderOf(20)
  t.equal(node.status.appliedIndex, 20)
  t.equal(node.raft.takeOutput(), null)
  t.equal(node.status.firstIndex, 1)
})

await t.test('a saved snapshot cuts the log up to the tail that is kept', async (t) => {
  const node = leaderOf(20, { keptEntries: 5 })
  save(node, 12)
  const output = node.take()
  t.equal(output.persist?.purgeTo, 7)
  t.equal(output.persist?.install, null)
  t.same(output.persist?.entries, [])
  t.equal(node.status.firstIndex, 8)
  t.equal(node.status.snapshotIndex, 12)
  t.equal(node.raft.takeOutput(), null, 'asked for once')
  node.persist()
  save(node, 10)
  t.equal(node.status.snapshotIndex, 12, 'an older one changes nothing')
  save(node, 14)
  t.equal(node.take().persist?.purgeTo, 9)
})

await t.test('a tail longer than the log leaves all of it', async (t) => {
  const node = leaderOf(20, { keptEntries: 50 })
  save(node, 20)
  t.equal(node.raft.takeOutput(), null)
})

await t.test('a snapshot of another history ends the node', async (t) => {
  const node = leaderOf(5)
  for (const wrong of [() => save(node, 5, 9), () => save(node, 6)]) {
    t.throws(wrong, { message: 'a snapshot of the own state is of the committed log' })
  }
})

await t.test(
  '52: a snapshot names the configuration that was committed at its index',
  async (t) => {
    const learning = configurationOf(['a', 'b', 'c'], ['d'])
    const grown = () => {
      const node = leaderOf(3)
      const wish = { kind: 'changeMembership', id: 1, basedOn: null, learners: ['d'] } as const
      node.step({ ...wish, voters: ['a', 'b', 'c'] })
      propose(node, 2)
      return node
    }
    const refused = (node: LoneNode, snapshot: SnapshotMeta) => {
      const message = 'a snapshot of the own state names the configuration that was committed there'
      t.throws(
        () => {
          node.step({ kind: 'snapshotSaved', snapshot })
        },
        { message },
      )
    }
    const pending = grown()
    refused(pending, { ...saved(pending, 3), configuration: learning, configurationIndex: at(4) })
    const committed = grown()
    committed.acknowledge('b', 6)
    committed.outWithSessions()
    for (const wrong of [
      saved(committed, 4),
      { ...saved(committed, 6), configuration: learning },
      { ...saved(committed, 6), configurationIndex: at(4) },
      { ...saved(committed, 3), configuration: learning, configurationIndex: at(4) },
    ]) {
      refused(committed, wrong)
    }
    committed.step({ kind: 'snapshotSaved', snapshot: saved(committed, 3) })
    t.equal(committed.status.snapshotIndex, 3, 'a later one was committed while it was saved')
    const wish = { kind: 'changeMembership', id: 2, basedOn: null, learners: [] } as const
    committed.step({ ...wish, voters: ['a', 'b', 'c'] })
    committed.outWithSessions()
    committed.acknowledge('b', 7)
    committed.outWithSessions()
    t.equal(committed.status.configurationIndex, 7)
    const named = { configuration: learning, configurationIndex: at(4) }
    refused(committed, saved(committed, 5))
    refused(committed, { ...saved(committed, 7), ...named })
    committed.step({ kind: 'snapshotSaved', snapshot: { ...saved(committed, 5), ...named } })
    t.equal(committed.status.snapshotIndex, 5, 'the one between')
    const last = { ...saved(committed, 7), configurationIndex: at(7) }
    committed.step({ kind: 'snapshotSaved', snapshot: last })
    t.equal(committed.status.snapshotIndex, 7)
  },
)

await t.test('a follower cuts its log as well, and only what it has applied', async (t) => {
  const node = new LoneNode({
    limits: limits({}),
    hardState: hardStateOf(1, null, 6),
    entries: logOf(1, 1, 1, 1, 1, 1),
  })
  node.hear(append('b', 1, [6, 1], [1], 7))
  const output = node.take()
  t.equal(output.apply.length, 6)
  node.step({ kind: 'applied', index: at(4) })
  save(node, 5)
  t.equal(node.take().persist?.purgeTo, 4)
  node.step({ kind: 'applied', index: at(6) })
  t.equal(node.take().persist?.purgeTo, 5)
})

await t.test('a cut needs no write of its own when entries are written as well', async (t) => {
  const node = leaderOf(5)
  save(node, 5)
  node.step({ kind: 'propose', id: 9, payload: bytes('x') })
  const { persist } = node.take()
  t.equal(persist?.purgeTo, 5)
  t.same(
    persist?.entries.map((entry) => entry.index),
    [6],
  )
})

await t.test('who needs what is cut off is offered the snapshot, and heartbeats', async (t) => {
  const node = leaderOf(10)
  save(node, 10)
  node.outWithSessions()
  const messages = connectC(node)
  t.same(only(messages, 'append'), [])
  const [offer, ...more] = only(messages, 'snapshotOffer')
  t.same(more, [])
  t.match(offer, { to: 'c', session: node.sessionOf('c'), snapshot: saved(node, 10) })
  t.equal(peerC(node)?.state, 'snapshot')
  node.ticks(heartbeatTicks)
  t.ok(only(node.outWithSessions(), 'heartbeat').some(({ to }) => to === 'c'))
})

await t.test('a peer that is only a little behind needs no snapshot', async (t) => {
  const node = leaderOf(10, { keptEntries: 4 })
  save(node, 10)
  node.outWithSessions()
  node.acknowledge('c', 6)
  node.outWithSessions()
  node.step({ kind: 'peerConnected', peer: 'c' })
  const [probe] = only(node.outWithSessions(), 'append')
  t.equal(probe?.prevIndex, 6, 'the anchor itself can be checked')
  t.equal(probe?.entries.length, 4)
})

await t.test('a link that comes and goes before any answer costs no snapshot', async (t) => {
  const node = new LoneNode({
    limits: limits({ keptEntries: 4 }),
    hardState: hardStateOf(1, null, 20),
    entries: logOf(...Array.from({ length: 20 }, () => 1)),
    applied: at(20),
  })
  save(node, 20)
  node.becomeLeader()
  node.outWithSessions()
  t.equal(node.status.firstIndex, 17)
  for (let flap = 0; flap < 3; flap += 1) {
    const messages = connectC(node)
    t.same(only(messages, 'snapshotOffer'), [])
    const [probe, ...more] = only(messages, 'append')
    t.same(more, [])
    t.equal(probe?.prevIndex, 20, 'where the log ended when this leader began')
    t.equal(probe?.entries.length, 1, 'what came since')
  }
  node.acknowledge('c', 21)
  node.outWithSessions()
  t.match(peerC(node), { state: 'replicate', matchIndex: 21, nextIndex: 22 })
  for (let flap = 0; flap < 3; flap += 1) {
    const [probe] = only(connectC(node), 'append')
    t.equal(probe?.prevIndex, 21, 'where the logs are known to fit')
    t.same(probe?.entries, [])
    t.equal(peerC(node)?.matchIndex, 0, 'as far as this session knows, nothing')
  }
})

await t.test(
  'a rejection whose hint lies in a term that is cut off leads to a snapshot',
  async (t) => {
    const node = new LoneNode({
      limits: limits({}),
      hardState: hardStateOf(4, null, 3),
      entries: logOf(2, 4, 4, 4),
      applied: at(3),
    })
    save(node, 2, 4)
    node.becomeLeader()
    node.outWithSessions()
    t.equal(node.status.firstIndex, 3)
    node.hear({
      kind: 'appendReply',
      from: 'c',
      term: node.status.term,
      session: node.sessionOf('c'),
      result: { kind: 'rejected', rejectedIndex: at(4), hintIndex: at(4), hintTerm: term(3) },
    })
    t.equal(offers(node).length, 1)
  },
)

await t.test('an offer is repeated only to a peer that lives, and seldom', async (t) => {
  const node = leaderOf(10)
  save(node, 10)
  t.equal(only(connectC(node), 'snapshotOffer').length, 1)
  const again = alive(node, 3 * electionTicksMax + 3 * heartbeatTicks)
  t.ok(again.length >= 2 && again.length <= 3, String(again.length))
  t.same([...new Set(again.map(({ snapshot }) => snapshot.index))], [10])
})

await t.test('the match of a snapshot leads to appends behind it', async (t) => {
  const node = leaderOf(10)
  save(node, 10)
  connectC(node)
  propose(node, 3)
  node.acknowledge('c', 10)
  const [next] = only(node.outWithSessions(), 'append').filter(({ to }) => to === 'c')
  t.equal(next?.prevIndex, 10)
  t.equal(next?.entries.length, 3)
  t.equal(peerC(node)?.state, 'replicate')
})

await t.test('48: the log behind a snapshot that is fed stays until it is there', async (t) => {
  const node = leaderOf(10)
  save(node, 10)
  connectC(node)
  for (let round = 1; round <= 5; round += 1) {
    propose(node, 10)
    node.acknowledge('b', 10 + 10 * round)
    node.outWithSessions()
    save(node, 10 + 10 * round)
    node.outWithSessions()
    t.equal(node.status.firstIndex, 11)
  }
  const again = alive(node, 2 * electionTicksMax)
  t.same([...new Set(again.map(({ snapshot }) => snapshot.index))], [10], 'not a newer one')
  node.acknowledge('c', 10)
  const [next] = only(node.outWithSessions(), 'append').filter(({ to }) => to === 'c')
  t.equal(next?.prevIndex, 10)
  t.equal(node.status.firstIndex, 61, 'now it is cut')
})

await t.test(
  'a pin ends with time; the next offer is the latest, and is pinned anew',
  async (t) => {
    const node = leaderOf(10, { pinTicksMax: 500 })
    save(node, 10)
    connectC(node)
    node.outWithSessions()
    propose(node, 10)
    node.acknowledge('b', 20)
    node.outWithSessions()
    save(node, 20)
    node.outWithSessions()
    t.equal(node.status.firstIndex, 11)
    const again = alive(node, 520 + electionTicksMax + 2 * heartbeatTicks)
    t.equal(node.status.firstIndex, 21)
    t.equal(again.at(-1)?.snapshot.index, 20)
    propose(node, 10)
    node.acknowledge('b', 30)
    node.outWithSessions()
    save(node, 30)
    node.outWithSessions()
    t.equal(node.status.firstIndex, 21)
  },
)

await t.test('a transfer that gets on keeps its pin, one that begins anew does not', async (t) => {
  const node = leaderOf(10, { pinTicksMax: 500 })
  save(node, 10)
  connectC(node)
  node.outWithSessions()
  propose(node, 10)
  node.acknowledge('b', 20)
  node.outWithSessions()
  save(node, 20)
  const served = (upTo: number) => {
    node.step({ kind: 'snapshotServed', peer: 'c', index: logIndex(10), bytes: upTo })
  }
  for (const upTo of [100, 200, 300]) {
    alive(node, 400)
    served(upTo)
  }
  alive(node, 400)
  t.equal(node.status.firstIndex, 11)
  served(300)
  alive(node, 200)
  t.equal(node.status.firstIndex, 21)
})

await t.test('a pin ends when it holds too many bytes', async (t) => {
  const node = leaderOf(10, { pinnedBytesMax: 1000 }, 'x'.repeat(100))
  save(node, 10)
  connectC(node)
  propose(node, 20, 'x'.repeat(100))
  node.acknowledge('b', 30)
  node.outWithSessions()
  save(node, 20)
  node.outWithSessions()
  t.equal(node.status.firstIndex, 11, '1,000 bytes are kept for it')
  save(node, 21)
  node.outWithSessions()
  t.equal(node.status.firstIndex, 22)
})

await t.test('the match of a snapshot whose log is gone brings the latest at once', async (t) => {
  const node = leaderOf(10, { pinTicksMax: 50 })
  save(node, 10)
  connectC(node)
  propose(node, 10)
  node.acknowledge('b', 20)
  node.outWithSessions()
  alive(node, 100)
  save(node, 20)
  node.outWithSessions()
  t.equal(node.status.firstIndex, 21)
  node.acknowledge('c', 10)
  const [offer] = offers(node)
  t.equal(offer?.snapshot.index, 20)
  node.acknowledge('c', 20)
  node.outWithSessions()
  t.equal(peerC(node)?.state, 'replicate')
})

await t.test('a dead peer pins nothing', async (t) => {
  const node = steadyLeader({ limits: limits({}) })
  for (let round = 0; round < 5; round += 1) {
    propose(node, 10)
    node.acknowledge('b', node.status.lastIndex)
    node.outWithSessions()
    save(node, node.status.lastIndex)
    node.outWithSessions()
    t.equal(node.status.firstIndex, node.status.lastIndex + 1)
  }
  t.not(peerC(node)?.state, 'snapshot')
})

await t.test('a new session keeps the pin, and takes the same snapshot up again', async (t) => {
  const node = leaderOf(10)
  save(node, 10)
  connectC(node)
  // Each time the link flaps, a newer snapshot is there: the transfer gets on all the same.
  for (let flap = 1; flap <= 3; flap += 1) {
    propose(node, 10)
    node.acknowledge('b', 10 + 10 * flap)
    node.outWithSessions()
    save(node, 10 + 10 * flap)
    const old = node.sessionOf('c')
    const [offer] = only(connectC(node), 'snapshotOffer')
    t.equal(offer?.snapshot.index, 10)
    t.equal(node.status.firstIndex, 11, 'the log behind it is not cut in the same drain either')
    node.acknowledge('c', 10, old)
    t.equal(peerC(node)?.state, 'snapshot', 'the answer of the old session is void')
  }
  node.acknowledge('c', 10)
  const [next] = only(node.outWithSessions(), 'append').filter(({ to }) => to === 'c')
  t.equal(next?.prevIndex, 10)
  t.equal(peerC(node)?.state, 'replicate')
  t.equal(node.status.firstIndex, 41)
})

await t.test('a link that flaps does not hold the log longer than the pin lasts', async (t) => {
  const node = leaderOf(10, { pinTicksMax: 500 })
  save(node, 10)
  connectC(node)
  propose(node, 10)
  node.acknowledge('b', 20)
  node.outWithSessions()
  save(node, 20)
  const offered: number[] = []
  for (let passed = 0; passed <= 600; passed += 100) {
    offered.push(...only(connectC(node), 'snapshotOffer').map(({ snapshot }) => snapshot.index))
    alive(node, 100)
  }
  t.same(offered, [10, 10, 10, 10, 10, 10, 20])
  t.equal(node.status.firstIndex, 21)
})
