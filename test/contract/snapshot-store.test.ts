import { join } from 'node:path'
import t from 'tap'
import { MemorySnapshotDisk, type SnapshotStore } from '../../src/storage/index.js'
import { openSnapshotStore } from '../../src/storage/file-snapshot-store.js'
import { systemFiles } from '../../src/storage/files.js'
import { caseFails } from './failing-run.js'
import { clusterId, snapshotStoreCases, type SnapshotDisk } from './snapshot-store.js'

function memoryDisk(): SnapshotDisk {
  let now = 100_000
  const disk = new MemorySnapshotDisk(clusterId, () => now)
  return {
    open: () => disk.open(),
    pass: (ms) => {
      now += ms
    },
  }
}

function folderDisk(directory: string): SnapshotDisk {
  let now = 100_000
  return {
    open: async () => {
      const nowMs = (): number => now
      const opened = await openSnapshotStore({ files: systemFiles, directory, clusterId, nowMs })
      return opened.snapshots
    },
    pass: (ms) => {
      now += ms
    },
  }
}

await t.test('memory snapshot store', async (t) => {
  for (const [name, run] of snapshotStoreCases) await t.test(name, (t) => run(t, memoryDisk()))
})

await t.test('snapshot store of files', async (t) => {
  const folder = t.testdir()
  for (const [at, [name, run]] of snapshotStoreCases.entries()) {
    await t.test(name, (t) => run(t, folderDisk(join(folder, String(at)))))
  }
})

const faults: Readonly<Record<string, (store: SnapshotStore) => Partial<SnapshotStore>>> = {
  'knows no snapshot after it was saved': () => ({ latest: () => null }),
  'ignores the bound': (store) => ({ latest: () => store.latest() }),
  'removes nothing': () => ({ removeBelow: () => Promise.resolve() }),
  'loses the last record': (store) => ({
    async *records(index) {
      const all = []
      for await (const records of store.records(index)) all.push(...records)
      yield all.slice(0, -1)
    },
  }),
  'reads from the beginning only': (store) => ({
    read: (index, _offset, length) => store.read(index, 0, Math.min(length, 1000)),
  }),
  'takes any announcement': (store) => ({
    receive: (info) =>
      store.receive({ ...info, clusterId, chain: store.info(7)?.chain ?? 'ab'.repeat(32) }),
  }),
}

await t.test('the suite notices a store that', async (t) => {
  for (const [name, breakIt] of Object.entries(faults)) {
    await t.test(name, async (t) => {
      const failed: string[] = []
      for (const [caseName, run] of snapshotStoreCases) {
        const disk = memoryDisk()
        const broken: SnapshotDisk = { ...disk, open: async () => brokenBy(await disk.open()) }
        if (await caseFails(caseName, (apart) => run(apart, broken))) failed.push(caseName)
      }
      t.not(failed.length, 0, `failed: ${failed.join('; ')}`)
    })
    function brokenBy(store: SnapshotStore): SnapshotStore {
      const whole: SnapshotStore = {
        latest: (atMost) => store.latest(atMost),
        save: (head, records) => store.save(head, records),
        read: (index, offset, length) => store.read(index, offset, length),
        info: (index) => store.info(index),
        records: (index) => store.records(index),
        receive: (info) => store.receive(info),
        removeBelow: (index) => store.removeBelow(index),
        close: () => store.close(),
      }
      return Object.assign(whole, breakIt(store))
    }
  }
})
