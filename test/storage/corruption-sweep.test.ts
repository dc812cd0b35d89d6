/**
 * Every kind of file of a data directory, hurt in five ways: the damage is found and reported with
 * its file, or it was none. What is repaired from a peer is whole again, with the same term and
 * vote. Never a start on less, never on something else.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CountersignError } from '../../src/errors.js'
import { examineStores, repairStores, type OpenedStores } from '../../src/storage/index.js'
import {
  closeAll,
  copyOf,
  cutTo,
  fileIn,
  flipBit,
  foundCompacted,
  identity,
  openAt,
  reserveBytes,
  sizeOf,
  writtenEntries,
  zero,
} from './data.js'
import { healthyPeer, noPeer } from './healthy-peer.js'

const base = t.testdir()
const original = join(base, 'original')
const older = join(base, 'older')
await foundCompacted(original, older)
const peer = await openAt(await copyOf(original, 'peer'))
const sources = healthyPeer({
  entries: writtenEntries,
  firstKept: 51,
  snapshots: peer.snapshots,
})
const peerSnapshot = peer.snapshots.latest()
t.teardown(() => closeAll(peer))

type Outcome = 'whole' | 'repaired' | 'refused'
type Hurt = (path: string, relative: string) => Promise<void>

const hurts: Readonly<Record<string, Hurt>> = {
  'a bit at the beginning': (path) => flipBit(path, 5),
  'a bit in the middle': async (path) => flipBit(path, (await sizeOf(path)) / 2),
  'a bit near the end': async (path) => flipBit(path, (await sizeOf(path)) - 20),
  'zeroed 4 KiB': async (path) => {
    const size = await sizeOf(path)
    const from = Math.max(0, Math.floor(size / 2) - 2048)
    await zero(path, from, Math.min(4096, size - from))
  },
  'cut in half': (path) => cutTo(path, 0.5),
  empty: (path) => cutTo(path, 0),
  missing: (path) => rm(path),
  'older copy': async (path, relative) => {
    const before = join(older, relative)
    await cp(before, path, { force: true }).catch(() => undefined)
  },
}

const kinds: readonly (readonly [
  name: string,
  find: (directory: string) => Promise<string>,
  allowed: readonly Outcome[],
])[] = [
  ['log of the Raft store', (at) => fileIn(at, 'raft', /\.log$/), ['repaired', 'whole']],
  ['table of the Raft store', (at) => fileIn(at, 'raft', /\.ldb$/), ['repaired', 'whole']],
  ['MANIFEST of the Raft store', (at) => fileIn(at, 'raft', /^MANIFEST/), ['repaired', 'whole']],
  ['CURRENT of the Raft store', (at) => fileIn(at, 'raft', /^CURRENT$/), ['repaired', 'whole']],
  ['snapshot', (at) => fileIn(at, 'snapshots', /\.snapshot$/), ['repaired', 'whole']],
  ['guard', (at) => Promise.resolve(join(at, 'guard')), ['refused', 'whole']],
  ['identity', (at) => Promise.resolve(join(at, 'identity')), ['refused', 'whole']],
  ['log of the state store', (at) => fileIn(at, 'state', /\.log$/), ['whole']],
  ['MANIFEST of the state store', (at) => fileIn(at, 'state', /^MANIFEST/), ['whole']],
]

await t.test('undamaged: nothing is found', async (t) => {
  const directory = await copyOf(original, 'sound')
  t.equal(await outcomeOf(t, directory, join(directory, 'raft')), 'whole')
})

for (const [kind, find, allowed] of kinds) {
  await t.test(kind, async (t) => {
    const seen = new Map<Outcome, number>()
    for (const [name, hurt] of Object.entries(hurts)) {
      const directory = await copyOf(original, 'hurt')
      const path = await find(directory)
      await hurt(path, path.slice(directory.length + 1))
      const outcome = await outcomeOf(t, directory, path)
      t.ok(allowed.includes(outcome), `${name}: ${outcome}`)
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      await rm(directory, { recursive: true })
    }
    t.comment([...seen].map(([outcome, count]) => `${outcome} ${String(count)}`).join(', '))
    t.ok((seen.get(allowed[0] ?? 'whole') ?? 0) >= 3, 'most of the damage matters')
  })
}

await t.test('the whole Raft store missing, and gone back to an older copy', async (t) => {
  for (const restore of [false, true]) {
    const directory = await copyOf(original, 'store')
    await rm(join(directory, 'raft'), { recursive: true })
    if (restore) await cp(join(older, 'raft'), join(directory, 'raft'), { recursive: true })
    t.equal(await outcomeOf(t, directory, join(directory, 'raft')), 'repaired')
    await rm(directory, { recursive: true })
  }
})

await t.test('without a peer nothing is changed, and nothing is served', async (t) => {
  const directory = await copyOf(original, 'alone')
  await cutTo(await fileIn(directory, 'raft', /\.log$/), 0.5)
  for (let round = 0; round < 2; round += 1) {
    const examined = await examineStores({ directory, identity, reserveBytes })
    if (examined.kind !== 'damaged') throw new Error('the damage was not found')
    t.equal((await repairStores(examined.report, noPeer)).kind, 'waiting')
    await examined.report.snapshots.close()
  }
  await t.rejects(openAt(directory), { code: 'STORE_DAMAGED' })
})

/** Starts on a hurt directory, with a repair when it asks for one. */
async function outcomeOf(t: Test, directory: string, hurtFile: string): Promise<Outcome> {
  try {
    const examined = await examineStores({ directory, identity, reserveBytes })
    if (examined.kind === 'sound') {
      await checkWhole(t, examined.stores)
      return 'whole'
    }
    const { damages, snapshots } = examined.report
    const store = hurtFile.slice(0, directory.length + 5)
    t.ok(
      damages.some(({ file }) => file.startsWith(store)),
      `names the file: ${damages.map(({ file, key, problem }) => `${file} ${key} ${problem}`).join('; ')}`,
    )
    const repaired = await repairStores(examined.report, sources)
    await snapshots.close()
    t.equal(repaired.kind, 'repaired')
    await checkWhole(t, await openAt(directory))
    return 'repaired'
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown
    t.match(thrown.code, /^(STORE_DAMAGED|GUARD_LOST)$/, thrown.message)
    t.equal(thrown.details['file'], hurtFile, 'names the file')
    return 'refused'
  }
}

async function checkWhole(t: Test, stores: OpenedStores): Promise<void> {
  const { recovered, snapshots } = stores
  const { anchor, entries, hardState } = recovered
  const snapshot = snapshots.latest()
  t.same(
    { term: hardState.term, votedFor: hardState.votedFor, last: entries.at(-1)?.index },
    { term: 3, votedFor: 'node-2', last: 120 },
  )
  t.equal(anchor.index + 1, entries[0]?.index)
  t.equal(snapshot?.digest, peerSnapshot?.digest)
  t.ok(anchor.index <= (snapshot?.index ?? 0), 'a snapshot stands behind the anchor')
  t.ok(
    entries.every(({ index, payload }) =>
      Buffer.from(payload).equals(writtenEntries[index - 1]?.payload ?? Buffer.alloc(0)),
    ),
    'every entry is the one that was written',
  )
  await closeAll(stores)
}
