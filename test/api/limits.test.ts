/** Limits that show only on the wire: of a connection, and of what all watches hold together. */
import { once } from 'node:events'
import { Client, credentials } from '@grpc/grpc-js'
import t from 'tap'
import { clusterMethods, configMethods } from '../../src/wire/index.js'
import { call, framed, isClosed, session } from './raw-session.js'
import { stage } from './stage.js'

const watchAll = configMethods.watch.request.encode({ prefix: '/prod/', afterRevision: 0 })

await t.test('a call above those of its connection waits until one ends', async (t) => {
  const on = await stage(t, { size: 1, limits: { streamsPerConnectionMax: 2 } })
  const own = new Client(on.addresses[0] ?? '', credentials.createInsecure())
  t.teardown(() => {
    own.close()
  })
  const same = (bytes: Buffer): Buffer => bytes
  const watches = [1, 2].map(() =>
    own
      .makeServerStreamRequest(configMethods.watch.path, same, same, Buffer.from(watchAll))
      .on('error', () => undefined),
  )
  for (const watch of watches) await once(watch, 'data')
  let isAnswered = false
  const request = Buffer.from(clusterMethods.status.request.encode({}))
  const third = new Promise<void>((resolve) => {
    own.makeUnaryRequest(clusterMethods.status.path, same, same, request, () => {
      isAnswered = true
      resolve()
    })
  })
  for (let i = 0; i < 5; i += 1) t.match(await on.client.status(), { nodeId: 'node-1' })
  t.notOk(isAnswered, 'others are served meanwhile')
  watches[0]?.cancel()
  await third
  t.ok(isAnswered)
})

await t.test('an old connection is asked to go, and closed when it stays', async (t) => {
  const limits = { connectionAgeMs: 200, connectionAgeGraceMs: 200 }
  const on = await stage(t, { size: 1, limits })
  const old = session(t, on)
  const asked = once(old, 'goaway')
  const closed = isClosed(old)
  const watch = call(old, configMethods.watch.path).resume()
  watch.end(framed(watchAll))
  await once(watch, 'response')
  const [code] = (await asked) as [number]
  t.equal(code, 0, 'nothing is wrong with it')
  t.notOk(old.destroyed, 'a call that runs has its grace')
  await closed
  t.match(await on.client.status(), { nodeId: 'node-1' })
})

await t.test('what all watches hold together is bounded, and nothing is lost', async (t) => {
  const bytesMax = 100_000
  const on = await stage(t, {
    size: 1,
    limits: { watchQueuesBytesMax: bytesMax, watchStallMs: 60_000 },
  })
  const { world } = on.cluster
  const deaf = session(t, on, { initialWindowSize: 0 })
  const got = [0, 0, 0]
  for (const index of got.keys()) {
    const watch = call(deaf, configMethods.watch.path)
    watch.on('data', (bytes: Buffer) => (got[index] = (got[index] ?? 0) + bytes.length))
    watch.end(framed(watchAll))
  }
  while (on.apis[0]?.counters().watches !== got.length) await new Promise(setImmediate)
  let mostQueued = 0
  const changes = 10
  const valueBytes = 30_000
  for (let i = 0; i < changes; i += 1) {
    const value = `${String(i)}${'x'.repeat(valueBytes)}`
    const { changeId } = world.propose({ by: 'alice', set: { '/prod/big': value } })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    on.cluster.deliver()
    await new Promise(setImmediate)
    mostQueued = Math.max(mostQueued, on.apis[0].counters().watchQueueBytes)
  }
  // Each watch may always hold one batch, or it could never go on.
  const batchBytes = valueBytes + 2_000
  t.ok(mostQueued >= bytesMax, `${String(mostQueued)} were held`)
  t.ok(mostQueued <= bytesMax + got.length * batchBytes, `${String(mostQueued)} were held`)
  deaf.settings({ initialWindowSize: 1024 * 1024 })
  while (got.some((bytes) => bytes < changes * valueBytes)) await new Promise(setImmediate)
  t.equal(on.apis[0].counters().watchQueueBytes, 0)
})
