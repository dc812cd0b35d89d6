/** A missing sync shows: what was not synced is gone with the power, and what was is there. */
import { join } from 'node:path'
import t from 'tap'
import { systemDisk } from '../../src/storage/disk.js'
import { PowerCutLevel } from '../../src/storage/power-cut-level.js'

const key = (name: string): Buffer => Buffer.from(name)
const put = (name: string, value: string) =>
  ({ type: 'put', key: Buffer.from(name), value: Buffer.from(value) }) as const

async function valuesIn(path: string): Promise<string> {
  const db = await systemDisk.openLevel(path, { createIfMissing: false })
  let values = ''
  for await (const [, value] of db.iterator()) values += value.toString()
  await db.close()
  return values
}

async function openIn(path: string): Promise<PowerCutLevel> {
  return new PowerCutLevel(await systemDisk.openLevel(path, { createIfMissing: true }))
}

await t.test('batches since the last sync are lost, and were seen until then', async (t) => {
  const path = join(t.testdir(), 'store')
  const store = await openIn(path)
  await store.db.batch([put('a', '1'), put('b', '2')], { sync: true })
  await store.db.batch([put('c', '3'), { type: 'del', key: key('a') }])
  t.equal((await store.db.get(key('c'))).toString(), '3')
  t.equal(await store.db.get(key('a')), undefined)
  await store.cut(() => 0)
  await store.db.close()
  t.equal(await valuesIn(path), '12')
})

await t.test('a later sync takes them along, and a clean end as well', async (t) => {
  for (const isSynced of [true, false]) {
    const path = join(t.testdir(), 'store')
    const store = await openIn(path)
    await store.db.batch([put('a', '1')])
    await store.db.batch([put('b', '2')], { sync: isSynced })
    if (isSynced) await store.cut(() => 0)
    await store.db.close()
    t.equal(await valuesIn(path), '12')
  }
})

await t.test('some may survive, each whole, and not only the first ones', async (t) => {
  const path = join(t.testdir(), 'store')
  const store = await openIn(path)
  for (const name of ['a', 'b', 'c']) await store.db.batch([put(name, name)])
  const survives = [0, 0.5, 1]
  await store.cut(() => survives.shift() ?? 0)
  await store.db.close()
  t.equal(await valuesIn(path), 'c')
})

await t.test('memory stays bounded, and reading it all settles what waits', async (t) => {
  const path = join(t.testdir(), 'store')
  const store = await openIn(path)
  for (let at = 100; at < 200; at += 1) await store.db.batch([put(String(at), '.')])
  await store.cut(() => 0)
  let left = 0
  for await (const [,] of store.db.iterator()) left += 1
  t.equal(left, 36)
  await store.db.batch([put('last', '.')])
  for await (const [,] of store.db.iterator()) left += 1
  await store.cut(() => 0)
  await store.db.close()
  t.equal((await valuesIn(path)).length, 37)
})
