/**
 * The process ends before each operation that changes the disk, of a life that appends, truncates,
 * snapshots, purges, installs and repairs; then the power may be cut too. Whatever the point: the
 * next start finds the state before the running step or after it, and all that was acknowledged.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { logIndex } from '../../src/raft/index.js'
import {
  examineStores,
  openStores,
  repairStores,
  type OpenedStores,
} from '../../src/storage/index.js'
import { powerCutDisk } from '../../src/storage/power-cut-files.js'
import { batch, entry, saveSnapshot } from '../contract/log-store.js'
import { closeAll, cutTo, fileIn, found, foundCompacted, identity, reserveBytes } from './data.js'
import { healthyPeer } from './healthy-peer.js'
import { writtenEntries } from './data.js'
import { StoppingDisk } from './stopping-disk.js'

const base = t.testdir()

/** What a start shows of a directory. */
async function shown(directory: string): Promise<string> {
  const stores = await openStores({ directory, identity, reserveBytes })
  const { recovered, snapshots } = stores
  const { anchor, entries, hardState } = recovered
  const lines: unknown[] = [hardState.term, hardState.votedFor, anchor.index]
  for (const { index, term, payload } of entries) {
    lines.push([index, term, Buffer.from(payload).toString('base64')])
  }
  const covered = anchor.index <= (snapshots.latest()?.index ?? 0)
  await closeAll(stores)
  if (!covered) throw new Error('nothing stands behind the anchor')
  return JSON.stringify(lines)
}

type Step = (stores: OpenedStores) => Promise<unknown>

const life: readonly Step[] = [
  ({ logStore }) => logStore.write(batch({ term: 1, vote: 'node-1' })),
  ({ logStore }) =>
    logStore.write(batch({ entries: [1, 2, 3, 4, 5, 6].map((index) => entry(index, 1)) })),
  ({ logStore }) =>
    logStore.write(batch({ term: 2, commit: 3, truncateAfter: 4, entries: [entry(5, 2)] })),
  async ({ logStore, snapshots }) => {
    const chain = (await logStore.chainAt(logIndex(3))) ?? ''
    await saveSnapshot(snapshots, { index: 3, term: 1, chain })
  },
  ({ logStore }) => logStore.write(batch({ purgeTo: 2, entries: [entry(6, 2)] })),
  ({ snapshots }) => saveSnapshot(snapshots, { index: 20, term: 3, chain: 'ee'.repeat(32) }),
  async ({ logStore, snapshots }) => {
    const install = snapshots.info(20)
    if (install === null) throw new Error('the snapshot is gone')
    await logStore.write(batch({ term: 3, commit: 20, install }))
  },
  ({ snapshots }) => snapshots.removeBelow(20),
  ({ logStore }) => logStore.write(batch({ entries: [entry(21, 3), entry(22, 3)] })),
]

/** What may be shown while step n runs: what step n - 1 left, or what step n leaves. */
async function statesOf(directory: string): Promise<readonly string[]> {
  const states = [await shown(directory)]
  for (const step of life) {
    const stores = await openStores({ directory, identity, reserveBytes })
    // A snapshot that is not installed is dropped at a start: it is made again.
    if (step === life[6]) await life[5]?.(stores)
    await step(stores)
    await closeAll(stores)
    states.push(await shown(directory))
  }
  return states
}

/** How much of what was not synced survives, one operation after the other. */
const cuts: Readonly<Record<string, (point: number) => () => number>> = {
  'all unsynced lost': () => () => 0,
  'all unsynced there': () => () => 1,
  'any unsynced lost, some torn': (point) => {
    let at = point
    return () => {
      at = (at * 1103515245 + 12345) % 2147483648
      return [0, 1, 0.5][Math.floor(at / 65536) % 3] ?? 0
    }
  },
}

await t.test('every point of a life', async (t) => {
  const empty = join(base, 'empty')
  await found(empty)
  const model = join(base, 'model')
  await cp(empty, model, { recursive: true })
  const states = await statesOf(model)
  let points = 0
  for (const [name, cut] of Object.entries(cuts)) {
    for (let point = 1; ; point += 1) {
      const directory = join(base, 'life')
      await cp(empty, directory, { recursive: true })
      const power = powerCutDisk()
      const disk = new StoppingDisk(power, point)
      let done = 0
      let isOver = false
      try {
        const stores = await openStores({ directory, identity, reserveBytes, disk })
        for (const step of life) {
          await step(stores)
          done += 1
        }
        isOver = true
      } catch (thrown) {
        if (!disk.hasStopped) throw thrown
      }
      await disk.release()
      await power.files.cut(cut(point))
      const state = await shown(directory)
      const allowed = states.slice(done, done + 2)
      if (!allowed.includes(state)) t.fail(`${name}, point ${String(point)}, step ${String(done)}`)
      await rm(directory, { recursive: true })
      if (isOver) break
      points += 1
    }
  }
  t.comment(`${String(points)} crash points`)
  t.ok(points > 100)
})

await t.test('every point of a repair', async (t) => {
  const whole = join(base, 'whole')
  await foundCompacted(whole, join(base, 'before'))
  const peerDirectory = join(base, 'peer')
  await cp(whole, peerDirectory, { recursive: true })
  const peer = await openStores({ directory: peerDirectory, identity, reserveBytes })
  t.teardown(() => closeAll(peer))
  const sources = healthyPeer({
    entries: writtenEntries,
    firstKept: 55,
    snapshots: peer.snapshots,
  })
  const wholeState = await shown(whole)
  await cutTo(await fileIn(whole, 'raft', /\.(ldb|log)$/), 0.5)
  await rm(await fileIn(whole, 'snapshots', /\.snapshot$/))
  let points = 0
  for (let point = 1; ; point += 1) {
    const directory = join(base, 'repaired')
    await cp(whole, directory, { recursive: true })
    const power = powerCutDisk()
    const disk = new StoppingDisk(power, point)
    let isOver = false
    try {
      const examined = await examineStores({ directory, identity, reserveBytes, disk })
      if (examined.kind !== 'damaged') throw new Error('the damage was not found')
      const repaired = await repairStores(examined.report, sources, disk)
      if (repaired.kind !== 'repaired') throw new Error('the repair waits')
      isOver = true
    } catch (thrown) {
      if (!disk.hasStopped) throw thrown
    }
    await disk.release()
    await power.files.cut(() => (point % 2 === 0 ? 0 : 1))
    const examined = await examineStores({ directory, identity, reserveBytes })
    if (examined.kind === 'damaged') {
      if (isOver) t.fail('a finished repair is there')
      t.equal((await repairStores(examined.report, sources)).kind, 'repaired')
      await examined.report.snapshots.close()
    } else await closeAll(examined.stores)
    const last = (state: string): unknown => (JSON.parse(state) as unknown[]).at(-1)
    t.same(last(await shown(directory)), last(wholeState), `point ${String(point)}`)
    await rm(directory, { recursive: true })
    if (isOver) break
    points += 1
  }
  t.comment(`${String(points)} crash points`)
  t.ok(points > 10)
})
