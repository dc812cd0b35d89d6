/** What peers say to a repair: who has to say `never`, and what of their answers is not believed. */
import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import { MultisetDigest, recordHash } from '../../src/machine/index.js'
import { createRepairSources } from '../../src/node/repair-sources.js'
import { logIndex, term, type Configuration, type Entry } from '../../src/raft/index.js'
import type { RepairSources } from '../../src/storage/index.js'
import { MemorySnapshotDisk } from '../../src/storage/memory-snapshot-store.js'
import type { FetchAnswer, Holding, Wanted } from '../../src/wire/index.js'
import { entry } from '../contract/log-store.js'

const clusterId = 'c1'.repeat(32)
type Answering = (peer: string, wanted: Wanted) => AsyncIterable<FetchAnswer>

function sourcesOf(answers: Answering, configuration: Partial<Configuration>): RepairSources {
  const whole = { voters: [], outgoing: [], learners: [], target: null, ...configuration }
  const others = [...new Set([...whole.voters, ...whole.outgoing])].filter((id) => id !== 'n1')
  return createRepairSources({
    nodeId: 'n1',
    peers: { fetch: answers },
    others,
    configurationBefore: () => whole,
    clusterId,
    noHelp: () => undefined,
  })
}

function neverHeld(
  said: Readonly<Record<string, Holding>>,
  configuration: Partial<Configuration>,
): Promise<boolean> {
  const answers: Answering = async function* (peer) {
    const holding = await Promise.resolve(said[peer])
    if (holding === undefined) throw new CountersignError('UNREACHABLE', `${peer} is away.`)
    yield { kind: 'holding', holding }
  }
  return sourcesOf(answers, configuration).neverHeld(logIndex(7), term(2))
}

await t.test('a tail is dropped on the word of all others only', async (t) => {
  const voters = ['n1', 'n2', 'n3', 'n4', 'n5']
  const three = { n2: 'never', n3: 'never', n4: 'never' } as const
  t.notOk(await neverHeld(three, { voters }), 'the silent one may lead, and count this node')
  t.notOk(await neverHeld({ ...three, n5: 'unknown' }, { voters }))
  t.notOk(await neverHeld({ ...three, n5: 'held' }, { voters }))
  t.ok(await neverHeld({ ...three, n5: 'never' }, { voters }))
  const joint = { voters: ['n1', 'n2', 'n3'], outgoing: ['n1', 'n2', 'n4'] }
  t.notOk(await neverHeld({ n2: 'never', n3: 'never' }, joint), 'both configurations')
  t.ok(await neverHeld({ n2: 'never', n3: 'never', n4: 'never' }, joint))
  t.notOk(await neverHeld({}, { voters: ['n1'] }), 'alone it has committed it')
})

await t.test('entries that never end, out of order or of another range are cut off', async (t) => {
  const given: Readonly<Record<string, (at: number) => Entry>> = {
    n2: () => entry(4, 1),
    n3: (at) => entry(at + 3, 1),
    n4: (at) => entry(at + 1, 1),
  }
  let asked = 0
  const answers: Answering = async function* (peer) {
    for (let at = 0; ; at += 1) {
      asked += 1
      const found = await Promise.resolve(given[peer]?.(at))
      if (found === undefined) return
      yield { kind: 'entry', entry: found }
    }
  }
  const sources = sourcesOf(answers, { voters: ['n1', 'n2', 'n3', 'n4'] })
  const found: (readonly number[])[] = []
  for await (const answer of sources.entries(logIndex(3), logIndex(5))) {
    found.push(answer.map(({ index }) => index))
  }
  t.same(found, [[4], [3, 4, 5]])
  t.ok(asked < 10, `${String(asked)} answers were read`)
})

await t.test('a snapshot that does not hold the state that it names is not kept', async (t) => {
  const records: readonly (readonly [string, Uint8Array])[] = [['a', Buffer.from('1')]]
  const digest = new MultisetDigest()
  for (const [key, value] of records) digest.add(recordHash(key, value))
  for (const stateDigest of ['ee'.repeat(32), digest.hex()]) {
    const owner = await new MemorySnapshotDisk(clusterId).open()
    const meta = { index: logIndex(9), term: term(2), configurationIndex: logIndex(0) }
    const configuration = { voters: ['n1', 'n2'], outgoing: [], learners: [], target: null }
    const head = { ...meta, configuration, clusterId, chain: 'ab'.repeat(32), stateDigest }
    const snapshot = await owner.save(
      head,
      (async function* () {
        for (const record of await Promise.resolve(records)) yield record
      })(),
    )
    const answers: Answering = async function* () {
      yield { kind: 'snapshot', snapshot }
      const part = await owner.read(9, 0, snapshot.size)
      if (part !== null) yield { kind: 'part', part }
    }
    const disk = new MemorySnapshotDisk(clusterId)
    const into = await disk.open()
    const found = await sourcesOf(answers, { voters: ['n1', 'n2'] }).snapshot(logIndex(5), into)
    const isTrue = stateDigest === digest.hex()
    t.equal(found?.index, isTrue ? 9 : undefined)
    t.equal(into.latest()?.index, isTrue ? 9 : undefined)
    t.equal((await disk.files.list('snapshots')).length, isTrue ? 1 : 0, 'no draft is left')
  }
})
