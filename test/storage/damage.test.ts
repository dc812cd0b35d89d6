/**
 * One change to one file of a closed store, then a start: it is refused, or everything that was
 * acknowledged is there. Never a start on less. (Kinds of damage: reliability of LevelDB was
 * measured; it opens without an error on most of them.)
 */
import { copyFile, cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CountersignError } from '../../src/errors.js'
import { batch, entry } from '../contract/log-store.js'
import {
  closeAll,
  copyOf,
  cutTo,
  fileIn,
  flipBit,
  foundWithLog,
  foundWithTable,
  isWhole,
  openAt,
  sizeOf,
  zero,
} from './data.js'

const base = t.testdir()
const withLog = join(base, 'log')
const withTable = join(base, 'table')
await foundWithLog(withLog)
await foundWithTable(withTable)

let copies = 0

type Outcome = 'refused' | 'whole'

/** Hurts a copy and starts on it. Anything but a refusal that names the file, or all data, fails. */
async function outcomeOf(
  t: Test,
  original: string,
  hurt: (directory: string) => Promise<void>,
): Promise<Outcome> {
  copies += 1
  const directory = await copyOf(original, String(copies))
  await hurt(directory)
  try {
    const { logStore, stateStore, recovered } = await openAt(directory)
    await logStore.close()
    await stateStore.close()
    t.ok(isWhole(recovered), 'what opens has everything')
    return 'whole'
  } catch (thrown) {
    t.type(thrown, CountersignError)
    const { code, message, details } = thrown as CountersignError
    t.match(code, /^(STORE_DAMAGED|GUARD_LOST)$/, message)
    t.ok(String(details['file']).startsWith(directory), 'names the file')
    t.type(details['key'], 'string', 'names the key')
    t.match(message, /docs\/operating\.md/, 'says what to do')
    return 'refused'
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const walOf = (directory: string): Promise<string> => fileIn(directory, 'raft', /\.log$/)
const tableOf = (directory: string): Promise<string> => fileIn(directory, 'raft', /\.ldb$/)

await t.test('undamaged copies open', async (t) => {
  for (const original of [withLog, withTable]) {
    t.equal(await outcomeOf(t, original, () => Promise.resolve()), 'whole')
  }
})

await t.test('one bit in the last block of the write-ahead log, 20 places', async (t) => {
  // LevelDB shows a consistent older store here, log and vote gone back together: only the guard
  // file can tell.
  for (let place = 1; place <= 20; place += 1) {
    const outcome = await outcomeOf(t, withLog, async (directory) => {
      const wal = await walOf(directory)
      await flipBit(wal, (await sizeOf(wal)) - place * 13)
    })
    t.equal(outcome, 'refused')
  }
})

await t.test('one bit anywhere in the write-ahead log', async (t) => {
  for (let place = 0; place < 20; place += 1) {
    await outcomeOf(t, withLog, async (directory) => {
      const wal = await walOf(directory)
      await flipBit(wal, ((await sizeOf(wal)) * place) / 20)
    })
  }
})

await t.test('the write-ahead log cut, zeroed or gone', async (t) => {
  const hurts: readonly ((wal: string) => Promise<void>)[] = [
    (wal) => cutTo(wal, 0.99),
    (wal) => cutTo(wal, 0.6),
    (wal) => cutTo(wal, 0),
    (wal) => zero(wal, 4096, 4096),
    (wal) => rm(wal),
  ]
  for (const hurt of hurts) {
    const outcome = await outcomeOf(t, withLog, async (directory) => hurt(await walOf(directory)))
    t.equal(outcome, 'refused')
  }
})

await t.test('one bit anywhere in a table', async (t) => {
  let refused = 0
  for (let place = 0; place < 30; place += 1) {
    const outcome = await outcomeOf(t, withTable, async (directory) => {
      const table = await tableOf(directory)
      await flipBit(table, ((await sizeOf(table)) * place) / 30 + 3)
    })
    if (outcome === 'refused') refused += 1
  }
  t.ok(refused > 20, `${String(refused)} of 30 hit something that matters`)
})

await t.test('a table cut or gone', async (t) => {
  const hurts: readonly ((table: string) => Promise<void>)[] = [
    (table) => cutTo(table, 0.5),
    (table) => rm(table),
  ]
  for (const hurt of hurts) {
    const outcome = await outcomeOf(t, withTable, async (directory) =>
      hurt(await tableOf(directory)),
    )
    t.equal(outcome, 'refused')
  }
})

await t.test('MANIFEST and CURRENT', async (t) => {
  for (const pattern of [/^MANIFEST/, /^CURRENT$/]) {
    for (const hurt of [
      (path: string) => flipBit(path, 3),
      (path: string) => cutTo(path, 0),
      (path: string) => rm(path),
    ]) {
      const outcome = await outcomeOf(t, withTable, async (directory) =>
        hurt(await fileIn(directory, 'raft', pattern)),
      )
      t.equal(outcome, 'refused')
    }
  }
})

await t.test('the whole Raft store gone back to an older copy', async (t) => {
  const outcome = await outcomeOf(t, withLog, async (directory) => {
    const { logStore, stateStore } = await openAt(directory)
    await logStore.write(batch({}))
    await logStore.close()
    await stateStore.close()
    // One more vote on the real store, then the store of before under the guard of after.
    const newer = await copyOf(directory, 'newer')
    const later = await openAt(newer)
    await later.logStore.write(batch({ term: 9, vote: 'node-3' }))
    await later.logStore.close()
    await later.stateStore.close()
    await copyFile(join(newer, 'guard'), join(directory, 'guard'))
    await rm(newer, { recursive: true })
  })
  t.equal(outcome, 'refused')
})

await t.test('the guard file', async (t) => {
  const guardOf = (directory: string): string => join(directory, 'guard')
  const refused: readonly ((path: string) => Promise<void>)[] = [
    async (path) => {
      await flipBit(path, 40)
      await flipBit(path, 512 + 40)
    },
    (path) => cutTo(path, 0.5),
    (path) => cutTo(path, 0),
    (path) => rm(path),
    (path) => zero(path, 0, 1024),
  ]
  for (const hurt of refused) {
    t.equal(await outcomeOf(t, withLog, (directory) => hurt(guardOf(directory))), 'refused')
  }
  // One torn slot is what a power cut leaves; the other slot and the newer store agree.
  for (const slot of [0, 512]) {
    t.equal(
      await outcomeOf(t, withLog, (directory) => flipBit(guardOf(directory), slot + 40)),
      'whole',
    )
  }
})

await t.test('a guard of two batches ago is not the guard of this store', async (t) => {
  const outcome = await outcomeOf(t, withLog, async (directory) => {
    const kept = `${directory}-guard`
    await copyFile(join(directory, 'guard'), kept)
    const { logStore, stateStore } = await openAt(directory)
    for (const next of [10, 11]) {
      await logStore.write(batch({ term: next }))
    }
    await logStore.close()
    await stateStore.close()
    await copyFile(kept, join(directory, 'guard'))
    await rm(kept)
  })
  t.equal(outcome, 'refused')
})

await t.test(
  'a batch whose guard record is missing is guarded from the next start on',
  async (t) => {
    const directory = await copyOf(withLog, 'unguarded')
    await copyFile(join(directory, 'guard'), `${directory}-guard`)
    const older = `${directory}-older`
    await cp(join(directory, 'raft'), older, { recursive: true })
    const { logStore, stateStore } = await openAt(directory)
    await logStore.write(batch({ entries: [entry(121, 3)] }))
    await logStore.close()
    await stateStore.close()
    // The power went between the batch and the guard.
    await copyFile(`${directory}-guard`, join(directory, 'guard'))
    const again = await openAt(directory)
    t.equal(again.recovered.entries.length, 121, 'it is kept')
    await closeAll(again)
    // This node may have acknowledged it now; then the end of the write-ahead log rots.
    await rm(join(directory, 'raft'), { recursive: true })
    await cp(older, join(directory, 'raft'), { recursive: true })
    await t.rejects(openAt(directory), { code: 'STORE_DAMAGED' }, 'the loss is seen')
  },
)

await t.test('the identity file', async (t) => {
  for (const hurt of [
    (path: string) => flipBit(path, 10),
    (path: string) => cutTo(path, 0.5),
    (path: string) => rm(path),
  ]) {
    t.equal(
      await outcomeOf(t, withLog, (directory) => hurt(join(directory, 'identity'))),
      'refused',
    )
  }
})

await t.test('the state store never stops a start', async (t) => {
  for (const pattern of [/\.log$/, /\.ldb$/, /^MANIFEST/, /^CURRENT$/]) {
    for (const hurt of [
      (path: string) => flipBit(path, 12),
      (path: string) => cutTo(path, 0.5),
      (path: string) => rm(path),
    ]) {
      t.equal(
        await outcomeOf(t, withTable, async (directory) =>
          hurt(await fileIn(directory, 'state', pattern)),
        ),
        'whole',
      )
    }
  }
})
