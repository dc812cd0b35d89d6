/** The stores, with the rare paths of a disk (rare-paths.ts): late, short, slow; never wrong. */
import type { LogStore, SnapshotStore, StateStore } from '../../../src/storage/index.js'
import type { Chance, RarePath } from './rare-paths.js'

/** Pauses when the path is taken. */
export type PauseAt = (path: RarePath) => Promise<void>

export function rareLogStore(store: LogStore, pauseAt: PauseAt): LogStore {
  return {
    write: async (batch) => {
      await pauseAt('log: a write starts late')
      await store.write(batch)
      await pauseAt('log: a write is confirmed late')
    },
    chainAt: async (index) => {
      await pauseAt('log: a chain value comes late')
      return store.chainAt(index)
    },
    close: () => store.close(),
  }
}

export function rareStateStore(store: StateStore, pauseAt: PauseAt): StateStore {
  return {
    readApplied: async () => {
      await pauseAt('state: the applied point comes late')
      return store.readApplied()
    },
    readAll: () => slowly(store.readAll(), () => pauseAt('state: records come slowly')),
    readSince: (index) => store.readSince(index),
    settle: async (index) => {
      await pauseAt('state: a write starts late')
      await store.settle(index)
    },
    forgetChanges: () => store.forgetChanges(),
    write: async (writes, applied) => {
      await pauseAt('state: a write starts late')
      await store.write(writes, applied)
      await pauseAt('state: a write ends late')
    },
    clear: async () => {
      await pauseAt('state: clearing takes long')
      await store.clear()
    },
    close: () => store.close(),
  }
}

export function rareSnapshotStore(
  store: SnapshotStore,
  chance: Chance,
  pauseAt: PauseAt,
): SnapshotStore {
  return {
    latest: () => store.latest(),
    info: (index) => store.info(index),
    save: async (head, records) => {
      await pauseAt('snapshots: a save starts late')
      const info = await store.save(head, records)
      await pauseAt('snapshots: a save is confirmed late')
      return info
    },
    read: (index, offset, length) => {
      if (chance('snapshots: a read finds nothing')) return Promise.resolve(null)
      const short = chance('snapshots: a read is short') ? Math.ceil(length / 3) : length
      return store.read(index, offset, short)
    },
    records: (index) =>
      slowly(store.records(index), () => pauseAt('snapshots: records come slowly')),
    receive: async (info) => {
      const receiver = await store.receive(info)
      return {
        get storedBytes() {
          return receiver.storedBytes
        },
        write: async (part) => {
          await pauseAt('snapshots: a received part is stored late')
          await receiver.write(part)
        },
        finish: async () => {
          const stored = await receiver.finish()
          await pauseAt('snapshots: a received one is confirmed late')
          return stored
        },
        abort: () => receiver.abort(),
      }
    },
    removeBelow: (index) =>
      chance('snapshots: old ones stay') ? Promise.resolve() : store.removeBelow(index),
    close: () => store.close(),
  }
}

async function* slowly<T>(items: AsyncIterable<T>, pause: () => Promise<void>): AsyncIterable<T> {
  for await (const item of items) {
    await pause()
    yield item
  }
}
