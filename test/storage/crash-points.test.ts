/**
 * The process ends before each operation that changes the disk, of lives that append, truncate,
 * snapshot, purge and install (crash-points.ts), and of a repair; then the power may be cut too.
 */
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { examineStores, openStores, repairStores } from '../../src/storage/index.js'
import { powerCutDisk } from '../../src/storage/power-cut-files.js'
import { lives, type Life } from './crash-lives.js'
import { crashPointsOf } from './crash-points.js'
import {
  closeAll,
  cutTo,
  fileIn,
  foundCompacted,
  identity,
  reserveBytes,
  writtenEntries,
} from './data.js'
import { healthyPeer } from './healthy-peer.js'
import { StoppingDisk } from './stopping-disk.js'

const base = t.testdir()

/** One of all: `npm run crash-points` takes every one. */
const shortLives = ['append, truncate, snapshot, purge, install']

for (const life of lives.filter(({ name }) => shortLives.includes(name))) {
  await t.test(`every point of a life: ${life.name}`, async (t) => {
    const folder = join(base, life.name)
    await mkdir(folder)
    const { points, failures } = await crashPointsOf(life, folder)
    t.comment(`${String(points)} crash points`)
    t.same(failures, [])
    t.ok(points > 100)
  })
}

await t.test('a state without its applied index is noticed', async (t) => {
  const torn: Life = {
    name: 'torn',
    steps: [
      {
        run: async ({ stateStore }) => {
          await stateStore.write([{ key: 'n', value: Buffer.from('1') }], {
            ...{ index: 2, term: 1, digest: 'ab'.repeat(32) },
          })
        },
      },
    ],
  }
  const { failures } = await crashPointsOf(torn, t.testdir())
  t.match(failures[0], 'applied 2 with the record of 1')
})

await t.test('names of lives are used once, and the short one is there', (t) => {
  const names = lives.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  t.ok(shortLives.every((name) => names.includes(name)))
  t.end()
})

/** The last entry that a start shows. */
async function lastIn(directory: string): Promise<string> {
  const stores = await openStores({ directory, identity, reserveBytes })
  const last = stores.recovered.entries.at(-1)
  await closeAll(stores)
  return `${String(last?.index)} ${Buffer.from(last?.payload ?? []).toString('base64')}`
}

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
  const wholeEnd = await lastIn(whole)
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
    await disk.settled()
    await power.cut(() => (point % 2 === 0 ? 0 : 1))
    await disk.release()
    const examined = await examineStores({ directory, identity, reserveBytes })
    if (examined.kind === 'damaged') {
      if (isOver) t.fail('a finished repair is there')
      t.equal((await repairStores(examined.report, sources)).kind, 'repaired')
      await examined.report.snapshots.close()
    } else await closeAll(examined.stores)
    t.equal(await lastIn(directory), wholeEnd, `point ${String(point)}`)
    await rm(directory, { recursive: true })
    if (isOver) break
    points += 1
  }
  t.comment(`${String(points)} crash points`)
  t.ok(points > 10)
})
