import t from 'tap'
import { certificateNames, identifyPeer } from '../../src/transport/hello.js'
import type { KnownPeer, PeersOptions } from '../../src/transport/index.js'
import type { Hello } from '../../src/wire/index.js'

const second: KnownPeer = { id: 'node-2', address: 'b:1', incarnation: 'two' }
const third: KnownPeer = { id: 'node-3', address: 'c:1', incarnation: 'three' }
const options: PeersOptions = {
  clusterId: 'cluster',
  nodeId: 'node-1',
  incarnation: 'one',
  featureLevelMax: 1,
  clientAddress: 'a:2',
  listen: 'a:1',
  peers: [second, third],
  tls: { ca: '', certificate: '', key: '' },
  electionTimeoutMs: 1000,
  random: () => 0.5,
}
const hello: Hello = {
  clusterId: 'cluster',
  nodeId: 'node-2',
  incarnation: 'two',
  protocolMin: 1,
  protocolMax: 1,
  featureLevelMax: 1,
  clientAddress: 'b:2',
  peerAddress: 'b:1',
}
const names = ['node-2.node', 'b']

await t.test('a known peer, dialled or not', (t) => {
  const claimed = { hello, certificateNames: names }
  t.strictSame(identifyPeer(options, null, claimed), { kind: 'peer', peer: second })
  t.strictSame(identifyPeer(options, second, claimed), { kind: 'peer', peer: second })
  const later = { hello: { ...hello, protocolMax: 9 }, certificateNames: names }
  t.match(identifyPeer(options, null, later), { kind: 'peer' }, 'ranges that overlap agree')
  t.end()
})

await t.test('each field that may not fit is named, with both sides', (t) => {
  const rows: [string, KnownPeer | null, Partial<Hello>, readonly string[], object][] = [
    ['cluster', null, { clusterId: 'x' }, names, { field: 'clusterId', ours: 'cluster' }],
    ['unknown node', null, { nodeId: 'node-9' }, names, { field: 'nodeId', theirs: 'node-9' }],
    ['another than was dialled', third, {}, names, { field: 'nodeId', ours: 'node-3' }],
    ['this very node', null, { nodeId: 'node-1' }, names, { field: 'nodeId' }],
    ['another name', null, {}, ['node-3.node'], { field: 'certificate', theirs: 'node-3.node' }],
    ['no name', null, {}, [], { field: 'certificate', ours: 'node-2.node' }],
    ['incarnation', null, { incarnation: 'x' }, names, { field: 'incarnation', ours: 'two' }],
    ['a newer protocol', null, { protocolMin: 2, protocolMax: 3 }, names, { theirs: '2-3' }],
    ['an older protocol', null, { protocolMin: 0, protocolMax: 0 }, names, { ours: '1-1' }],
  ]
  for (const [name, expected, change, certificateNames, details] of rows) {
    const claimed = { hello: { ...hello, ...change }, certificateNames }
    const refused = identifyPeer(options, expected, claimed)
    t.match(refused, { kind: 'refused', error: { code: 'PEER_REFUSED', details } }, name)
  }
  t.end()
})

await t.test('what a stranger says is shown short and printable', (t) => {
  const claimed = {
    hello: { ...hello, clusterId: '\u001b[31m\n' + 'x'.repeat(400) },
    certificateNames: names,
  }
  const refused = identifyPeer(options, null, claimed)
  if (refused.kind !== 'refused') throw new Error('expected a refusal')
  t.match(refused.error.message, /^The peer was refused: clusterId is "\?\[31m\?x{94}", here/)
  t.end()
})

await t.test('names of a certificate', (t) => {
  const rows: [string | undefined, readonly string[]][] = [
    [undefined, []],
    ['', []],
    ['DNS:node-1.node, DNS:localhost, IP Address:127.0.0.1', ['node-1.node', 'localhost']],
    // Node quotes a name that holds a comma: it must not yield the name inside it.
    ['DNS:"evil, DNS:node-1.node"', []],
    ['URI:DNS:node-1.node', []],
  ]
  for (const [text, expected] of rows) t.strictSame(certificateNames(text), expected, text ?? '-')
  t.end()
})
