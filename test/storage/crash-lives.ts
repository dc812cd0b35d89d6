/**
 * Lives of a data directory, step by step, for crash-points.ts. What is alike in all: an index is in
 * the state store only when the log holds it durably, and the state store's record `n` is the index
 * that it has applied, so that one without the other shows.
 */
import { Buffer } from 'node:buffer'
import { logIndex, type Entry } from '../../src/raft/index.js'
import type { OpenedStores } from '../../src/storage/index.js'
import { batch, entry, saveSnapshot } from '../contract/log-store.js'

export interface Step {
  readonly run: (stores: OpenedStores) => Promise<unknown>
  /** What a restart in front of this step drops and this step needs is made again. */
  readonly again?: (stores: OpenedStores) => Promise<unknown>
}

export interface Life {
  readonly name: string
  readonly steps: readonly Step[]
}

const write = (parts: Parameters<typeof batch>[0]): Step => ({
  run: ({ logStore }) => logStore.write(batch(parts)),
})

function entries(first: number, last: number, term: number): readonly Entry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => entry(first + at, term))
}

/** Of the log as it stands. */
const snapshot = (index: number, term: number): Step => ({
  run: async ({ logStore, snapshots }) => {
    const chain = (await logStore.chainAt(logIndex(index))) ?? ''
    await saveSnapshot(snapshots, { index, term, chain })
  },
})

/** As if it came from a peer: of entries that this log does not hold. */
const fetched = (index: number, term: number): Step => ({
  run: ({ snapshots }) => saveSnapshot(snapshots, { index, term, chain: 'ee'.repeat(32) }),
})

function install(index: number, term: number): Step {
  return {
    again: fetched(index, term).run,
    run: async ({ logStore, snapshots }) => {
      const info = snapshots.info(index)
      if (info === null) throw new Error('the snapshot is gone')
      await logStore.write(batch({ term, commit: index, install: info }))
    },
  }
}

const removeBelow = (index: number): Step => ({
  run: ({ snapshots }) => snapshots.removeBelow(index),
})

const apply = (index: number, term: number, ...more: readonly string[]): Step => ({
  run: ({ stateStore }) =>
    stateStore.write(
      [
        { key: 'n', value: Buffer.from(String(index)) },
        ...more.map((key) => ({ key, value: Buffer.from(`at ${String(index)}`) })),
      ],
      { index, term, digest: 'ab'.repeat(32) },
    ),
})

const clearState: Step = { run: ({ stateStore }) => stateStore.clear() }

const side = (...steps: readonly Step[]): Step => ({
  run: (stores) => Promise.all(steps.map(({ run }) => run(stores))),
})

const upTo = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at + 1))

const begun = write({ term: 1, vote: 'node-1' })
/** In term 1. */
const committed = (index: number): Step => write({ term: 1, vote: 'node-1', commit: index })

export const lives: readonly Life[] = [
  {
    name: 'append, truncate, snapshot, purge, install',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) })],
      write({ term: 2, commit: 3, truncateAfter: 4, entries: entries(5, 5, 2) }),
      ...[snapshot(3, 1), write({ purgeTo: 2, entries: entries(6, 6, 2) })],
      ...[fetched(20, 3), install(20, 3), removeBelow(20)],
      write({ entries: entries(21, 22, 3) }),
    ],
  },
  {
    name: 'a node joins by snapshot',
    steps: [
      ...[fetched(10, 2), install(10, 2), apply(10, 2)],
      ...[write({ entries: entries(11, 13, 2) }), write({ term: 2, commit: 13 }), apply(13, 2)],
      ...[write({ term: 3, vote: 'node-2', commit: 13 }), write({ entries: entries(14, 14, 3) })],
    ],
  },
  {
    name: 'snapshot while entries are appended',
    steps: [
      ...[begun, write({ entries: entries(1, 4, 1) })],
      side(snapshot(3, 1), write({ entries: entries(5, 6, 1) })),
      side(write({ entries: entries(7, 7, 1) }), removeBelow(3)),
      ...[committed(6), write({ purgeTo: 2 }), snapshot(6, 1), write({ purgeTo: 5 })],
    ],
  },
  {
    name: 'a snapshot replaces a longer log',
    steps: [
      ...[begun, write({ entries: entries(1, 8, 1) }), apply(4, 1)],
      ...[fetched(6, 3), install(6, 3), clearState, apply(6, 3)],
      write({ entries: entries(7, 9, 3) }),
    ],
  },
  {
    name: 'one snapshot after the other is installed',
    steps: [
      ...[fetched(5, 1), install(5, 1), removeBelow(5)],
      ...[fetched(9, 2), install(9, 2), removeBelow(9)],
      ...[fetched(30, 4), install(30, 4), removeBelow(30)],
      write({ entries: entries(31, 31, 4) }),
    ],
  },
  {
    name: 'each new leader cuts the end of the log',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) })],
      ...upTo(5, (at) =>
        write({
          ...{ term: at + 1, commit: 1, truncateAfter: 6 - at },
          entries: entries(7 - at, 6, at + 1),
        }),
      ),
    ],
  },
  {
    name: 'votes and terms change',
    steps: upTo(10, (at) => write({ term: at, vote: at % 3 === 0 ? null : `node-${String(at)}` })),
  },
  {
    name: 'the commit index moves alone',
    steps: [
      ...[begun, write({ entries: entries(1, 8, 1) })],
      ...upTo(8, (at) => write({ term: 1, vote: 'node-1', commit: at })),
    ],
  },
  {
    name: 'one entry at a time',
    steps: [begun, ...upTo(12, (at) => write({ entries: entries(at, at, 1) }))],
  },
  {
    name: 'large batches',
    steps: [
      begun,
      ...upTo(4, (at) => write({ entries: entries(at * 200 - 199, at * 200, 1) })),
      write({ term: 2, truncateAfter: 500, entries: entries(501, 700, 2) }),
    ],
  },
  {
    name: 'the log is purged step by step',
    steps: [
      ...[begun, write({ entries: entries(1, 12, 1) }), committed(10), snapshot(10, 1)],
      ...upTo(5, (at) => write({ purgeTo: 2 * at })),
      write({ entries: entries(13, 13, 1) }),
    ],
  },
  {
    name: 'snapshots follow each other',
    steps: [
      ...[begun, write({ entries: entries(1, 9, 1) }), committed(9)],
      ...[3, 6, 9].flatMap((at) => [
        ...[snapshot(at, 1), write({ purgeTo: at - 1 }), removeBelow(at)],
      ]),
    ],
  },
  {
    name: 'state batches with their applied index',
    steps: [
      ...[begun, write({ entries: entries(1, 12, 1) }), committed(12)],
      ...upTo(12, (at) => apply(at, 1, `row ${String(at % 4)}`)),
    ],
  },
  {
    name: 'entries are applied while others are written',
    steps: [
      ...[begun, write({ entries: entries(1, 2, 1) })],
      ...upTo(8, (at) => side(write({ entries: entries(at + 2, at + 2, 1) }), apply(at, 1))),
    ],
  },
  {
    name: 'sessions are replayed after a restart',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) }), committed(6)],
      ...upTo(3, (at) => apply(at, 1, `session/${String(at)}`)),
      ...[clearState, ...upTo(6, (at) => apply(at, 1, `session/${String(at % 3)}`))],
    ],
  },
  {
    name: 'the state is thrown away and built again',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) }), snapshot(4, 1), apply(6, 1, 'a')],
      ...[clearState, apply(4, 1, 'a'), apply(5, 1, 'b'), apply(6, 1, 'a')],
      ...[clearState, apply(4, 1, 'b'), apply(6, 1, 'c')],
    ],
  },
  {
    name: 'the scrub reads while entries are written',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) })],
      ...upTo(4, (at) =>
        side(write({ entries: entries(at + 6, at + 6, 1) }), {
          run: ({ logStore }) => logStore.verify(logIndex(1), 3),
        }),
      ),
    ],
  },
  {
    name: 'compaction behind a follower that is fed',
    steps: [
      ...[begun, write({ entries: entries(1, 10, 1) }), committed(10), snapshot(8, 1)],
      side(write({ purgeTo: 6, entries: entries(11, 12, 1) }), {
        run: ({ snapshots }) => snapshots.read(8, 0, 64),
      }),
      ...[committed(12), snapshot(12, 1), write({ purgeTo: 11 }), removeBelow(12)],
      write({ term: 2, vote: 'node-3', commit: 12, entries: entries(13, 13, 2) }),
    ],
  },
  {
    name: 'truncated, then covered by a snapshot of the new leader',
    steps: [
      ...[begun, write({ entries: entries(1, 5, 1) })],
      write({ term: 2, truncateAfter: 2, entries: entries(3, 3, 2) }),
      ...[fetched(8, 3), install(8, 3), write({ entries: entries(9, 10, 3) })],
      write({ term: 4, commit: 8, truncateAfter: 8, entries: entries(9, 9, 4) }),
      ...[removeBelow(8), write({ term: 5, vote: 'node-1', commit: 9 })],
    ],
  },
  {
    name: 'leaders come and go between snapshots',
    steps: [
      ...[begun, write({ entries: entries(1, 4, 1) }), committed(3), apply(3, 1)],
      ...upTo(3, (at) => at).flatMap((at) => [
        write({
          ...{ term: at + 1, vote: `node-${String(at)}`, commit: 2 * at + 1 },
          ...{ truncateAfter: 2 * at + 1, entries: entries(2 * at + 2, 2 * at + 4, at + 1) },
        }),
        snapshot(2 * at + 1, at),
        side(
          write({
            ...{ term: at + 1, vote: `node-${String(at)}`, commit: 2 * at + 2 },
            ...{ purgeTo: 2 * at },
          }),
          removeBelow(2 * at + 1),
        ),
      ]),
    ],
  },
  {
    name: 'behind, covered by a snapshot, and level again',
    steps: [
      ...[begun, write({ entries: entries(1, 3, 1) }), committed(3), apply(3, 1)],
      ...[fetched(12, 2), install(12, 2), clearState, apply(12, 2), removeBelow(12)],
      ...upTo(4, (at) => side(write({ entries: entries(at + 12, at + 12, 2) }), apply(at + 11, 2))),
      ...[snapshot(15, 2), write({ term: 2, commit: 15, purgeTo: 14 }), removeBelow(15)],
    ],
  },
  {
    name: 'everything at once',
    steps: [
      ...[begun, write({ entries: entries(1, 6, 1) })],
      side(snapshot(4, 1), write({ term: 2, vote: 'node-2', commit: 4 }), apply(4, 1)),
      side(
        write({ term: 2, vote: 'node-2', commit: 5, purgeTo: 3, truncateAfter: 5 }),
        removeBelow(4),
        apply(5, 1),
      ),
      side(write({ entries: entries(6, 8, 2) }), snapshot(5, 1)),
      side(write({ term: 3, commit: 6, purgeTo: 5 }), removeBelow(5), apply(6, 2)),
    ],
  },
]
