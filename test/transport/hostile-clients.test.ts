import { once } from 'node:events'
import net from 'node:net'
import { Client, credentials, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import type { PeersOptions, TransportTiming } from '../../src/transport/index.js'
import { exchange, encodeFrame, type Frame, messageBytesMax } from '../../src/wire/index.js'
import { at, eventually, group, heartbeat, patient, startPeers, type Started } from './nodes.js'

/** Long enough for a busy machine to say Hello; what never says it is waited for. */
const timing = { ...patient, helloTimeoutMs: 3000 }

interface Scene extends Started {
  readonly own: PeersOptions
  /** A node whose key and certificate the hostile client has. */
  readonly stolen: PeersOptions
}

async function scene(t: Test, slower: Partial<TransportTiming> = {}): Promise<Scene> {
  const options = await group(2)
  const own = { ...at(options, 0), timing: { ...timing, ...slower } }
  return { ...(await startPeers(t, own)), own, stolen: at(options, 1) }
}

function connect(t: Test, own: PeersOptions): net.Socket {
  const [host, port] = own.listen.split(':')
  const socket = net.connect({ host, port: Number(port) })
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  return socket
}

type Stream = ClientDuplexStream<Uint8Array, Uint8Array>

function openStream(t: Test, { own, stolen }: Scene): Stream {
  const { ca, certificate, key } = stolen.tls
  const client = new Client(
    own.listen,
    credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
    {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.ssl_target_name_override': `${own.nodeId}.node`,
      'grpc.max_send_message_length': -1,
    },
  )
  t.teardown(() => {
    client.close()
  })
  const stream: Stream = client.makeBidiStreamRequest(
    exchange.path,
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
  )
  stream.on('error', () => undefined)
  return stream
}

function helloOf(stolen: PeersOptions): Frame {
  return {
    kind: 'hello',
    hello: { ...stolen, protocolMin: 1, protocolMax: 1, featureLevelMax: 1, peerAddress: '' },
  }
}

async function failure(stream: Stream): Promise<ServiceError> {
  stream.resume()
  const [error] = (await once(stream, 'error')) as [ServiceError]
  return error
}

/** The node still takes its real peer. */
async function stillServes(t: Test, { seen, peers, stolen }: Scene): Promise<void> {
  const real = await startPeers(t, stolen)
  await real.seen.until(() => real.seen.hellos.size === 1)
  real.peers.send('node-1', [heartbeat('node-2', 'node-1', 77)])
  await seen.until(() => seen.received.length > 0)
  t.match(seen.received, [{ readToken: 77 }])
  t.equal(seen.received.length, 1, 'and heard nothing of what the other said')
  t.ok(peers.listeningPort() > 0)
}

await t.test('bytes that are no TLS', async (t) => {
  const s = await scene(t)
  const socket = connect(t, s.own)
  socket.write('GET / HTTP/1.1\r\nHost: node\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  await stillServes(t, s)
})

await t.test('a client that connects and says nothing', async (t) => {
  const s = await scene(t)
  const socket = connect(t, s.own)
  socket.resume()
  await once(socket, 'close')
  t.equal(s.peers.counters().strangersCut, 1)
  await stillServes(t, s)
})

await t.test('more silent clients than the door has room for: the oldest goes first', async (t) => {
  const s = await scene(t, { helloTimeoutMs: 60_000 })
  const sockets: net.Socket[] = []
  for (let count = 0; count < 66; count += 1) {
    const socket = connect(t, s.own).resume()
    await once(socket, 'connect')
    sockets.push(socket)
  }
  await eventually(() => sockets.slice(0, 2).every((socket) => socket.closed))
  t.strictSame(
    sockets.filter((socket) => socket.closed),
    sockets.slice(0, 2),
  )
  await stillServes(t, s)
})

await t.test('a client that finishes TLS and never says Hello', async (t) => {
  const s = await scene(t)
  const error = await failure(openStream(t, s))
  t.match(error, { code: 14 })
  t.equal(s.peers.counters().strangersCut, 1)
  await stillServes(t, s)
})

const bad: [string, (scene: Scene) => Uint8Array[], RegExp][] = [
  ['a first frame that is no frame', () => [new Uint8Array([255, 255, 255])], /cannot be decoded/],
  [
    'messages before Hello',
    () => [encodeFrame({ kind: 'messages', messages: [heartbeat('node-2', 'node-1', 1)] })],
    /first frame is not a Hello/,
  ],
  [
    'an undecodable frame after Hello',
    ({ stolen }) => [encodeFrame(helloOf(stolen)), new Uint8Array([18, 5, 1])],
    /cannot be decoded/,
  ],
  [
    'a message in the name of another node',
    ({ stolen }) => [
      encodeFrame(helloOf(stolen)),
      encodeFrame({ kind: 'messages', messages: [heartbeat('node-3', 'node-1', 1)] }),
    ],
    /another sender/,
  ],
  [
    'a message to another node',
    ({ stolen }) => [
      encodeFrame(helloOf(stolen)),
      encodeFrame({ kind: 'messages', messages: [heartbeat('node-2', 'node-3', 1)] }),
    ],
    /another sender or receiver/,
  ],
  [
    'a second Hello',
    ({ stolen }) => [encodeFrame(helloOf(stolen)), encodeFrame(helloOf(stolen))],
    /second Hello/,
  ],
]

for (const [name, frames, sentence] of bad) {
  await t.test(`${name}: the stream is closed with a sentence, and counted`, async (t) => {
    const s = await scene(t)
    const stream = openStream(t, s)
    for (const frame of frames(s)) stream.write(frame)
    t.match(await failure(stream), { code: 3, details: sentence })
    t.match(s.peers.counters(), { framesRefused: 1, hellosRefused: 0 })
    await stillServes(t, s)
  })
}

await t.test('a frame larger than the limit', async (t) => {
  const s = await scene(t)
  const stream = openStream(t, s)
  stream.write(encodeFrame(helloOf(s.stolen)))
  stream.write(new Uint8Array(messageBytesMax + 1))
  t.match(await failure(stream), { code: 8 })
  await stillServes(t, s)
})

await t.test('a method that does not exist', async (t) => {
  const s = await scene(t)
  const { ca, certificate, key } = s.stolen.tls
  const client = new Client(
    s.own.listen,
    credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
    { 'grpc.ssl_target_name_override': `${s.own.nodeId}.node` },
  )
  t.teardown(() => {
    client.close()
  })
  const answer = new Promise((resolve) => {
    const same = (bytes: Buffer): Buffer => bytes
    client.makeUnaryRequest('/x.Y/Z', same, same, Buffer.alloc(0), (error) => {
      resolve(error)
    })
  })
  t.match(await answer, { code: 12 })
})

await t.test('a stream that another stream of the same node replaces', async (t) => {
  const s = await scene(t)
  const first = openStream(t, s)
  first.write(encodeFrame(helloOf(s.stolen)))
  await once(first, 'data')
  const second = openStream(t, s)
  second.write(encodeFrame(helloOf(s.stolen)))
  t.match(await failure(first), { details: /newer stream/ })
  second.write(encodeFrame({ kind: 'messages', messages: [heartbeat('node-2', 'node-1', 5)] }))
  await s.seen.until(() => s.seen.received.length === 1)
  t.match(s.seen.received, [{ readToken: 5 }])
  t.match(s.peers.counters(), { framesRefused: 0, hellosRefused: 0 })
  await eventually(() => s.peers.links()[0]?.hello !== null)
})
