import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { logIndex, type LogIndex } from '../../src/raft/index.js'
import type { VerifiableLog } from '../../src/storage/index.js'
import { batch, entry, saveSnapshot } from '../contract/log-store.js'
import { closeAll, fileIn, foundWithTable, openAt, sizeOf, writtenEntries } from './data.js'

async function verifyAll(log: VerifiableLog, entriesMax: number): Promise<number> {
  let portions = 0
  for (let next: LogIndex | null = logIndex(1); next !== null; portions += 1) {
    next = await log.verify(next, entriesMax)
  }
  return portions
}

await t.test(
  'a sound log is read to its end, portion by portion, from where it was cut',
  async (t) => {
    const directory = join(t.testdir(), 'data')
    await foundWithTable(directory)
    const stores = await openAt(directory)
    const { logStore, snapshots } = stores
    t.equal(await verifyAll(logStore, 50), 3, '120 entries')
    await logStore.write(batch({ term: 3, vote: 'node-2', commit: 80 }))
    const chain = (await logStore.chainAt(logIndex(60))) ?? ''
    await saveSnapshot(snapshots, { index: 60, term: 3, chain })
    await logStore.write(batch({ purgeTo: 40 }))
    t.equal(await logStore.verify(logIndex(1), 30), 71)
    t.equal(await verifyAll(logStore, 50), 2, '80 entries')
    await closeAll(stores)
    t.equal(await logStore.verify(logIndex(1), 30), null, 'nothing is read of a closed store')
  },
)

await t.test('what rots while the store is open is found', async (t) => {
  const directory = join(t.testdir(), 'data')
  await foundWithTable(directory)
  const stores = await openAt(directory)
  t.teardown(() => closeAll(stores))
  const table = await fileIn(directory, 'raft', /\.ldb$/)
  const handle = await open(table, 'r+')
  const at = Math.floor((await sizeOf(table)) / 2)
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  byte[0] = (byte[0] ?? 0) ^ 0x10
  await handle.write(byte, 0, 1, at)
  await handle.close()
  await t.rejects(verifyAll(stores.logStore, 16), { code: 'STORE_DAMAGED' })
})

await t.test('a log that is cut while it is read is no damaged one', async (t) => {
  const directory = join(t.testdir(), 'data')
  await foundWithTable(directory)
  const stores = await openAt(directory)
  t.teardown(() => closeAll(stores))
  const { logStore } = stores
  const last = writtenEntries.length
  const state = { isWriting: true }
  const writing = (async () => {
    for (let round = 0; round < 20; round += 1) {
      const entries = [last - 1, last].map((index) => entry(index, 3, `round ${String(round)}`))
      await logStore.write(batch({ truncateAfter: last - 2, entries }))
    }
    state.isWriting = false
  })()
  let looks = 0
  while (state.isWriting) {
    const next = await logStore.verify(logIndex(last - 10), 64)
    t.ok(next === null || next <= last)
    looks += 1
  }
  await writing
  t.ok(looks > 0)
  t.equal(await logStore.verify(logIndex(last - 10), 64), null)
})
