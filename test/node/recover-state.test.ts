/** Where the state of a restarted node comes from, and what is read for it. */
import t from 'tap'
import { createMachine, type Machine } from '../../src/machine/index.js'
import { recoverState } from '../../src/node/recover-state.js'
import { replaceStore } from '../../src/node/replace-store.js'
import { configurationOf, logIndex, term } from '../../src/raft/index.js'
import { verifyStrict } from '../../src/signing/index.js'
import {
  MemorySnapshotDisk,
  MemoryStateDisk,
  type SnapshotStore,
  type StateStore,
} from '../../src/storage/index.js'
import { World } from '../machine/world.js'

const term1 = 1

/** A snapshot at 4, a state store that is two changes further, and the machine that they came from. */
async function worked(): Promise<{
  readonly world: World
  readonly whole: Machine
  readonly disk: MemoryStateDisk
  readonly snapshotStore: SnapshotStore
}> {
  const world = new World()
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
  const snapshotAt = world.log.length
  world.carry({ by: 'alice', set: { '/prod/a': 2 } }, ['bob', 'carol'])
  const whole = createMachine(world.genesis, world.clusterId)
  const snapshotStore = await new MemorySnapshotDisk(world.clusterId).open()
  const disk = new MemoryStateDisk()
  const store = disk.open()
  const records = new Map<string, Uint8Array>()
  for (const { key, value } of whole.genesisWrites()) if (value !== null) records.set(key, value)
  for (const [at, command] of world.log.entries()) {
    const index = at + 1
    const { writes, digest } =
      command === null
        ? whole.skip(index, term1)
        : whole.apply({ index, term: term1, command }, verifyStrict)
    if (index > snapshotAt) await store.write(writes, { index, term: term1, digest })
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
    if (index !== snapshotAt) continue
    const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1))
    await snapshotStore.save(
      {
        clusterId: world.clusterId,
        index: logIndex(index),
        term: term(term1),
        configuration: configurationOf(['1']),
        configurationIndex: logIndex(0),
        chain: '00'.repeat(32),
        stateDigest: digest,
      },
      (async function* () {
        for (const record of sorted) yield await Promise.resolve(record)
      })(),
    )
    await replaceStore(store, sorted, { index, term: term1, digest })
  }
  return { world, whole, disk, snapshotStore }
}

function counting(store: StateStore): { readonly store: StateStore; readonly reads: () => number } {
  let reads = 0
  return {
    reads: () => reads,
    store: {
      readApplied: () => store.readApplied(),
      async *readAll() {
        reads += 1
        yield* store.readAll()
      },
      readSince: (index) => store.readSince(index),
      settle: (index) => store.settle(index),
      forgetChanges: () => store.forgetChanges(),
      write: (writes, applied) => store.write(writes, applied),
      clear: () => store.clear(),
      close: () => store.close(),
    },
  }
}

function recovered(
  { world, snapshotStore }: Awaited<ReturnType<typeof worked>>,
  stateStore: StateStore,
) {
  const { genesis, clusterId } = world
  const lastIndex = world.log.length
  return recoverState({ genesis, clusterId, stateStore, snapshotStore, firstIndex: 1, lastIndex })
}

await t.test('a state store that was thrown away when it was opened is told of', async (t) => {
  const { world, snapshotStore } = await worked()
  const options = {
    genesis: world.genesis,
    clusterId: world.clusterId,
    snapshotStore,
    firstIndex: 1,
    lastIndex: world.log.length,
  }
  const empty = new MemoryStateDisk().open()
  const silent = await recoverState({ ...options, stateStore: empty })
  t.equal(silent.rebuilt, null, 'an empty one is no news')
  const stateStore = Object.assign(new MemoryStateDisk().open(), { thrownAway: 'a broken table' })
  t.match((await recoverState({ ...options, stateStore })).rebuilt, /a broken table/)
})

await t.test(
  'the snapshot and what changed since make the state; the rest is not read',
  async (t) => {
    const made = await worked()
    const { store, reads } = counting(made.disk.open())
    const { machine, appliedIndex, rebuilt } = await recovered(made, store)
    t.equal(rebuilt, null)
    t.equal(reads(), 0)
    t.equal(appliedIndex, made.world.log.length)
    t.same(machine.status(), made.whole.status())
    t.equal(machine.recomputeDigest(), made.whole.status().stateDigest)
    t.same(machine.reads.changes({ limit: 9 }), made.whole.reads.changes({ limit: 9 }))
    t.same(machine.reads.history('/prod/a', { limit: 9 }), [
      ...made.whole.reads.history('/prod/a', { limit: 9 }),
    ])
  },
)

await t.test(
  'a change that is rotten, or missing, is noticed: the state is built again',
  async (t) => {
    for (const damage of ['rotten', 'missing'] as const) {
      const made = await worked()
      const { records } = made.disk
      const key = 'entry//prod/a'
      const value = records.get(key)
      if (value === undefined) throw new Error('the store has no such record')
      if (damage === 'missing') records.delete(key)
      else records.set(key, Buffer.from(Buffer.from(value).toString().replace('2', '3')))
      const { store, reads } = counting(made.disk.open())
      const { appliedIndex, rebuilt } = await recovered(made, store)
      t.match(rebuilt, /digest/, damage)
      t.equal(reads(), 1)
      t.equal(appliedIndex, made.snapshotStore.latest()?.index, 'the log is applied again')
    }
  },
)

await t.test(
  'changes that cannot be told are no reason to rebuild: everything is read',
  async (t) => {
    const made = await worked()
    await made.disk.open().forgetChanges()
    const { store, reads } = counting(made.disk.open())
    const { machine, rebuilt } = await recovered(made, store)
    t.equal(rebuilt, null)
    t.equal(reads(), 1)
    t.same(machine.status(), made.whole.status())
  },
)

await t.test('a record that did not change is not missed before a snapshot is made', async (t) => {
  const made = await worked()
  const [unchanged] = [...made.disk.records.keys()].filter((key) => key.startsWith('person/'))
  made.disk.records.delete(unchanged ?? '')
  const { store } = counting(made.disk.open())
  const { machine, rebuilt } = await recovered(made, store)
  t.equal(rebuilt, null)
  t.equal(machine.recomputeDigest(), made.whole.status().stateDigest, 'it came from the snapshot')
})
