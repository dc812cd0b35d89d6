/**
 * What every log store must do. `open` gives a store on an empty disk; `reopen` closes nothing by
 * itself: the suite closes a store before it opens the disk again.
 */
import type { Test } from 'tap'
import { logIndex, term, type Entry } from '../../src/raft/index.js'
import type { LogBatch, LogStore, RecoveredLog } from '../../src/storage/index.js'

export interface OpenedLog {
  readonly logStore: LogStore
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
}): LogBatch {
  return {
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
  ...refusedBatches([
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
