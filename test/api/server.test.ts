import { once } from 'node:events'
import type http2 from 'node:http2'
import net from 'node:net'
import path from 'node:path'
import { Client, credentials, loadPackageDefinition, status } from '@grpc/grpc-js'
import type { Metadata, ServiceError } from '@grpc/grpc-js'
import protoLoader from '@grpc/proto-loader'
import { protoPath as healthProto } from 'grpc-health-check'
import t from 'tap'
import { startApi } from '../../src/api/index.js'
import {
  bodyBytesMax,
  detachedPartsMax,
  listLimitMax,
  listStatesMax,
  payloadTypeBytesMax,
} from '../../src/api/limits.js'
import { CountersignError, errorCodes, errorTable, refusal } from '../../src/errors.js'
import type { Refusal } from '../../src/errors.js'
import {
  changesMethods,
  configMethods,
  decodeRefusal,
  refusalTrailer,
  statusDetailsTrailer,
  type SignedMessage,
} from '../../src/wire/index.js'
import { google } from '../../src/wire/protobuf.js'
import { repositoryRoot } from '../house/repository.js'
import { FakeCluster } from './fake-cluster.js'
import { call, framed, refusalIn, session } from './raw-session.js'
import { stage } from './stage.js'

const put = (at: string, value: unknown) =>
  ({ action: 'put', path: at, value: value as never }) as const

function rawClient(t: { teardown: (end: () => void) => void }, address = ''): Client {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
  })
  t.teardown(() => {
    client.close()
  })
  return client
}

const same = (bytes: Buffer): Buffer => bytes

/** A call with bytes of our choice; the status and the refusal of its trailer. */
function send(
  client: Client,
  at: string,
  bytes: Uint8Array,
): Promise<{ grpc: number; refused: Refusal | null; reason: string | null; words: string }> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(at, same, same, Buffer.from(bytes), (error: ServiceError | null) => {
      resolve({
        grpc: error?.code ?? 0,
        refused: refusalOf(error?.metadata),
        reason: reasonOf(error),
        words: error?.details ?? '',
      })
    })
  })
}

/** As a tool reads it that knows gRPC only; null unless it fits the status of the call. */
function reasonOf(error: ServiceError | null): string | null {
  const [bytes] = error?.metadata.get(statusDetailsTrailer) ?? []
  if (error === null || !(bytes instanceof Buffer)) return null
  const { code, message, details } = google.rpc.Status.decode(bytes)
  const [any] = details
  if (code !== (error.code as number) || message !== error.details || any === undefined) return null
  if (any.type_url !== 'type.googleapis.com/google.rpc.ErrorInfo') return null
  const { reason, domain } = google.rpc.ErrorInfo.decode(any.value ?? new Uint8Array(0))
  return `${domain}/${reason}`
}

function refusalOf(metadata: Metadata | undefined): Refusal | null {
  const [bytes] = metadata?.get(refusalTrailer) ?? []
  return bytes instanceof Buffer ? decodeRefusal(bytes) : null
}

await t.test('every code crosses as its status, with code, sentence and facts', async (t) => {
  const on = await stage(t, { size: 1 })
  const client = rawClient(t, on.addresses[0])
  const message = await on.propose('alice', [put('/prod/a', 1)])
  const bytes = changesMethods.propose.request.encode(message)
  const noise = new Set(['INTERNAL'])
  for (const code of errorCodes) {
    // A new connection's worth of noise for each: rate limits are tested below.
    on.cluster.first.twists.push(() =>
      Promise.reject(new CountersignError(code, `about ${code}`, { details: { n: 7 } })),
    )
    const { grpc, refused, reason, words } = await send(client, changesMethods.propose.path, bytes)
    t.equal(grpc, status[errorTable[code].grpc], code)
    t.equal(reason, `countersign/${code}`)
    if (noise.has(code)) t.notMatch(words, 'about', 'what nobody foresaw stays inside')
    else t.same(refused, refusal(code, `about ${code}`, { n: 7 }))
  }
})

await t.test('hostile bytes get our code and harm nobody', async (t) => {
  const on = await stage(t, { size: 1 })
  const client = rawClient(t, on.addresses[0])
  const garbage = Buffer.from('ffffffffffffffffff', 'hex')
  for (const method of [...Object.values(changesMethods), ...Object.values(configMethods)]) {
    if (method.requestStream || method.responseStream) continue
    const { refused } = await send(client, method.path, garbage)
    t.equal(refused?.code, 'MALFORMED_REQUEST', method.path)
  }
  const huge = await send(client, changesMethods.propose.path, Buffer.alloc(2 * 1024 * 1024))
  t.equal(huge.grpc, status.RESOURCE_EXHAUSTED, 'not even read')

  const message = await on.propose('alice', [put('/prod/a', 1)])
  const grown = (change: Partial<SignedMessage['envelope']>): Promise<string | undefined> =>
    send(
      client,
      changesMethods.propose.path,
      changesMethods.propose.request.encode({
        ...message,
        envelope: { ...message.envelope, ...change },
      }),
    ).then(({ refused }) => refused?.code)
  t.equal(await grown({ body: new Uint8Array(bodyBytesMax), keyId: 'x' }), 'BODY_INVALID')
  t.equal(await grown({ body: new Uint8Array(bodyBytesMax + 1) }), 'TOO_LARGE')
  t.equal(await grown({ signature: new Uint8Array(63) }), 'BAD_SIGNATURE')
  t.equal(await grown({ keyId: 'x' }), 'BODY_INVALID')
  t.equal(await grown({ type: 'x'.repeat(1000) }), 'BAD_TYPE')
  // Above its limit a type ends the look; at it the next fault is found.
  const body = new Uint8Array(bodyBytesMax + 1)
  t.equal(await grown({ type: 'x'.repeat(payloadTypeBytesMax), body }), 'TOO_LARGE')
  t.equal(await grown({ type: 'x'.repeat(payloadTypeBytesMax + 1), body }), 'BAD_TYPE')
  const withParts = (count: number): Promise<string | undefined> => {
    const detached = Array.from({ length: count }, () => new Uint8Array(1))
    const keyId = 'x'
    const crowd = { detached, envelope: { ...message.envelope, keyId } }
    return send(
      client,
      changesMethods.propose.path,
      changesMethods.propose.request.encode(crowd),
    ).then(({ refused }) => refused?.code)
  }
  t.equal(await withParts(detachedPartsMax), 'BODY_INVALID', 'for its key id')
  t.equal(await withParts(detachedPartsMax + 1), 'TOO_LARGE')
  t.equal(on.cluster.first.received.length, 0, 'the node saw none of it')
  t.match(await on.client.propose(message), { state: 'OPEN' })
})

await t.test('a message through the wrong call is BAD_TYPE', async (t) => {
  const on = await stage(t, { size: 1 })
  const client = rawClient(t, on.addresses[0])
  const message = await on.propose('alice', [put('/prod/a', 1)])
  for (const name of ['decide', 'withdraw', 'activate', 'acknowledge'] as const) {
    const bytes = changesMethods[name].request.encode(message)
    const { refused, grpc } = await send(client, changesMethods[name].path, bytes)
    t.match([refused?.code, grpc], ['BAD_TYPE', status.INVALID_ARGUMENT], name)
  }
  const stamp = { ...message.envelope, type: 'application/vnd.countersign.stamp.v1+json' }
  const bytes = changesMethods.propose.request.encode({ ...message, envelope: stamp })
  t.equal((await send(client, changesMethods.propose.path, bytes)).refused?.code, 'BAD_TYPE')
})

await t.test('fields out of their grammar are named', async (t) => {
  const on = await stage(t, { size: 1 })
  const { client } = on
  for (const bad of ['prod', '/', '/a//b', '/a/../b', `/${'x'.repeat(129)}`, '/é', '']) {
    await t.rejects(client.get(bad), { code: 'INPUT_INVALID', details: { field: 'path' } }, bad)
  }
  await t.rejects(client.list('/a/../'), { code: 'INPUT_INVALID', details: { field: 'prefix' } })
  await t.rejects(client.getChange('XYZ'), {
    code: 'INPUT_INVALID',
    details: { field: 'change_id' },
  })
  await t.rejects(client.listChanges({ author: 'A' }), {
    code: 'INPUT_INVALID',
    details: { field: 'author' },
  })
  await t.rejects(client.listChanges({ states: ['GONE' as never] }), {
    code: 'INPUT_INVALID',
    details: { field: 'states' },
  })
  const openTimes = (count: number) =>
    client.listChanges({ states: Array.from({ length: count }, () => 'OPEN') })
  await t.resolves(openTimes(listStatesMax))
  await t.rejects(openTimes(listStatesMax + 1), {
    code: 'INPUT_INVALID',
    details: { field: 'states' },
  })
  const raw = rawClient(t, on.addresses[0])
  const listed = (limit: number): ReturnType<typeof send> =>
    send(
      raw,
      configMethods.list.path,
      configMethods.list.request.encode({ prefix: '/', local: false, limit, after: '' }),
    )
  t.equal((await listed(listLimitMax)).refused, null)
  t.same((await listed(listLimitMax + 1)).refused?.details, { field: 'limit' })
})

await t.test('noise is slowed down, with the time to wait; others are served', async (t) => {
  const on = await stage(t, {
    size: 1,
    limits: {
      noisePerConnection: { burst: 3, perSecond: 0.001 },
      refusalsPerPerson: { burst: 2, perSecond: 0.001 },
    },
  })
  const noisy = rawClient(t, on.addresses[0])
  const garbage = Buffer.from('ff', 'hex')
  for (let i = 0; i < 3; i += 1) {
    const { refused } = await send(noisy, changesMethods.propose.path, garbage)
    t.equal(refused?.code, 'MALFORMED_REQUEST')
  }
  const { refused, grpc } = await send(noisy, changesMethods.propose.path, garbage)
  t.match(refused, { code: 'RATE_LIMITED', details: { retryAfterMs: Number } })
  t.equal(grpc, status.RESOURCE_EXHAUSTED)
  const message = await on.propose('alice', [put('/prod/a', 1)])
  t.match(await on.client.propose(message), { state: 'OPEN' }, 'another connection is served')

  // Signed by alice herself and refused each time: no path is open there.
  const codes: string[] = []
  for (let i = 0; i < 3; i += 1) {
    const closed = await on.propose('alice', [put(`/closed/${String(i)}`, 1)])
    const fresh = rawClient(t, on.addresses[0])
    const bytes = changesMethods.propose.request.encode(closed)
    const answer = await send(fresh, changesMethods.propose.path, bytes)
    codes.push(answer.refused?.code ?? '')
  }
  t.equal(codes[2], 'RATE_LIMITED')
  t.not(codes[1], 'RATE_LIMITED')
  t.match(await on.client.propose(await on.propose('bob', [put('/prod/b', 1)])), { state: 'OPEN' })
})

await t.test('noise of one address is slowed down on every connection from there', async (t) => {
  const on = await stage(t, {
    size: 1,
    limits: { noisePerAddress: { burst: 3, perSecond: 0.001 } },
  })
  const codes: (string | undefined)[] = []
  for (let i = 0; i < 4; i += 1) {
    const fresh = rawClient(t, on.addresses[0])
    const answer = await send(fresh, changesMethods.propose.path, Buffer.from('ff', 'hex'))
    codes.push(answer.refused?.code)
  }
  const noise = 'MALFORMED_REQUEST'
  t.same(codes, [noise, noise, noise, 'RATE_LIMITED'])
})

await t.test('too many calls at once are BUSY, and room comes back', async (t) => {
  const on = await stage(t, { size: 1, limits: { callsInFlightMax: 2 } })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  const releases: (() => void)[] = []
  const held = (): Promise<never> =>
    new Promise((_resolve, reject) => {
      releases.push(() => {
        reject(new CountersignError('FROZEN', 'held'))
      })
    })
  on.cluster.first.twists.push(held, held)
  const raw = rawClient(t, on.addresses[0])
  const bytes = changesMethods.propose.request.encode(message)
  const calls = [1, 2].map(() => send(raw, changesMethods.propose.path, bytes))
  while (releases.length < 2) await new Promise(setImmediate)
  t.equal((await send(raw, changesMethods.propose.path, bytes)).refused?.code, 'BUSY')
  for (const release of releases) release()
  for (const call of calls) t.equal((await call).refused?.code, 'FROZEN')
  t.equal(on.apis[0]?.counters().callsInFlight, 0)
})

await t.test('a watcher that never reads is cut; memory stays bounded, others go on', async (t) => {
  const bytesMax = 256 * 1024
  const on = await stage(t, {
    size: 1,
    limits: {
      watchQueueBytesMax: bytesMax,
      watchQueueBatchesMax: 8,
      watchStallMs: 200,
      watchProgressMs: 20,
    },
  })
  const { world } = on.cluster
  const quick = on.client.watch({ prefix: '/prod/', afterRevision: 0 })
  t.match(await quick.next(), { value: { kind: 'started', revision: 0 } })
  // An HTTP/2 client that grants no room: nothing of the stream can be delivered.
  const deaf = session(t, on, { initialWindowSize: 0 })
  const stream = call(deaf, configMethods.watch.path)
  stream.end(framed(configMethods.watch.request.encode({ prefix: '/prod/', afterRevision: 0 })))
  while (on.apis[0]?.counters().watches !== 2) await new Promise(setImmediate)

  const revisions: number[] = []
  let mostQueued = 0
  for (let i = 0; i < 40; i += 1) {
    const { changeId } = world.propose({
      by: 'alice',
      set: { '/prod/big': `${String(i)}${'x'.repeat(30_000)}` },
    })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    revisions.push(world.index)
    on.cluster.deliver()
    mostQueued = Math.max(mostQueued, on.apis[0].counters().watchQueueBytes)
  }
  const got: number[] = []
  for await (const event of quick) {
    if (event.kind === 'batch') got.push(event.revision)
    if (got.length === revisions.length) break
  }
  t.same(got, revisions, 'the reader gets everything')
  t.ok(mostQueued > 0 && mostQueued <= 2 * (bytesMax + 40_000), String(mostQueued))
  while (on.apis[0].counters().watches > 0) await new Promise(setImmediate)
  t.equal(on.apis[0].counters().watchQueueBytes, 0, 'nothing is kept for the one that was cut')
  t.equal(on.cluster.watching, 0)

  const trailers = once(stream.resume(), 'trailers') as Promise<[http2.IncomingHttpHeaders]>
  deaf.settings({ initialWindowSize: 1024 * 1024 })
  const [trailer] = await trailers
  t.match(refusalIn(trailer), { code: 'SLOW_WATCHER', details: { stallMs: 200 } })
  t.equal(trailer['grpc-status'], String(status.RESOURCE_EXHAUSTED))
})

await t.test('a node that is not ready serves no watch, and ends those it has', async (t) => {
  const on = await stage(t, { size: 1 })
  const raw = rawClient(t, on.addresses[0])
  const watch = (): Promise<Refusal | null> =>
    new Promise((resolve) => {
      const request = Buffer.from(configMethods.watch.request.encode({ prefix: '/' }))
      const call = raw.makeServerStreamRequest(configMethods.watch.path, same, same, request)
      call.on('error', (error: ServiceError) => {
        resolve(refusalOf(error.metadata))
      })
      call.on('data', () => {
        on.cluster.first.isReady = false
      })
    })
  t.equal((await watch())?.code, 'NODE_STARTING', 'one that stood')
  t.equal((await watch())?.code, 'NODE_STARTING', 'a new one')
})

await t.test('garbage on a stream ends that stream only', async (t) => {
  const on = await stage(t, { size: 1 })
  const raw = rawClient(t, on.addresses[0])
  const call = raw.makeBidiStreamRequest(changesMethods.proposeStream.path, same, same)
  const failed = new Promise<Refusal | null>((resolve) => {
    call.on('error', (error: ServiceError) => {
      resolve(refusalOf(error.metadata))
    })
  })
  call.on('data', () => undefined)
  call.write(Buffer.from('ffff', 'hex'))
  t.equal((await failed)?.code, 'MALFORMED_REQUEST')
  const [host = '', port = ''] = (on.addresses[0] ?? '').split(':')
  const socket = net.connect(Number(port), host)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  // A reset is as good an end as any; what comes back must be read to see the end.
  socket.on('error', () => undefined).resume()
  socket.write(Buffer.alloc(4096, 0x5a))
  await closed
  t.match(await on.client.status(), { nodeId: 'node-1' })
})

await t.test('ProposeStream answers in any order and keeps its window', async (t) => {
  const on = await stage(t, { size: 1, limits: { submitStreamWindow: 2 } })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  const raw = rawClient(t, on.addresses[0])
  const releases: (() => void)[] = []
  for (let i = 0; i < 6; i += 1) {
    on.cluster.first.twists.push(
      () =>
        new Promise((_resolve, reject) => {
          releases.push(() => {
            reject(new CountersignError('FROZEN', 'held'))
          })
        }),
    )
  }
  const call = raw.makeBidiStreamRequest(changesMethods.proposeStream.path, same, same)
  const answered: number[] = []
  call.on('data', (bytes: Buffer) => {
    answered.push(changesMethods.proposeStream.response.decode(bytes).number)
  })
  const ended = new Promise((resolve) => call.once('end', resolve))
  for (let number = 1; number <= 6; number += 1) {
    call.write(Buffer.from(changesMethods.proposeStream.request.encode({ number, message })))
  }
  while (releases.length < 2) await new Promise(setImmediate)
  // A further status call has come back, so what the server wanted to read it has read.
  await on.client.status()
  t.ok(releases.length <= 3, 'the rest waits with the caller')
  releases[1]?.()
  while (answered.length < 1) await new Promise(setImmediate)
  t.same(answered, [2])
  call.end()
  for (let done = 0; answered.length < 6; done += 1) {
    for (const release of releases.splice(0)) release()
    await new Promise(setImmediate)
  }
  await ended
  t.same(
    answered.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6],
  )
})

interface HealthClient extends Client {
  check(
    request: { service: string },
    done: (error: unknown, answer: { status: string }) => void,
  ): void
}

await t.test('health and reflection answer as every gRPC tool expects', async (t) => {
  const on = await stage(t, { size: 1 })
  const [address = ''] = on.addresses
  const definitions = loadPackageDefinition(protoLoader.loadSync(healthProto, { enums: String }))
  const Health = (
    definitions as unknown as {
      grpc: { health: { v1: { Health: new (...given: unknown[]) => HealthClient } } }
    }
  ).grpc.health.v1.Health
  const health = new Health(address, credentials.createInsecure())
  t.teardown(() => {
    health.close()
  })
  const check = (service: string): Promise<string> =>
    new Promise((resolve) => {
      health.check({ service }, (error, answer) => {
        resolve(error === null ? answer.status : String((error as ServiceError).code))
      })
    })
  t.equal(await check(''), 'SERVING')
  t.equal(await check('countersign.v1.Changes'), 'SERVING')
  t.equal(await check('nobody'), String(status.NOT_FOUND))
  on.cluster.first.isReady = false
  while ((await check('')) === 'SERVING') await new Promise(setImmediate)
  t.equal(await check(''), 'NOT_SERVING')

  const proto = path.join(
    repositoryRoot,
    'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
  )
  const reflected = loadPackageDefinition(protoLoader.loadSync(proto)) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: new (...given: unknown[]) => Client } } }
  }
  const reflection = new reflected.grpc.reflection.v1.ServerReflection(
    address,
    credentials.createInsecure(),
  ) as Client & { ServerReflectionInfo(): NodeJS.ReadWriteStream }
  t.teardown(() => {
    reflection.close()
  })
  const call = reflection.ServerReflectionInfo()
  const listed = new Promise<{ listServicesResponse: { service: { name: string }[] } }>(
    (resolve, reject) => {
      call.once('data', resolve)
      call.once('error', reject)
    },
  )
  call.write({ listServices: '' } as never)
  const names = (await listed).listServicesResponse.service.map(({ name }) => name)
  call.end()
  for (const name of ['Changes', 'Config', 'Cluster'])
    t.ok(names.includes(`countersign.v1.${name}`))
})

await t.test('pages stay below their bytes and miss nothing', async (t) => {
  const on = await stage(t, { size: 1, limits: { pageBytesMax: 5_000 } })
  const { world } = on.cluster
  const set: Record<string, string> = {}
  for (let i = 0; i < 20; i += 1) set[`/prod/k${String(i).padStart(2, '0')}`] = 'v'.repeat(1000)
  const { changeId } = world.propose({ by: 'alice', set })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  const before = on.cluster.first.reads
  const { value } = await on.client.list('/prod/')
  t.same(
    value.map(({ path: at }) => at),
    Object.keys(set),
  )
  t.ok(on.cluster.first.reads - before >= 5, 'in several pages')
})

await t.test('stop refuses new work, ends watches and frees the port', async (t) => {
  const on = await stage(t, { size: 1 })
  const raw = rawClient(t, on.addresses[0])
  const request = Buffer.from(configMethods.watch.request.encode({ prefix: '/' }))
  const call = raw.makeServerStreamRequest(configMethods.watch.path, same, same, request)
  const ended = new Promise<Refusal | null>((resolve) => {
    call.on('error', (error: ServiceError) => {
      resolve(refusalOf(error.metadata))
    })
  })
  await new Promise((resolve) => call.once('data', resolve))
  const [address = ''] = on.addresses
  await on.apis[0]?.stop()
  t.equal((await ended)?.code, 'NODE_STOPPING')
  const again = await startApi({ node: on.cluster.first, listen: address, tls: 'plaintext' })
  t.equal(again.address, address)
  await t.rejects(startApi({ node: on.cluster.first, listen: address, tls: 'plaintext' }), {
    code: 'CONFIG_INVALID',
  })
  await again.stop()
})

await t.test('plaintext is for loopback only', async (t) => {
  const node = new FakeCluster().first
  await t.rejects(startApi({ node, listen: '0.0.0.0:0', tls: 'plaintext' }), {
    code: 'CONFIG_INVALID',
  })
  const bad = { certificate: Buffer.from('x'), key: Buffer.from('y') }
  await t.rejects(startApi({ node, listen: '127.0.0.1:0', tls: bad }), { code: 'CONFIG_INVALID' })
})

await t.test('facts that do not fit the headers are left out, never the code', async (t) => {
  const on = await stage(t, { size: 1 })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  on.cluster.first.twists.push(() =>
    Promise.reject(
      new CountersignError('STALE_BASE', `a\u0001 lone \ud800 and ${'long '.repeat(2000)}`, {
        details: { paths: 'x'.repeat(100_000), count: 3 },
      }),
    ),
  )
  await t.rejects(on.client.propose(message), {
    code: 'STALE_BASE',
    details: { truncated: true, count: 3 },
  })
})
