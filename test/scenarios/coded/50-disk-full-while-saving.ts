/** The snapshot maker on a disk that has no room: the core must not hear of a snapshot. */
import assert from 'node:assert/strict'
import { CountersignError } from '../../../src/errors.js'
import { MultisetDigest, recordHash } from '../../../src/machine/index.js'
import { SnapshotMaker } from '../../../src/node/snapshot-maker.js'
import { configurationOf, logIndex, term, type SnapshotMeta } from '../../../src/raft/index.js'
import { MemoryLogDisk, MemorySnapshotDisk, MemoryStateDisk } from '../../../src/storage/index.js'
import type { SnapshotStore } from '../../../src/storage/index.js'
import type { CodedScenario } from './scenario.js'

const clusterId = 'c1'.repeat(32)

interface Told {
  readonly saved: SnapshotMeta[]
  readonly failed: unknown[]
}

/** Applies one entry and waits until the maker is at rest. */
async function save(full: boolean): Promise<Told> {
  const told: Told = { saved: [], failed: [] }
  const snapshots = await new MemorySnapshotDisk(clusterId).open()
  const { logStore } = new MemoryLogDisk(clusterId).open()
  const payload = new Uint8Array([1])
  await logStore.write({
    install: null,
    purgeTo: null,
    hardState: { term: term(1), votedFor: null, commit: logIndex(1) },
    truncateAfter: null,
    entries: [{ index: logIndex(1), term: term(1), kind: 'command', payload }],
  })
  const stateStore = new MemoryStateDisk().open()
  const digest = new MultisetDigest()
  digest.add(recordHash('row/a', payload))
  const applied = { index: 1, term: 1, digest: digest.hex() }
  await stateStore.write([{ key: 'row/a', value: payload }], applied)
  const noRoom: SnapshotStore['save'] = () =>
    Promise.reject(new CountersignError('DISK_FULL', 'No space is left for the snapshot.'))
  const maker = new SnapshotMaker({
    clusterId,
    stateStore,
    logStore,
    snapshotStore: full ? withSave(snapshots, noRoom) : snapshots,
    defer: (task) => setImmediate(task),
    saved: (snapshot) => told.saved.push(snapshot),
    fed: () => [],
    failed: (thrown) => told.failed.push(thrown),
    snapshotEntries: 1,
    snapshotBytes: 1 << 20,
  })
  const configuration = { configuration: configurationOf(['1', '2', '3']), index: logIndex(0) }
  await maker.stored({ entries: 1, bytes: 1, configuration })
  while (maker.isRunning) await new Promise((resolve) => setImmediate(resolve))
  await maker.stop()
  assert.equal(snapshots.latest() === null, full, 'what is in the snapshot store')
  return told
}

function withSave(store: SnapshotStore, save: SnapshotStore['save']): SnapshotStore {
  return {
    latest: (atMost) => store.latest(atMost),
    save,
    read: (index, offset, length) => store.read(index, offset, length),
    info: (index) => store.info(index),
    records: (index) => store.records(index),
    receive: (info) => store.receive(info),
    removeBelow: (index) => store.removeBelow(index),
    close: () => store.close(),
  }
}

export const diskFullWhileSaving: CodedScenario = {
  number: 50,
  name: '50-disk-full-while-saving',
  title: 'the disk is full while a snapshot is saved',
  source: 'B#461, nats#8425',
  proves: 'the core hears of a snapshot only when it is synced: without that the log is not cut',
  run: async () => {
    const good = await save(false)
    assert.deepEqual([good.saved.map(({ index }) => index), good.failed.length], [[1], 0])
    const bad = await save(true)
    assert.deepEqual([bad.saved.length, bad.failed.length], [0, 1])
  },
}
