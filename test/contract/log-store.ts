/**
 * What every log store must do. `open` gives a store on an empty disk; `reopen` closes nothing by
 * itself: the suite closes a store before it opens the disk again.
 */
import type { Test } from 'tap'
import { logIndex, term, type Entry, type SnapshotMeta } from '../../src/raft/index.js'
import type {
  LogBatch,
  LogStore,
  RecoveredLog,
  SnapshotInfo,
  SnapshotStore,
} from '../../src/storage/index.js'

export interface OpenedLog {
  readonly logStore: LogStore
  readonly snapshots: SnapshotStore
  readonly recovered: RecoveredLog
}

export interface LogDisk {
  open(): Promise<OpenedLog>
}

export function entry(index: number, entryTerm: number, text = `entry ${String(index)}`): Entry {
  return {
    index: logIndex(index),
    term: term(entryTerm),
    kind: text === '' ? 'noop' : 'command',
    payload: new TextEncoder().encode(text),
  }
}

export function batch(parts: {
  readonly term?: number
  readonly vote?: string | null
  readonly commit?: number
  readonly truncateAfter?: number
  readonly entries?: readonly Entry[]
  readonly install?: SnapshotMeta
  readonly purgeTo?: number
}): LogBatch {
  return {
    install: parts.install ?? null,
    purgeTo: parts.purgeTo === undefined ? null : logIndex(parts.purgeTo),
    hardState:
      parts.term === undefined
        ? null
        : {
            term: term(parts.term),
            votedFor: parts.vote ?? null,
            commit: logIndex(parts.commit ?? 0),
          },
    truncateAfter: parts.truncateAfter === undefined ? null : logIndex(parts.truncateAfter),
    entries: parts.entries ?? [],
  }
}

export const clusterId = 'c1'.repeat(32)

/** A small snapshot; `chain` is that of the log which it stands for. */
export async function saveSnapshot(
  snapshots: SnapshotStore,
  at: { readonly index: number; readonly term: number; readonly chain: string },
): Promise<SnapshotInfo> {
  await Promise.resolve()
  return snapshots.save(
    {
      clusterId,
      index: logIndex(at.index),
      term: term(at.term),
      chain: at.chain,
      stateDigest: 'd0'.repeat(32),
      configurationIndex: logIndex(0),
      configuration: { voters: ['node-1', 'node-2'], outgoing: [], learners: [], target: null },
    },
    oneRecord(at.index),
  )
}

async function* oneRecord(index: number): AsyncIterable<readonly [string, Uint8Array]> {
  yield await Promise.resolve(['index', new TextEncoder().encode(String(index))])
}

export type LogCase = readonly [name: string, run: (t: Test, disk: LogDisk) => Promise<void>]

export const logStoreCases: readonly LogCase[] = [
  [
    'an empty store has term 0, no vote and no entry',
    async (t, disk) => {
      const { logStore, recovered } = await disk.open()
      t.same(recovered.hardState, { term: 0, votedFor: null, commit: 0 })
      t.same(recovered.entries, [])
      await logStore.close()
    },
  ],
  [
    'entries, term, vote and commit come back as they were written',
    async (t, disk) => {
      const written = [entry(1, 1, ''), entry(2, 1), entry(3, 2)]
      await reopened(t, disk, [
        batch({ term: 1, vote: 'a', entries: written.slice(0, 2) }),
        batch({ term: 2, vote: 'b', commit: 1, entries: written.slice(2) }),
      ]).then((recovered) => {
        t.same(plain(recovered.entries), plain(written))
        t.same(recovered.hardState, { term: 2, votedFor: 'b', commit: 1 })
      })
    },
  ],
  [
    'a term without a vote is written alone',
    async (t, disk) => {
      const recovered = await reopened(t, disk, [batch({ term: 7, vote: null })])
      t.same(recovered.hardState, { term: 7, votedFor: null, commit: 0 })
    },
  ],
  [
    'truncation removes what follows and the new entries take its place',
    async (t, disk) => {
      const recovered = await reopened(t, disk, [
        batch({ term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)] }),
        batch({ term: 2, truncateAfter: 1, entries: [entry(2, 2, 'new')] }),
      ])
      t.same(plain(recovered.entries), plain([entry(1, 1), entry(2, 2, 'new')]))
    },
  ],
  [
    'truncation alone is kept, down to an empty log',
    async (t, disk) => {
      const recovered = await reopened(t, disk, [
        batch({ term: 1, entries: [entry(1, 1), entry(2, 1)] }),
        batch({ term: 2, truncateAfter: 0 }),
        batch({ term: 2, entries: [entry(1, 2)] }),
      ])
      t.same(plain(recovered.entries), plain([entry(1, 2)]))
    },
  ],
  [
    'appending goes on after a reopen',
    async (t, disk) => {
      await reopened(t, disk, [batch({ term: 1, entries: [entry(1, 1)] })])
      const recovered = await reopened(t, disk, [batch({ term: 1, entries: [entry(2, 1)] })])
      t.same(plain(recovered.entries), plain([entry(1, 1), entry(2, 1)]))
    },
  ],
  [
    'a payload of any bytes and of a MiB comes back',
    async (t, disk) => {
      const payload = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31) & 0xff)
      const big: Entry = { ...entry(1, 1), payload }
      const recovered = await reopened(t, disk, [batch({ term: 1, entries: [big] })])
      t.ok(Buffer.from(recovered.entries[0]?.payload ?? []).equals(payload))
    },
  ],
  [
    'the commit index survives an orderly close',
    async (t, disk) => {
      const recovered = await reopened(t, disk, [
        batch({ term: 1, vote: 'a', entries: [entry(1, 1), entry(2, 1)] }),
        batch({ term: 1, vote: 'a', commit: 2 }),
      ])
      t.equal(recovered.hardState.commit, 2)
    },
  ],
  [
    'a configuration entry comes back as one',
    async (t, disk) => {
      const written: Entry = { ...entry(1, 1), kind: 'configuration' }
      const recovered = await reopened(t, disk, [batch({ term: 1, entries: [written] })])
      t.same(plain(recovered.entries), plain([written]))
    },
  ],
  [
    'a purge behind a snapshot moves the anchor, and chain values stay',
    async (t, disk) => {
      const { logStore, snapshots } = await disk.open()
      const written = [1, 2, 3, 4, 5].map((index) => entry(index, index < 3 ? 1 : 2))
      await logStore.write(batch({ term: 2, commit: 4, entries: written }))
      const chains = await chainsOf(logStore, 0, 5)
      await saveSnapshot(snapshots, { index: 4, term: 2, chain: chains[4] ?? '' })
      await logStore.write(batch({ purgeTo: 2 }))
      t.same(await chainsOf(logStore, 0, 6), [null, null, ...chains.slice(2), null])
      await logStore.write(batch({ entries: [entry(6, 2)], purgeTo: 4 }))
      await logStore.close()
      await snapshots.close()
      const again = await disk.open()
      t.same(again.recovered.anchor, { index: 4, term: 2 })
      t.same(plain(again.recovered.entries), plain([entry(5, 2), entry(6, 2)]))
      t.same(await chainsOf(again.logStore, 3, 5), [null, ...chains.slice(4, 6)])
      await again.logStore.write(batch({ truncateAfter: 4, entries: [entry(5, 2, 'new')] }))
      await again.logStore.close()
      const { recovered, logStore: last } = await disk.open()
      t.same(plain(recovered.entries), plain([entry(5, 2, 'new')]))
      await last.close()
    },
  ],
  [
    'an installed snapshot replaces the whole log',
    async (t, disk) => {
      const { logStore, snapshots } = await disk.open()
      await logStore.write(batch({ term: 1, vote: 'a', entries: [entry(1, 1), entry(2, 1)] }))
      const chain = 'ee'.repeat(32)
      const install = await saveSnapshot(snapshots, { index: 9, term: 3, chain })
      await logStore.write(batch({ term: 3, commit: 9, install, entries: [entry(10, 3)] }))
      t.same(await chainsOf(logStore, 8, 9), [null, chain])
      await logStore.write(batch({ term: 4, vote: 'b' }))
      await logStore.close()
      const { logStore: again, recovered } = await disk.open()
      t.same(recovered.anchor, { index: 9, term: 3 })
      t.same(recovered.hardState, { term: 4, votedFor: 'b', commit: 9 })
      t.same(plain(recovered.entries), plain([entry(10, 3)]))
      t.same(await chainsOf(again, 8, 9), [null, chain])
      await again.close()
    },
  ],
  [
    'an installed snapshot within the log drops what was on both sides',
    async (t, disk) => {
      const { logStore, snapshots } = await disk.open()
      const written = [1, 2, 3, 4].map((index) => entry(index, 1))
      await logStore.write(batch({ term: 1, commit: 1, entries: written }))
      const install = await saveSnapshot(snapshots, { index: 3, term: 2, chain: 'ee'.repeat(32) })
      await logStore.write(batch({ term: 2, install }))
      await logStore.close()
      const { logStore: again, recovered } = await disk.open()
      t.same(recovered.anchor, { index: 3, term: 2 })
      t.same(recovered.hardState, { term: 2, votedFor: null, commit: 3 })
      t.same(recovered.entries, [])
      await again.close()
    },
  ],
  ...refusedBatches([
    ['a purge that no snapshot covers', batch({ purgeTo: 1 })],
    [
      'a snapshot that the snapshot store does not hold',
      batch({
        term: 2,
        install: {
          index: logIndex(7),
          term: term(2),
          configuration: { voters: ['a'], outgoing: [], learners: [], target: null },
          configurationIndex: logIndex(0),
        },
      }),
    ],
    ['a gap', batch({ term: 1, entries: [entry(3, 1)] })],
    ['an entry of a term above the durable one', batch({ entries: [entry(2, 9)] })],
    ['a term that goes back', batch({ term: 0 })],
    ['a second vote in one term', batch({ term: 1, vote: 'b' })],
    ['a truncation at or below the commit index', batch({ truncateAfter: 0 })],
    ['a truncation beyond the end', batch({ truncateAfter: 5 })],
    ['a commit index beyond the log', batch({ term: 1, vote: 'a', commit: 9 })],
  ]),
]

function refusedBatches(
  bad: readonly (readonly [name: string, refused: LogBatch])[],
): readonly LogCase[] {
  return bad.map(([name, refused]) => [
    `${name} is never written`,
    async (t, disk) => {
      const { logStore } = await disk.open()
      await logStore.write(batch({ term: 1, vote: 'a', commit: 1, entries: [entry(1, 1)] }))
      await t.rejects(logStore.write(refused), { name: 'InvariantViolation' })
      await logStore.close().catch(() => undefined)
      const { logStore: again, recovered } = await disk.open()
      t.same(plain(recovered.entries), plain([entry(1, 1)]))
      t.same(recovered.hardState, { term: 1, votedFor: 'a', commit: 1 })
      await again.close()
    },
  ])
}

async function chainsOf(
  store: LogStore,
  from: number,
  to: number,
): Promise<readonly (string | null)[]> {
  const chains: (string | null)[] = []
  for (let index = from; index <= to; index += 1) {
    chains.push(await store.chainAt(logIndex(index)))
  }
  return chains
}

/** Writes the batches, closes, and gives what the next opening finds. */
async function reopened(
  t: Test,
  disk: LogDisk,
  batches: readonly LogBatch[],
): Promise<RecoveredLog> {
  const { logStore } = await disk.open()
  for (const each of batches) await logStore.write(each)
  await logStore.close()
  await t.rejects(logStore.write(batch({ term: 99 })), 'a closed store refuses')
  const { logStore: again, recovered } = await disk.open()
  await again.close()
  return recovered
}

function plain(entries: readonly Entry[]): readonly unknown[] {
  return entries.map(({ payload, ...rest }) => ({
    ...rest,
    payload: Buffer.from(payload).toString('hex'),
  }))
}
