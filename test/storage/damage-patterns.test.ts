/**
 * A log of four entries on three nodes, each copy sound or rotten: all 2^12 patterns. Where every
 * entry has a sound copy somewhere, every node gets its whole log back, without a majority and
 * without a leader; where one has none, the nodes that miss it wait and serve nothing wrong.
 */
import t from 'tap'
import { logIndex, term, type Entry } from '../../src/raft/index.js'
import { closeLog } from '../../src/storage/close-log.js'
import type { LogRemains, SoundEntry } from '../../src/storage/damage.js'
import { chainAfter, chainStart, entryDigest } from '../../src/storage/record.js'
import { MemorySnapshotDisk, type RepairSources } from '../../src/storage/index.js'

const clusterId = 'c1'.repeat(32)
const nodes = [0, 1, 2]
const entries: readonly Entry[] = [1, 2, 3, 4].map((index) => ({
  index: logIndex(index),
  term: term(index < 3 ? 1 : 2),
  kind: 'command',
  payload: Buffer.from(`entry ${String(index)}`),
}))

let chain = chainStart(clusterId)
const soundEntries: readonly SoundEntry[] = entries.map((entry) => {
  const digest = Buffer.from(entryDigest(entry))
  chain = chainAfter(chain, digest)
  return { entry, digest, chain }
})
const end = { index: 4, term: 2, chain }
const snapshots = await new MemorySnapshotDisk(clusterId).open()

/** Bit node * 4 + entry of the pattern: this copy is rotten. */
function isSound(pattern: number, node: number, at: number): boolean {
  return (pattern & (1 << (node * 4 + at))) === 0
}

function remainsOf(pattern: number, node: number): LogRemains {
  const sound = soundEntries.filter((_, at) => isSound(pattern, node, at))
  return {
    anchor: { index: 0, term: 0, chain: chainStart(clusterId), snapshot: null },
    entries: new Map(sound.map((each) => [each.entry.index, each])),
    end,
    commit: 0,
    isTailOnly: true,
    term: 2,
    votedFor: null,
  }
}

function othersOf(pattern: number, node: number): RepairSources {
  return {
    async *entries(from, to) {
      await Promise.resolve()
      for (const other of nodes) {
        if (other === node) continue
        yield entries.filter(
          ({ index }, at) => index >= from && index <= to && isSound(pattern, other, at),
        )
      }
    },
    snapshot: () => Promise.resolve(null),
    // They all held all of it once.
    neverHeld: () => Promise.resolve(false),
  }
}

await t.test('4,096 patterns of damage', async (t) => {
  let recovered = 0
  let stopped = 0
  for (let pattern = 0; pattern < 1 << 12; pattern += 1) {
    const outcomes = await Promise.all(
      nodes.map((node) =>
        closeLog({
          remains: remainsOf(pattern, node),
          clusterId,
          snapshots,
          sources: othersOf(pattern, node),
        }),
      ),
    )
    const hasAll = entries.every((_, at) => nodes.some((node) => isSound(pattern, node, at)))
    const isRight = outcomes.every((outcome, node) => {
      if (outcome.kind === 'closed') return sameLog(outcome.log.entries)
      const { from, to } = outcome.missing
      return !hasAll && !entries.every((_, at) => isSound(pattern, node, at)) && from <= to
    })
    if (!isRight) t.fail(`pattern ${pattern.toString(2).padStart(12, '0')}`)
    if (outcomes.every(({ kind }) => kind === 'closed')) recovered += 1
    else stopped += 1
  }
  t.equal(recovered, 2401, 'every entry has a sound copy: 7 of 8 for each of 4 entries')
  t.equal(stopped, 1695)
})

function sameLog(found: readonly Entry[]): boolean {
  return found.length === 4 && found.every((entry, at) => entry === entries[at])
}

await t.test('a tail that no majority ever held is dropped, a committed one never', async (t) => {
  const asked: (readonly [number, number | null])[] = []
  const never: RepairSources = {
    ...othersOf(0b1111_1111_1111, 0),
    neverHeld: (index, ofTerm) => {
      asked.push([index, ofTerm])
      return Promise.resolve(true)
    },
  }
  const withCommit = (commit: number): LogRemains => ({ ...remainsOf(0b1000, 0), commit })
  const close = (remains: LogRemains) => closeLog({ remains, clusterId, snapshots, sources: never })
  const dropped = await close(withCommit(3))
  t.match(dropped, { kind: 'closed', dropped: { from: 4, to: 4 }, log: { end: { index: 3 } } })
  t.same(asked, [[4, 2]], 'of the very last entry the term is known')
  t.match(await close(withCommit(4)), { kind: 'waiting', missing: { from: 4, to: 4 } })
  t.match(await close({ ...withCommit(3), isTailOnly: false }), { kind: 'waiting' })
  t.match(await close({ ...remainsOf(0b1100, 0), commit: 1 }), {
    kind: 'closed',
    dropped: { from: 3, to: 4 },
  })
  t.same(asked.at(-1), [3, null])
  t.match(await close({ ...remainsOf(0b0100, 0), commit: 1 }), { kind: 'waiting' }, 'a middle')
})

await t.test('entries of another history never close the chain', async (t) => {
  const forged: RepairSources = {
    ...othersOf(0, 0),
    async *entries(from, to) {
      await Promise.resolve()
      yield entries
        .filter(({ index }) => index >= from && index <= to)
        .map((entry) => ({ ...entry, payload: Buffer.from('something else') }))
    },
  }
  for (const pattern of [0b0001, 0b0110, 0b1000, 0b1111]) {
    const remains = remainsOf(pattern, 0)
    t.match(await closeLog({ remains, clusterId, snapshots, sources: forged }), { kind: 'waiting' })
  }
})

await t.test(
  'a store gone back to an older branch is closed from the commit index on',
  async (t) => {
    // It lost the batch that replaced 3' by 3 and 4.
    const branch: Entry = {
      index: logIndex(3),
      term: term(1),
      kind: 'command',
      payload: Buffer.from("3'"),
    }
    const digest = Buffer.from(entryDigest(branch))
    const before = soundEntries[1]?.chain ?? Buffer.alloc(32)
    const remains: LogRemains = {
      ...remainsOf(0b1100, 0),
      commit: 2,
      isTailOnly: false,
      entries: new Map([
        ...soundEntries.slice(0, 2).map((each): [number, SoundEntry] => [each.entry.index, each]),
        [3, { entry: branch, digest, chain: chainAfter(before, digest) }] as const,
      ]),
    }
    const closed = await closeLog({ remains, clusterId, snapshots, sources: othersOf(0, 0) })
    t.ok(closed.kind === 'closed' && sameLog(closed.log.entries))
  },
)
