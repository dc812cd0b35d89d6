/** A data directory with a known log in it, and ways to hurt a copy of it. */
import { createHash } from 'node:crypto'
import { cp, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logIndex, type Entry } from '../../src/raft/index.js'
import {
  initialiseDataDirectory,
  openStores,
  type OpenedStores,
  type RecoveredLog,
} from '../../src/storage/index.js'
import { batch, entry, saveSnapshot } from '../contract/log-store.js'

export const identity = {
  clusterId: 'c1'.repeat(32),
  nodeId: 'node-1',
  incarnation: '1c'.repeat(16),
}

/** Small, so that a test with many copies stays quick. */
export const reserveBytes = 4096

export function openAt(directory: string): Promise<OpenedStores> {
  return openStores({ directory, identity, reserveBytes })
}

export async function found(directory: string): Promise<void> {
  await initialiseDataDirectory({ directory, ...identity, reserveBytes })
}

export const writtenEntries: readonly Entry[] = Array.from({ length: 120 }, (_, at) =>
  entry(at + 1, 3, incompressible(at)),
)

/** Bytes that Snappy cannot shrink, so that most of a table is data. */
function incompressible(at: number): string {
  return createHash('shake256', { outputLength: 150 }).update(String(at)).digest('base64')
}

/** Everything in the write-ahead log; the hard state goes with each batch. */
export async function foundWithLog(directory: string): Promise<void> {
  await found(directory)
  const { logStore, stateStore } = await openAt(directory)
  await logStore.write(batch({ term: 3, vote: 'node-2' }))
  for (const each of writtenEntries) await logStore.write(batch({ entries: [each] }))
  await stateStore.write([{ key: 'a', value: Buffer.from('1') }], {
    index: 120,
    term: 3,
    digest: 'ab'.repeat(32),
  })
  await logStore.close()
  await stateStore.close()
}

/** Opened once more: LevelDB has moved what was in its write-ahead log into a table. */
export async function foundWithTable(directory: string): Promise<void> {
  await foundWithLog(directory)
  const { logStore, stateStore } = await openAt(directory)
  await logStore.close()
  await stateStore.close()
}

/**
 * Cut off at 50 behind a snapshot at 60, most in tables, the rest in the write-ahead log. `older`:
 * a copy of before the last entries.
 */
export async function foundCompacted(directory: string, older: string): Promise<void> {
  await found(directory)
  const first = await openAt(directory)
  const { logStore, snapshots } = first
  await logStore.write(batch({ term: 3, vote: 'node-2', entries: writtenEntries.slice(0, 90) }))
  await logStore.write(batch({ term: 3, vote: 'node-2', commit: 80 }))
  const chain = (await logStore.chainAt(logIndex(60))) ?? ''
  await saveSnapshot(snapshots, { index: 60, term: 3, chain })
  await logStore.write(batch({ purgeTo: 50 }))
  await first.stateStore.write([{ key: 'a', value: Buffer.from('0') }], {
    ...{ index: 60, term: 3, digest: 'ab'.repeat(32) },
  })
  await closeAll(first)
  await closeAll(await openAt(directory))
  await cp(directory, older, { recursive: true })
  const second = await openAt(directory)
  for (const each of writtenEntries.slice(90))
    await second.logStore.write(batch({ entries: [each] }))
  await second.stateStore.write([{ key: 'a', value: Buffer.from('1') }], {
    index: 80,
    term: 3,
    digest: 'ab'.repeat(32),
  })
  await closeAll(second)
}

export async function closeAll(stores: OpenedStores): Promise<void> {
  await stores.logStore.close()
  await stores.stateStore.close()
  await stores.snapshots.close()
}

export async function copyOf(directory: string, name: string): Promise<string> {
  const copy = `${directory}-${name}`
  await cp(directory, copy, { recursive: true })
  return copy
}

export async function fileIn(directory: string, store: string, pattern: RegExp): Promise<string> {
  const names = (await readdir(join(directory, store))).filter((name) => pattern.test(name))
  const sized = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, store, name)
      return { path, size: (await stat(path)).size }
    }),
  )
  const largest = sized.sort((a, b) => b.size - a.size)[0]
  if (largest === undefined) throw new Error(`${store} holds no ${String(pattern)}`)
  return largest.path
}

export async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  const offset = Math.min(bytes.length - 1, Math.floor(at))
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10
  await writeFile(path, bytes)
}

export async function cutTo(path: string, part: number): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size * part))
}

export async function zero(path: string, from: number, bytes: number): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.write(Buffer.alloc(bytes), 0, bytes, from)
  await handle.close()
}

export function isWhole(recovered: RecoveredLog): boolean {
  return (
    recovered.hardState.term === 3 &&
    recovered.hardState.votedFor === 'node-2' &&
    recovered.entries.length === writtenEntries.length &&
    recovered.entries.every((each, at) =>
      Buffer.from(each.payload).equals(writtenEntries[at]?.payload ?? Buffer.alloc(0)),
    )
  )
}

export function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size)
}
