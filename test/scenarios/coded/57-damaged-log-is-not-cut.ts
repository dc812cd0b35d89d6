/** A log with a hole, a rotten entry or a commit index beyond its end is never silently shortened. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CountersignError } from '../../../src/errors.js'
import { logIndex, term, type Entry } from '../../../src/raft/index.js'
import { systemDisk } from '../../../src/storage/disk.js'
import { initialiseDataDirectory, openStores } from '../../../src/storage/index.js'
import { entryKey } from '../../../src/storage/keys.js'
import type { CodedScenario } from './scenario.js'

const identity = { clusterId: 'c1'.repeat(32), nodeId: 'node-1', incarnation: '1c'.repeat(16) }
const reserveBytes = 4096
const length = 6

type Harm = 'none' | 'rotten' | 'missing' | 'cut'

async function founded(directory: string): Promise<void> {
  await initialiseDataDirectory({ directory, ...identity, reserveBytes })
  const { logStore, stateStore, snapshots } = await openStores({
    directory,
    identity,
    reserveBytes,
  })
  const entries = Array.from({ length }, (_, position): Entry => ({
    index: logIndex(position + 1),
    term: term(1),
    kind: 'command',
    payload: new Uint8Array([position]),
  }))
  const hardState = { term: term(1), votedFor: 'node-2', commit: logIndex(length) }
  await logStore.write({ install: null, purgeTo: null, hardState, truncateAfter: null, entries })
  await logStore.close()
  await stateStore.close()
  await snapshots.close()
}

/** Changes the log store behind its back. */
async function hurt(directory: string, harm: Harm): Promise<void> {
  const db = await systemDisk.openLevel(join(directory, 'raft'), { createIfMissing: false })
  const rotten = async (index: number): Promise<void> => {
    const value = Buffer.from(await db.get(entryKey(index)))
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
    await db.put(entryKey(index), value)
  }
  if (harm === 'rotten') await rotten(3)
  if (harm === 'missing') await db.del(entryKey(3))
  if (harm === 'cut') await db.del(entryKey(length))
  await db.close()
}

async function opened(directory: string): Promise<string> {
  try {
    const stores = await openStores({ directory, identity, reserveBytes })
    await stores.logStore.close()
    await stores.stateStore.close()
    await stores.snapshots.close()
    return `${String(stores.recovered.entries.length)} entries`
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown
    const range = thrown.details['range'] as { readonly from: number; readonly to: number } | null
    return `${thrown.code} ${String(range?.from)} to ${String(range?.to)}`
  }
}

export const damagedLogIsNotCut: CodedScenario = {
  number: 57,
  name: '57-damaged-log-is-not-cut',
  title: 'the stored log has a rotten entry, a hole, or lacks its end',
  source: 'O#1894, C#199; reliability of LevelDB as measured',
  proves: 'the store refuses to open and names file and key; it truncates nothing by itself',
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-scenario-'))
    try {
      const expected: readonly [Harm, string][] = [
        ['none', `${String(length)} entries`],
        ['rotten', 'STORE_DAMAGED 3 to 3'],
        ['missing', 'STORE_DAMAGED 3 to 3'],
        ['cut', `STORE_DAMAGED ${String(length)} to ${String(length)}`],
      ]
      for (const [harm, outcome] of expected) {
        const directory = join(folder, harm)
        await founded(directory)
        await hurt(directory, harm)
        assert.equal(await opened(directory), outcome, harm)
        assert.equal(await opened(directory), outcome, `${harm}, once more`)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
