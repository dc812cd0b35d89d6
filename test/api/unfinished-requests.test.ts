/** Callers that begin and do not go on: each costs one connection for a while, never memory. */
import { once } from 'node:events'
import type http2 from 'node:http2'
import net from 'node:net'
import t from 'tap'
import { changesMethods } from '../../src/wire/index.js'
import { call, isClosed, refusalIn, session } from './raw-session.js'
import { stage } from './stage.js'

/** Says that a message of 1 MiB follows, and sends the first half of it. */
function half(of: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  const stream = call(of, changesMethods.propose.path).resume()
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(1024 * 1024, 1)
  stream.write(prefix)
  stream.write(Buffer.alloc(512 * 1024))
  return stream
}

const isConnected = async (of: http2.ClientHttp2Session): Promise<void> => {
  await once(of, 'connect')
}

await t.test('a request that does not arrive whole in time ends its connection', async (t) => {
  const on = await stage(t, { size: 1, limits: { requestTimeoutMs: 300 } })
  const slow = session(t, on)
  await isConnected(slow)
  const closed = isClosed(slow)
  half(slow)
  await closed
  t.match(await on.client.status(), { nodeId: 'node-1' })
})

await t.test('the oldest unfinished requests make room, others are served', async (t) => {
  const limits = { unfinishedRequestsMax: 4, requestTimeoutMs: 60_000 }
  const on = await stage(t, { size: 1, limits })
  const greedy = session(t, on)
  const modest = session(t, on)
  await Promise.all([isConnected(greedy), isConnected(modest)])
  const closed = isClosed(greedy)
  for (let count = 0; count < 20; count += 1) half(greedy)
  half(modest)
  await closed
  t.notOk(modest.closed, 'what is within the bound stays')
  t.match(await on.client.status(), { nodeId: 'node-1' })
})

await t.test('a message without its end is unfinished too', async (t) => {
  const on = await stage(t, { size: 1, limits: { requestTimeoutMs: 300 } })
  const slow = session(t, on)
  await isConnected(slow)
  const closed = isClosed(slow)
  const stream = call(slow, changesMethods.propose.path).resume()
  stream.write(Buffer.from([0, 0, 0, 0, 1, 8]))
  await closed
  t.ok(slow.closed)
})

await t.test('streams of requests are bounded in number', async (t) => {
  const on = await stage(t, { size: 1, limits: { requestStreamsPerConnectionMax: 2 } })
  const own = session(t, on)
  const streams = [1, 2].map(() => call(own, changesMethods.proposeStream.path))
  const third = call(own, changesMethods.proposeStream.path)
  const [answer] = (await once(third, 'response')) as [http2.IncomingHttpHeaders]
  t.equal(refusalIn(answer).code, 'BUSY')
  t.match(await on.client.status(), { nodeId: 'node-1' })
  for (const stream of streams) stream.close()
  let isTaken = false
  while (!isTaken) {
    const next = call(own, changesMethods.proposeStream.path)
    isTaken = await Promise.race([
      once(next, 'response').then(() => false),
      on.client.status().then(() => true),
    ])
  }
  t.ok(isTaken, 'one that ends leaves its place')
})

await t.test('streams of requests of all connections together are bounded too', async (t) => {
  const on = await stage(t, { size: 1, limits: { requestStreamsMax: 2 } })
  const path = changesMethods.proposeStream.path
  const taken = [1, 2].map(() => call(session(t, on), path))
  const third = session(t, on)
  // The others may be slower to arrive: only when both are there is a third one too many.
  for (;;) {
    const stream = call(third, path)
    const refused = once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>
    const answer = await Promise.race([refused, on.client.status()])
    stream.close()
    if (!Array.isArray(answer)) continue
    t.equal(refusalIn(answer[0]).code, 'BUSY')
    break
  }
  t.notOk(taken.some(({ closed }) => closed))
})

await t.test('a connection on which no call begins is closed', async (t) => {
  const on = await stage(t, { size: 1, limits: { firstCallMs: 200 } })
  const [host, port] = (on.addresses[0] ?? '').split(':')
  const socket = net.connect(Number(port), host)
  await isClosed(socket.resume())
  t.match(await on.client.status(), { nodeId: 'node-1' })
})

await t.test('silent connections do not keep others out', async (t) => {
  const limits = { connectionsMax: 3, firstCallMs: 60_000 }
  const on = await stage(t, { size: 1, limits })
  const [host, port] = (on.addresses[0] ?? '').split(':')
  const silent: net.Socket[] = []
  for (let count = 0; count < 3; count += 1) {
    const socket = net.connect(Number(port), host).resume()
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    silent.push(socket)
  }
  const [oldest] = silent
  const closed = oldest === undefined ? undefined : isClosed(oldest)
  t.match(await on.client.status(), { nodeId: 'node-1' })
  await closed
  t.same(
    silent.map((socket) => socket.closed),
    [true, false, false],
  )
})
