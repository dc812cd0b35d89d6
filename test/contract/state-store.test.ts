import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openLevelStateStore } from '../../src/storage/level-state-store.js'
import { powerCutStateStore, type StateStore } from '../../src/storage/index.js'
import { MemoryStateDisk } from '../../src/storage/index.js'
import { caseFails } from './failing-run.js'
import { stateStoreCases, type StateDisk } from './state-store.js'

function memoryDisk(): StateDisk {
  const disk = new MemoryStateDisk()
  return { open: () => Promise.resolve(disk.open()) }
}

await t.test('memory state store', async (t) => {
  for (const [name, run] of stateStoreCases) await t.test(name, (t) => run(t, memoryDisk()))
})

await t.test('LevelDB state store', async (t) => {
  const folder = t.testdir()
  for (const [at, [name, run]] of stateStoreCases.entries()) {
    const file = join(folder, String(at))
    await t.test(name, (t) => run(t, { open: () => openLevelStateStore(file) }))
  }
})

await t.test('a state store that had to be thrown away says so, and why', async (t) => {
  const file = join(t.testdir(), 'state')
  const applied = { index: 1, term: 1, digest: 'ab'.repeat(32) }
  const first = await openLevelStateStore(file)
  t.equal(first.thrownAway, undefined, 'a new one is not')
  await first.write([{ key: 'a', value: Buffer.from('1') }], applied)
  // Brings it into a table.
  await first.settle(1)
  await first.close()
  const [table = ''] = (await readdir(file)).filter((name) => name.endsWith('.ldb'))
  const bytes = await readFile(join(file, table))
  bytes[5] = (bytes[5] ?? 0) ^ 4
  await writeFile(join(file, table), bytes)
  const second = await openLevelStateStore(file)
  t.match(second.thrownAway, /\.ldb: the table/)
  t.match(powerCutStateStore(second).thrownAway, /\.ldb: the table/)
  t.equal(await second.readApplied(), null)
  await second.close()
  const third = await openLevelStateStore(file)
  t.equal(third.thrownAway, undefined)
  await third.close()
})

await t.test(
  'a state store that is cut off keeps the contract while the power is on',
  async (t) => {
    for (const [name, run] of stateStoreCases) {
      const disk = memoryDisk()
      const open = async () => powerCutStateStore(await disk.open())
      await t.test(name, (t) => run(t, { open }))
    }
  },
)

await t.test('what was written last is gone with the power, and nothing between', async (t) => {
  const disk = memoryDisk()
  const cut = powerCutStateStore(await disk.open())
  const digest = 'ab'.repeat(32)
  for (let index = 1; index <= 100; index += 1) {
    const value = Buffer.from(String(index))
    await cut.write([{ key: `key ${String(index)}`, value }], { index, term: 1, digest })
  }
  t.equal((await cut.readApplied())?.index, 100)
  const after = await disk.open()
  const applied = (await after.readApplied())?.index ?? 0
  t.ok(applied > 0 && applied < 100, `${String(applied)} of 100 are left`)
  const left = []
  for await (const [key] of after.readAll()) left.push(key)
  t.equal(left.length, applied)
})

const faults: Readonly<Record<string, (store: StateStore) => Partial<StateStore>>> = {
  'forgets the applied point': () => ({ readApplied: () => Promise.resolve(null) }),
  'never deletes': (store) => ({
    write: (writes, applied) =>
      store.write(
        writes.filter(({ value }) => value !== null),
        applied,
      ),
  }),
  'does not clear': () => ({ clear: () => Promise.resolve() }),
  'tells of no deletion': (store) => ({
    readSince: async (index) =>
      (await store.readSince(index))?.filter(({ value }) => value !== null) ?? null,
  }),
  'tells nothing for something': (store) => ({
    readSince: async (index) => (await store.readSince(index)) ?? [],
  }),
  'keeps telling': () => ({ forgetChanges: () => Promise.resolve() }),
  'moves the applied point without the records': (store) => ({
    write: (_writes, applied) => store.write([], applied),
  }),
  'sorts records backwards': (store) => ({
    async *readAll() {
      const found = []
      for await (const record of store.readAll()) found.unshift(record)
      yield* found
    },
  }),
}

await t.test('the suite notices a store that', async (t) => {
  await t.test('is sound: none', async (t) => {
    for (const [name, run] of stateStoreCases) {
      t.notOk(await caseFails(name, (apart) => run(apart, memoryDisk())), name)
    }
  })
  for (const [name, breakIt] of Object.entries(faults)) {
    await t.test(name, async (t) => {
      const failed: string[] = []
      for (const [caseName, run] of stateStoreCases) {
        const disk = memoryDisk()
        const broken: StateDisk = {
          open: async () => {
            const store = await disk.open()
            const whole: StateStore = {
              readApplied: () => store.readApplied(),
              readAll: () => store.readAll(),
              readSince: (index) => store.readSince(index),
              settle: (index) => store.settle(index),
              forgetChanges: () => store.forgetChanges(),
              write: (writes, applied) => store.write(writes, applied),
              clear: () => store.clear(),
              close: () => store.close(),
            }
            return Object.assign(whole, breakIt(store))
          },
        }
        if (await caseFails(caseName, (apart) => run(apart, broken))) failed.push(caseName)
      }
      t.not(failed.length, 0, `failed: ${failed.join('; ')}`)
    })
  }
})
