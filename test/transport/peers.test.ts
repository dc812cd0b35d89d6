import t from 'tap'
import type { PeerLink } from '../../src/node/ports.js'
import { createPeers, type PeersOptions } from '../../src/transport/index.js'
import {
  appendOf,
  at,
  eventually,
  group,
  heartbeat,
  newAuthority,
  patient,
  Recorder,
  startPeers,
  tlsOf,
} from './nodes.js'

async function pairOf(): Promise<[PeersOptions, PeersOptions]> {
  const [first, second] = await group(2)
  if (first === undefined || second === undefined) throw new Error('two were asked for')
  return [first, second]
}

await t.test('three nodes talk, each direction in order', async (t) => {
  const options = await group(3)
  const nodes = await Promise.all(options.map((own) => startPeers(t, own)))
  for (const [number, node] of nodes.entries()) {
    const others = at(options, number).peers.map((peer) => peer.id)
    await node.seen.until(() => others.every((id) => node.seen.hellos.has(id)))
  }
  const rounds = 200
  for (let round = 1; round <= rounds; round += 1) {
    for (const own of options) {
      for (const peer of own.peers) {
        const node = at(nodes, options.indexOf(own))
        node.peers.send(peer.id, [appendOf(own.nodeId, peer.id, round, new Uint8Array(9))])
      }
    }
  }
  for (const [number, node] of nodes.entries()) {
    await node.seen.until(() => node.seen.received.length === 2 * rounds)
    for (const peer of at(options, number).peers) {
      const previous = node.seen.received
        .filter((message) => message.from === peer.id)
        .map((message) => (message.kind === 'append' ? message.prevIndex : -1))
      t.strictSame(
        previous,
        Array.from({ length: rounds }, (_, index) => index),
      )
    }
  }
})

await t.test('a drain is one frame; what it says and who says it arrive whole', async (t) => {
  const [first, second] = await pairOf()
  const a = await startPeers(t, first)
  const b = await startPeers(t, second)
  await a.seen.until(() => a.seen.hellos.has('node-2'))
  t.strictSame(a.seen.hellos.get('node-2'), {
    clusterId: second.clusterId,
    nodeId: 'node-2',
    incarnation: second.incarnation,
    protocolMin: 1,
    protocolMax: 1,
    featureLevelMax: 1,
    clientAddress: second.clientAddress,
    peerAddress: '',
  })
  const drain = [
    appendOf('node-1', 'node-2', 1, new Uint8Array([1, 2, 3])),
    appendOf('node-1', 'node-2', 2, new Uint8Array(0)),
    heartbeat('node-1', 'node-2', 9),
  ]
  a.peers.send('node-2', drain)
  await b.seen.until(() => b.seen.received.length === 3)
  t.strictSame(b.seen.received, drain)
  t.strictSame(b.seen.drains, [3])

  a.peers.requestStamp('node-2', { id: 5, lastIndex: 70 })
  await b.seen.until(() => b.seen.stampRequests.length === 1)
  t.strictSame(b.seen.stampRequests, [{ from: 'node-1', id: 5, lastIndex: 70 }])
  const envelope = {
    type: 'application/vnd.countersign.stamp.v1+json',
    body: new Uint8Array([123, 125]),
    signature: new Uint8Array(64),
    keyId: 'ab'.repeat(32),
  }
  await b.seen.until(() => b.seen.hellos.has('node-1'))
  b.peers.sendStamp('node-1', { id: 5, envelope })
  await a.seen.until(() => a.seen.stamps.length === 1)
  t.strictSame(a.seen.stamps, [{ from: 'node-2', id: 5, envelope }])

  const link = at(a.peers.links(), 0)
  t.match(link, { id: 'node-2', address: second.listen, connected: true, lastError: null })
  t.match(link.hello, { clientAddress: second.clientAddress })
})

await t.test('a drain larger than a message of gRPC is cut, and stays in order', async (t) => {
  const [first, second] = await pairOf()
  const a = await startPeers(t, first)
  const b = await startPeers(t, second)
  await a.seen.until(() => a.seen.hellos.has('node-2'))
  const mebibyte = new Uint8Array(1024 * 1024).fill(7)
  const drain = Array.from({ length: 7 }, (_, index) =>
    appendOf('node-1', 'node-2', index + 1, mebibyte),
  )
  a.peers.send('node-2', drain)
  await b.seen.until(() => b.seen.received.length === drain.length)
  t.strictSame(
    b.seen.received.map((message) => (message.kind === 'append' ? message.prevIndex : -1)),
    [0, 1, 2, 3, 4, 5, 6],
  )
  t.equal(a.seen.count('disconnected node-2'), 0)
})

await t.test('a node that comes back gets a new stream, and messages flow again', async (t) => {
  const [first, second] = await pairOf()
  const a = await startPeers(t, first)
  const old = createPeers(second)
  await old.start(new Recorder())
  await a.seen.until(() => a.seen.hellos.has('node-2'))
  await old.stop()
  await a.seen.until(() => a.seen.happened.at(-1) === 'refused node-2')
  const since = a.seen.happened.slice(a.seen.happened.indexOf('connected node-2'))
  t.strictSame(
    since.slice(0, 3),
    ['connected node-2', 'disconnected node-2', 'refused node-2'],
    'the loss is told before the refusal',
  )
  t.match(at(a.peers.links(), 0), { connected: false, lastError: /refuses connections/ })
  t.doesNotThrow(() => {
    a.peers.send('node-2', [heartbeat('node-1', 'node-2', 1)])
  }, 'what is sent meanwhile is dropped')

  const b = await startPeers(t, second)
  await a.seen.until(() => a.seen.count('connected node-2') === 2)
  a.peers.send('node-2', [heartbeat('node-1', 'node-2', 2)])
  await b.seen.until(() => b.seen.received.length === 1)
  t.match(b.seen.received, [{ readToken: 2 }])
})

await t.test(
  'who is not the peer that it should be is refused, with field and sides',
  async (t) => {
    const [first, second] = await pairOf()
    const third = at(await group(3), 2)
    const foreign = await tlsOf(await newAuthority('foreign'), 'node-2')
    const rows: [string, Partial<PeersOptions>, RegExp][] = [
      ['another cluster', { clusterId: 'dd'.repeat(32) }, /clusterId is "dddd.*here it is "c1c1/],
      [
        'another incarnation, as after a wiped disk',
        { incarnation: 'f'.repeat(32) },
        /incarnation is "ffff.*here it is "2222/,
      ],
      ['an unknown id', { nodeId: third.nodeId }, /nodeId is "node-3", here it is "node-2"/],
      [
        'the certificate of another node',
        { tls: first.tls },
        /certificate is "node-1.node", here it is "node-2.node"/,
      ],
      ['a certificate of another authority', { tls: foreign }, /./],
    ]
    for (const [name, change, sentence] of rows) {
      await t.test(name, async (t) => {
        const a = await startPeers(t, first)
        const b = await startPeers(t, { ...second, ...change })
        const bLink = (): PeerLink => at(b.peers.links(), 0)
        await eventually(
          () => bLink().lastError !== null && at(a.peers.links(), 0).lastError !== null,
        )
        t.match(bLink(), { connected: false, lastError: sentence })
        t.match(at(a.peers.links(), 0), { connected: false })
        t.strictSame(b.seen.count('connected node-1'), 0)
        t.strictSame(a.seen.count('connected node-2'), 0)
        const refusedByTls = 'tls' in change && change.tls === foreign
        t.equal(a.peers.counters().hellosRefused > 0, !refusedByTls)
      })
    }

    await t.test('a server that is another node than the one that was dialled', async (t) => {
      const impostor = { nodeId: first.nodeId, tls: first.tls, incarnation: first.incarnation }
      const b = await startPeers(t, { ...second, ...impostor, peers: [] })
      const a = await startPeers(t, first)
      await eventually(() => at(a.peers.links(), 0).lastError !== null)
      t.match(at(a.peers.links(), 0), { connected: false, lastError: /node-2\.node/ })
      t.equal(b.peers.counters().hellosRefused, 0, 'TLS refuses before any Hello')
    })
  },
)

await t.test('that a peer was removed is no word of our own removal', async (t) => {
  const [first, second] = await pairOf()
  const a = await startPeers(t, { ...first, timing: { ...patient, removedGraceMs: 60_000 } })
  a.peers.setMembers({
    members: [],
    removed: ['node-2'],
    anyone: false,
    joins: false,
    ownAddress: null,
  })
  await startPeers(t, second)
  const link = (): PeerLink => at(a.peers.links(), 0)
  await eventually(() => link().lastError?.includes('removed') === true)
  t.match(link().lastError, /"node-2" was removed/)
  t.equal(a.seen.count('removed by node-2'), 0)
})

await t.test('an address or a key that cannot be used is a configuration error', async (t) => {
  const [first] = await pairOf()
  const start = (options: PeersOptions): Promise<void> => createPeers(options).start(new Recorder())
  const wrong = { code: 'CONFIG_INVALID' }
  await t.rejects(start({ ...first, listen: 'nowhere' }), wrong)
  await t.rejects(start({ ...first, listen: '192.0.2.1:7100' }), wrong, 'not an own address')
  await t.rejects(start({ ...first, tls: { ...first.tls, key: 'no key' } }), wrong)
  const peer = { ...at(first.peers, 0), address: 'node-2' }
  await t.rejects(start({ ...first, peers: [peer] }), wrong)
})
