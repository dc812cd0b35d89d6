/** What every snapshot store must do. */
import type { Test } from 'tap'
import { logIndex, term } from '../../src/raft/index.js'
import type { SnapshotHead, SnapshotInfo, SnapshotStore } from '../../src/storage/index.js'

export interface SnapshotDisk {
  /** A new process: what was being written or received is gone. */
  open(): Promise<SnapshotStore>
  /** Moves the clock of the stores. */
  pass(ms: number): void
}

export type SnapshotCase = readonly [
  name: string,
  run: (t: Test, disk: SnapshotDisk) => Promise<void>,
]

export type Records = readonly (readonly [key: string, value: Uint8Array])[]

export const clusterId = 'c1'.repeat(32)

export function headAt(index: number): SnapshotHead {
  return {
    clusterId,
    index: logIndex(index),
    term: term(3),
    chain: 'ab'.repeat(32),
    stateDigest: 'cd'.repeat(32),
    configurationIndex: logIndex(index - 1),
    configuration: {
      voters: ['node-1', 'node-2'],
      outgoing: ['node-1'],
      learners: ['node-3'],
      target: ['node-1', 'node-2', 'node-3'],
    },
  }
}

/** Names of every kind, an empty value, and one longer than several parts. */
export const manyRecords: Records = [
  ['', bytes('the empty key')],
  ['/a', bytes('')],
  ...Array.from({ length: 300 }, (_, at) => [`/b/${String(1000 + at)}`, filled(1500, at)] as const),
  ['/c', filled(700 * 1024, 7)],
  ['\ud83d\ude00', bytes('beyond one code unit')],
  ['\uffff', bytes('last')],
]

export async function* each(records: Records): AsyncIterable<readonly [string, Uint8Array]> {
  for (const record of records) yield await Promise.resolve(record)
}

export async function fileOf(store: SnapshotStore, info: SnapshotInfo): Promise<Buffer> {
  return Buffer.from((await store.read(info.index, 0, info.size + 1)) ?? [])
}

export const snapshotStoreCases: readonly SnapshotCase[] = [
  [
    'before the first snapshot there is none',
    async (t, disk) => {
      const store = await disk.open()
      t.equal(store.latest(), null)
      t.equal(store.info(1), null)
      t.equal(await store.read(1, 0, 10), null)
      await store.close()
    },
  ],
  [
    'records and head come back, now and after a restart',
    async (t, disk) => {
      const store = await disk.open()
      const info = await store.save(headAt(7), each(manyRecords))
      await saved(t, store, info)
      await store.close()
      await saved(t, await disk.open(), info)
    },
  ],
  [
    'a state without any record is a snapshot too',
    async (t, disk) => {
      const store = await disk.open()
      await store.save(headAt(1), each([]))
      t.same(await all(await disk.open(), 1), [])
    },
  ],
  [
    'equal states make equal files',
    async (t, disk) => {
      const store = await disk.open()
      const first = await store.save(headAt(7), each(manyRecords))
      t.same(await store.save(headAt(7), each(manyRecords)), first)
      t.not((await store.save(headAt(8), each(manyRecords))).digest, first.digest)
    },
  ],
  [
    'the newest is the latest; bounded, the newest at or below the bound',
    async (t, disk) => {
      const store = await disk.open()
      for (const index of [3, 12, 7]) await store.save(headAt(index), each([]))
      t.equal(store.latest()?.index, 12)
      t.equal(store.latest(11)?.index, 7)
      t.equal(store.latest(2), null)
    },
  ],
  [
    'those below an index are removed, but for one that was read a moment ago',
    async (t, disk) => {
      const store = await disk.open()
      for (const index of [3, 7, 12]) await store.save(headAt(index), each([]))
      await store.read(7, 0, 10)
      await store.removeBelow(12)
      t.same(
        [3, 7, 12].map((index) => store.info(index)?.index ?? null),
        [null, 7, 12],
      )
      disk.pass(61_000)
      await store.removeBelow(12)
      t.equal(store.info(7), null)
      t.equal((await disk.open()).latest()?.index, 12)
    },
  ],
  [
    'a failing source of records leaves nothing',
    async (t, disk) => {
      const store = await disk.open()
      const broken = async function* (): AsyncIterable<readonly [string, Uint8Array]> {
        yield* each(manyRecords)
        throw new Error('the state cannot be read')
      }
      await t.rejects(store.save(headAt(7), broken()), {
        message: 'the state cannot be read',
        code: undefined,
      })
      t.equal(store.latest(), null)
      t.equal((await disk.open()).latest(), null)
    },
  ],
  [
    'what is received, cut anywhere, is the same snapshot',
    async (t, disk) => {
      const { info, file } = await source(disk)
      const store = await disk.open()
      const receiver = await store.receive(info)
      for (let at = 0; at < file.length; at += 100_003) {
        await receiver.write(file.subarray(at, at + 100_003))
      }
      t.same(await receiver.finish(), info)
      await saved(t, store, info)
      await saved(t, await disk.open(), info)
    },
  ],
  [
    'an interrupted transfer goes on behind the last whole block; a restart begins again',
    async (t, disk) => {
      const { info, file } = await source(disk)
      const store = await disk.open()
      const first = await store.receive(info)
      await first.write(file.subarray(0, 600_000))
      const again = await store.receive(info)
      t.ok(again.storedBytes > 500_000 && again.storedBytes < 600_000)
      await again.write(file.subarray(again.storedBytes))
      t.equal(again.storedBytes, info.size)
      await store.close()
      const afterRestart = await (await disk.open()).receive(info)
      t.equal(afterRestart.storedBytes, 0)
      await afterRestart.write(file)
      t.same(await afterRestart.finish(), info)
    },
  ],
  [
    'a changed byte is refused on arrival, and the transfer can go on with a sound peer',
    async (t, disk) => {
      const { info, file } = await source(disk)
      const store = await disk.open()
      const receiver = await store.receive(info)
      const bad = Buffer.from(file)
      bad[300_000] = (bad[300_000] ?? 0) ^ 1
      await t.rejects(receiver.write(bad), { code: 'FETCHED_DAMAGED' })
      t.ok(receiver.storedBytes > 0 && receiver.storedBytes < 300_000)
      await receiver.write(file.subarray(receiver.storedBytes))
      t.same(await receiver.finish(), info)
    },
  ],
  [
    'half a snapshot, another one, and too much of one are refused',
    async (t, disk) => {
      const { info, file } = await source(disk)
      const store = await disk.open()
      const half = await store.receive(info)
      await half.write(file.subarray(0, file.length / 2))
      await t.rejects(half.finish(), { code: 'FETCHED_DAMAGED' })
      const other = await store.receive({ ...info, chain: '00'.repeat(32) })
      await other.write(file)
      await t.rejects(other.finish(), { code: 'FETCHED_DAMAGED' })
      const long = await store.receive(info)
      await t.rejects(long.write(Buffer.concat([file, file])), { code: 'FETCHED_DAMAGED' })
      await long.abort()
      await t.rejects(store.receive({ ...info, clusterId: 'c2'.repeat(32) }), {
        code: 'FETCHED_DAMAGED',
      })
      t.equal(store.latest(), null)
      t.equal((await disk.open()).latest(), null)
    },
  ],
]

/** The bytes of a snapshot as a peer has them; the disk is left empty. */
async function source(
  disk: SnapshotDisk,
): Promise<{ readonly info: SnapshotInfo; readonly file: Buffer }> {
  const store = await disk.open()
  const info = await store.save(headAt(7), each(manyRecords))
  const file = await fileOf(store, info)
  disk.pass(61_000)
  await store.removeBelow(8)
  await store.close()
  return { info, file }
}

async function saved(t: Test, store: SnapshotStore, info: SnapshotInfo): Promise<void> {
  t.same(store.latest(), info)
  const { size, digest, ...head } = info
  t.same(head, headAt(info.index))
  t.equal((await fileOf(store, info)).length, size)
  t.match(digest, /^[0-9a-f]{64}$/)
  const found = await all(store, info.index)
  t.equal(found.length, manyRecords.length)
  t.ok(
    found.every(([key, value], at) => {
      const [expectedKey, expected] = manyRecords[at] ?? ['', bytes('')]
      return key === expectedKey && Buffer.from(value).equals(expected)
    }),
    'every record',
  )
}

async function all(store: SnapshotStore, index: number): Promise<Records> {
  const found: (readonly [string, Uint8Array])[] = []
  for await (const records of store.records(index)) found.push(...records)
  return found
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed) & 0xff)
}
