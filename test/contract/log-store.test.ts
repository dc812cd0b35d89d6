import { join } from 'node:path'
import t from 'tap'
import type { LogIndex } from '../../src/raft/index.js'
import type { LogBatch, LogStore } from '../../src/storage/index.js'
import {
  initialiseDataDirectory,
  MemoryLogDisk,
  MemorySnapshotDisk,
  openStores,
} from '../../src/storage/index.js'
import { caseFails } from './failing-run.js'
import { clusterId, logStoreCases, type LogDisk } from './log-store.js'

const identity = { clusterId, nodeId: 'node-1', incarnation: '1c'.repeat(16) }

function memoryDisk(): LogDisk {
  const snapshotDisk = new MemorySnapshotDisk(clusterId)
  const disk = new MemoryLogDisk(clusterId, snapshotDisk)
  return {
    open: async () => {
      const snapshots = await snapshotDisk.open()
      return { ...disk.open(), snapshots }
    },
  }
}

async function levelDisk(folder: string): Promise<LogDisk> {
  const directory = join(folder, 'data')
  await initialiseDataDirectory({ directory, ...identity, reserveBytes: 4096 })
  return {
    open: async () => {
      const { logStore, recovered, stateStore, snapshots } = await openStores({
        directory,
        identity,
        reserveBytes: 4096,
      })
      await stateStore.close()
      return { logStore, recovered, snapshots }
    },
  }
}

await t.test('memory log store', async (t) => {
  for (const [name, run] of logStoreCases) await t.test(name, (t) => run(t, memoryDisk()))
})

await t.test('LevelDB log store', async (t) => {
  const folder = t.testdir()
  for (const [at, [name, run]] of logStoreCases.entries()) {
    await t.test(name, async (t) => run(t, await levelDisk(join(folder, String(at)))))
  }
})

/** One fault a store; the suite must notice each. */
const faults: Readonly<Record<string, (store: LogStore) => LogStore>> = {
  'forgets the vote': changed((batch) => ({
    ...batch,
    hardState: batch.hardState === null ? null : { ...batch.hardState, votedFor: null },
  })),
  'forgets the last entry of a batch': changed((batch) => ({
    ...batch,
    entries: batch.entries.length > 1 ? batch.entries.slice(0, -1) : batch.entries,
  })),
  'does not truncate': changed((batch) =>
    batch.entries.length === 0 ? { ...batch, truncateAfter: null } : batch,
  ),
  'writes nothing': (store) => ({
    write: () => Promise.resolve(),
    chainAt: (index) => store.chainAt(index),
    close: () => store.close(),
  }),
  'installs nothing': changed((batch) =>
    batch.install === null ? batch : { ...batch, install: null, hardState: null, entries: [] },
  ),
  'purges one too few': changed((batch) => ({
    ...batch,
    purgeTo: batch.purgeTo === null ? null : ((batch.purgeTo - 1) as LogIndex),
  })),
  'has the chain value of a neighbour': (store) => ({
    write: (batch) => store.write(batch),
    chainAt: (index) => store.chainAt((index + 1) as LogIndex),
    close: () => store.close(),
  }),
  'cuts payloads': changed((batch) => ({
    ...batch,
    entries: batch.entries.map((entry) => ({ ...entry, payload: entry.payload.slice(0, 3) })),
  })),
}

function changed(change: (batch: LogBatch) => LogBatch): (store: LogStore) => LogStore {
  return (store) => ({
    write: (batch) => store.write(change(batch)),
    chainAt: (index) => store.chainAt(index),
    close: () => store.close(),
  })
}

await t.test('the suite notices a store that', async (t) => {
  await t.test('is sound: none', async (t) => {
    for (const [name, run] of logStoreCases) {
      t.notOk(await caseFails(name, (apart) => run(apart, memoryDisk())), name)
    }
  })
  for (const [name, breakIt] of Object.entries(faults)) {
    await t.test(name, async (t) => {
      const failed: string[] = []
      for (const [caseName, run] of logStoreCases) {
        const disk = memoryDisk()
        const broken: LogDisk = {
          open: async () => {
            const opened = await disk.open()
            return { ...opened, logStore: breakIt(opened.logStore) }
          },
        }
        if (await caseFails(caseName, (apart) => run(apart, broken))) failed.push(caseName)
      }
      t.not(failed.length, 0, `failed: ${failed.join('; ')}`)
    })
  }
})
