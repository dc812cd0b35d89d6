/** Which snapshots stay when a newer one is saved, and what an interruption leaves. */
import t from 'tap'
import { MultisetDigest, recordHash } from '../../src/machine/index.js'
import { SnapshotMaker, type SnapshotMakerPorts } from '../../src/node/snapshot-maker.js'
import { configurationOf, logIndex, term } from '../../src/raft/index.js'
import {
  MemoryLogDisk,
  MemorySnapshotDisk,
  MemoryStateDisk,
  type LogStore,
  type SnapshotStore,
  type StateStore,
} from '../../src/storage/index.js'

const clusterId = 'c1'.repeat(32)

/** A maker on empty stores that saves after each entry. */
async function scene(
  ports: Partial<Pick<SnapshotMakerPorts, 'saved' | 'fed' | 'failed'>>,
): Promise<{
  readonly maker: SnapshotMaker
  readonly snapshotStore: SnapshotStore
  readonly logStore: LogStore
  readonly stateStore: StateStore
}> {
  const snapshotStore = await new MemorySnapshotDisk(clusterId).open()
  const { logStore } = new MemoryLogDisk(clusterId).open()
  const stateStore = new MemoryStateDisk().open()
  const maker = new SnapshotMaker({
    ...{ clusterId, stateStore, logStore, snapshotStore },
    defer: (task) => setImmediate(task),
    saved: () => undefined,
    fed: () => [],
    failed: (thrown) => {
      throw thrown
    },
    ...{ snapshotEntries: 1, snapshotBytes: 1 << 20 },
    ...ports,
  })
  return { maker, snapshotStore, logStore, stateStore }
}

await t.test('a snapshot that a peer is being fed outlives a newer one', async (t) => {
  const payload = new Uint8Array([1])
  let fed: readonly number[] = []
  const { maker, snapshotStore, logStore, stateStore } = await scene({ fed: () => fed })
  const digest = new MultisetDigest()
  digest.add(recordHash('row/a', payload))
  const save = async (index: number): Promise<void> => {
    await logStore.write({
      install: null,
      purgeTo: null,
      hardState: { term: term(1), votedFor: null, commit: logIndex(index) },
      truncateAfter: null,
      entries: [{ index: logIndex(index), term: term(1), kind: 'command', payload }],
    })
    await stateStore.write([{ key: 'row/a', value: payload }], {
      index,
      term: 1,
      digest: digest.hex(),
    })
    const configuration = { configuration: configurationOf(['1', '2', '3']), index: logIndex(0) }
    await maker.stored({ entries: 1, bytes: 1, configuration })
    while (maker.isRunning) await new Promise((resolve) => setImmediate(resolve))
  }
  const held = (): number[] => [1, 2, 3, 4].filter((index) => snapshotStore.info(index) !== null)

  await save(1)
  fed = [1]
  await save(2)
  await save(3)
  t.same(held(), [1, 2, 3])
  fed = []
  await save(4)
  t.same(held(), [4])
  await maker.stop()
})

await t.test('an interrupted snapshot leaves nothing and is no failure of the node', async (t) => {
  const failures: unknown[] = []
  const { maker, snapshotStore, logStore, stateStore } = await scene({
    saved: () => t.fail('it was interrupted'),
    failed: (thrown) => failures.push(thrown),
  })
  // More than are written between two turns.
  const writes = Array.from({ length: 1000 }, (_, at) => ({
    key: `row/${String(at)}`,
    value: new Uint8Array([at % 256]),
  }))
  await logStore.write({
    install: null,
    purgeTo: null,
    hardState: { term: term(1), votedFor: null, commit: logIndex(1) },
    truncateAfter: null,
    entries: [{ index: logIndex(1), term: term(1), kind: 'command', payload: new Uint8Array([1]) }],
  })
  await stateStore.write(writes, { index: 1, term: 1, digest: '00'.repeat(32) })
  const configuration = { configuration: configurationOf(['1']), index: logIndex(0) }
  await maker.stored({ entries: 1, bytes: 1, configuration })
  t.ok(maker.isRunning)
  await maker.interrupt()
  t.notOk(maker.isRunning)
  t.same(failures, [])
  t.equal(snapshotStore.latest(), null)
})
