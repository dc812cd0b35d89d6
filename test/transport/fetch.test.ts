import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import { logIndex, term } from '../../src/raft/index.js'
import type { FetchAnswer, SnapshotDescription, Wanted } from '../../src/wire/index.js'
import { fetchesMax, fetchesOfOneMax } from '../../src/transport/limits.js'
import { createPeers } from '../../src/transport/index.js'
import { at, clusterId, eventually, group, patient, Recorder, startPeers } from './nodes.js'

const description: SnapshotDescription = {
  index: logIndex(7),
  term: term(2),
  configuration: { voters: ['node-1'], outgoing: [], learners: ['node-2'], target: ['node-1'] },
  configurationIndex: logIndex(3),
  clusterId,
  chain: 'ab'.repeat(32),
  stateDigest: 'cd'.repeat(32),
  size: 5,
  digest: 'ef'.repeat(32),
}

async function collect(answers: AsyncIterable<FetchAnswer>): Promise<readonly FetchAnswer[]> {
  const all: FetchAnswer[] = []
  for await (const answer of answers) all.push(answer)
  return all
}

async function* of(answers: readonly FetchAnswer[]): AsyncIterable<FetchAnswer> {
  for (const answer of answers) yield await Promise.resolve(answer)
}

await t.test('a snapshot, entries and a holding come as they were given', async (t) => {
  const [first, second] = await group(2)
  if (first === undefined || second === undefined) throw new Error('no options')
  const owner = await startPeers(t, first)
  const asker = await startPeers(t, second)
  const payload = new Uint8Array([1, 2, 3])
  const given: Record<Wanted['kind'], readonly FetchAnswer[]> = {
    snapshot: [
      { kind: 'snapshot', snapshot: description },
      { kind: 'part', part: new Uint8Array([1, 2]) },
      { kind: 'part', part: new Uint8Array([3]) },
    ],
    entries: [
      { kind: 'entry', entry: { index: logIndex(4), term: term(2), kind: 'command', payload } },
      {
        kind: 'entry',
        entry: { index: logIndex(5), term: term(2), kind: 'configuration', payload },
      },
    ],
    holding: [{ kind: 'holding', holding: 'never' }],
  }
  owner.seen.answers = ({ kind }) => of(given[kind])
  const wanted: readonly Wanted[] = [
    { kind: 'snapshot', index: 7, offset: 2 },
    { kind: 'entries', from: logIndex(4), to: logIndex(5) },
    { kind: 'holding', index: logIndex(9), term: term(2) },
  ]
  for (const each of wanted) {
    t.strictSame(await collect(asker.peers.fetch('node-1', each)), given[each.kind], each.kind)
  }
  t.strictSame(
    owner.seen.fetches,
    wanted.map((each) => ({ from: 'node-2', wanted: each })),
  )
})

await t.test('the reader sets the pace, and a reader that leaves ends the source', async (t) => {
  const [first, second] = await group(2)
  if (first === undefined || second === undefined) throw new Error('no options')
  const owner = await startPeers(t, first)
  const asker = await startPeers(t, second)
  let given = 0
  let ended = false
  async function* endless(): AsyncIterable<FetchAnswer> {
    try {
      for (;;) {
        given += 1
        yield await Promise.resolve({ kind: 'part', part: new Uint8Array(256 * 1024) } as const)
      }
    } finally {
      ended = true
    }
  }
  owner.seen.answers = endless
  let read = 0
  for await (const answer of asker.peers.fetch('node-1', {
    kind: 'snapshot',
    index: 0,
    offset: 0,
  })) {
    if (answer.kind === 'part') read += 1
    if (read === 100) break
  }
  await eventually(() => ended)
  t.ok(given < 100 + 200, `${String(given)} parts were made for 100 that were read`)
})

await t.test('a refusal keeps its code: gone, busy, silent', async (t) => {
  const [first, second, ...more] = await group(2 + fetchesMax / fetchesOfOneMax)
  if (first === undefined || second === undefined) throw new Error('no options')
  const owner = await startPeers(t, first)
  const timing = { ...patient, fetchStallMs: 60_000 }
  const asker = await startPeers(t, { ...second, timing })
  const others = await Promise.all(more.map((each) => startPeers(t, { ...each, timing })))
  const wanted: Wanted = { kind: 'snapshot', index: 7, offset: 0 }
  owner.seen.answers = () => {
    throw new CountersignError('FETCH_GONE', 'It is gone.')
  }
  await t.rejects(collect(asker.peers.fetch('node-1', wanted)), {
    code: 'FETCH_GONE',
    message: 'It is gone.',
  })
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  owner.seen.answers = async function* () {
    await held
    yield { kind: 'holding', holding: 'held' }
  }
  const asMuchAsMayBe = ({ peers }: typeof asker) =>
    Array.from({ length: fetchesOfOneMax }, () => collect(peers.fetch('node-1', wanted)))
  const waiting = asMuchAsMayBe(asker)
  await eventually(() => owner.seen.fetches.length === 1 + fetchesOfOneMax)
  const tooMuch = collect(asker.peers.fetch('node-1', wanted))
  await t.rejects(tooMuch, { code: 'BUSY' }, 'one peer leaves room for the others')
  waiting.push(...others.slice(1).flatMap(asMuchAsMayBe))
  await eventually(() => owner.seen.fetches.length === 1 + fetchesMax)
  const oneMore = others.slice(0, 1).map(({ peers }) => collect(peers.fetch('node-1', wanted)))
  await t.rejects(Promise.all(oneMore), { code: 'BUSY' }, 'and all of them have a bound')
  release()
  for (const answers of await Promise.all(waiting)) {
    t.same(answers, [{ kind: 'holding', holding: 'held' }], 'those before are served')
  }
  owner.seen.answers = async function* () {
    await new Promise(() => undefined)
    yield { kind: 'holding', holding: 'held' }
  }
  const hasty = createPeers({ ...second, timing: { fetchStallMs: 100 } })
  await t.rejects(collect(hasty.fetch('node-1', wanted)), { code: 'UNREACHABLE' }, 'silent')
  t.throws(() => asker.peers.fetch('node-9', wanted), { code: 'UNREACHABLE' })
})

await t.test('identity is checked before anything is answered', async (t) => {
  const [first, second] = await group(2)
  if (first === undefined || second === undefined) throw new Error('no options')
  const owner = await startPeers(t, first)
  const wanted: Wanted = { kind: 'entries', from: logIndex(1), to: logIndex(2) }
  const strangers = [
    { ...second, clusterId: 'c2'.repeat(32) },
    { ...second, incarnation: 'ff'.repeat(16) },
    { ...second, nodeId: 'node-1' },
  ]
  for (const stranger of strangers) {
    const peers = createPeers({ ...stranger, peers: [at(second.peers, 0)] })
    t.teardown(() => peers.stop())
    await t.rejects(collect(peers.fetch('node-1', wanted)), { code: 'PEER_REFUSED' })
  }
  t.strictSame(owner.seen.fetches, [], 'nobody was answered')
})

await t.test('a removed node hears of it, and is refused from then on', async (t) => {
  const [first, second, third] = await group(3)
  if (first === undefined || second === undefined || third === undefined) throw new Error('none')
  const timing = { removedGraceMs: 20, backoffMaxMs: 50 }
  const stays = await startPeers(t, { ...first, timing })
  const leaves = await startPeers(t, second)
  await stays.seen.until(() => stays.seen.count('connected node-2') === 1)
  await leaves.seen.until(() => leaves.seen.count('connected node-1') === 1)
  stays.peers.setMembers({
    members: [at(first.peers, 1)],
    removed: ['node-2'],
    anyone: false,
    joins: false,
    ownAddress: null,
  })
  await leaves.seen.until(() => leaves.seen.count('removed by node-1') > 0)
  t.same(
    stays.peers.links().map(({ id }) => id),
    ['node-3'],
  )
  await t.rejects(
    collect(leaves.peers.fetch('node-1', { kind: 'snapshot', index: 0, offset: 0 })),
    { code: 'NODE_REMOVED' },
  )
})

await t.test(
  'a node that is added later is dialled and let in; a joining one asks for no list',
  async (t) => {
    const [first, second] = await group(2)
    if (first === undefined || second === undefined) throw new Error('no options')
    const old = await startPeers(t, { ...first, peers: [] })
    const joining = createPeers({ ...second, peers: [] })
    t.teardown(() => joining.stop())
    joining.setMembers({ members: [], removed: [], anyone: true, joins: true, ownAddress: null })
    const seen = new Recorder()
    await joining.start(seen)
    old.peers.setMembers({
      members: first.peers,
      removed: [],
      anyone: false,
      joins: false,
      ownAddress: null,
    })
    await old.seen.until(() => old.seen.count('connected node-2') === 1)
    joining.setMembers({
      members: second.peers,
      removed: [],
      anyone: false,
      joins: false,
      ownAddress: null,
    })
    await seen.until(() => seen.count('connected node-1') === 1)
    t.pass('streams both ways')
  },
)

await t.test(
  'who lets anybody in hears where a stranger is to be found, if the stranger knows it',
  async (t) => {
    const [first, second] = await group(2)
    if (first === undefined || second === undefined) throw new Error('no options')
    const lost = await startPeers(t, { ...first, peers: [] })
    const nobody = { members: [], removed: [], joins: false, ownAddress: null }
    lost.peers.setMembers({ ...nobody, anyone: true })
    const leads = createPeers(second)
    t.teardown(() => leads.stop())
    const knows = { ...nobody, members: second.peers, anyone: false }
    leads.setMembers(knows)
    const seen = new Recorder()
    await leads.start(seen)
    await seen.until(() => seen.count('connected node-1') === 1)
    t.same(lost.seen.happened, [], 'it did not say where')

    lost.peers.setMembers({ ...nobody, anyone: false })
    await seen.until(() => seen.happened.some((one) => one === 'disconnected node-1'))
    leads.setMembers({ ...knows, ownAddress: second.listen })
    lost.peers.setMembers({ ...nobody, anyone: true })
    const word = `introduced node-2 at ${second.listen} as ${second.incarnation}`
    await lost.seen.until(() => lost.seen.count(word) === 1)
    t.pass(word)
  },
)
