/** A part of the corruption sweep (corruption.ts); `npm run corruption-sweep` is the whole. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { examineStores, repairStores } from '../../src/storage/index.js'
import { Original, hurts, kinds, type Outcome } from './corruption.js'
import { damagedMinority } from './damaged-minority.js'
import { copyOf, cutTo, fileIn, identity, openAt, reserveBytes } from './data.js'
import { noPeer } from './healthy-peer.js'

const original = await Original.found(t.testdir())
t.teardown(() => original.close())

await t.test('undamaged: nothing is found', async (t) => {
  const directory = await copyOf(original.directory, 'sound')
  const seen = await original.started(directory, join(directory, 'raft'))
  t.same(seen, { outcome: 'whole', wrong: [] })
})

/** Every kind of file, and of the ways those that differ most. */
const shortHurts = ['a bit in the middle', 'cut in half', 'missing', 'older copy']

for (const kind of kinds) {
  await t.test(kind.name, async (t) => {
    const outcomes: Outcome[] = []
    for (const name of shortHurts) {
      const hurt = hurts[name]
      if (hurt === undefined) throw new Error(`nothing hurts by ${name}`)
      const { outcome, wrong } = await original.afterHurting(kind, hurt)
      t.same(wrong, [], name)
      outcomes.push(outcome)
    }
    t.ok(outcomes.includes(kind.allowed[0] ?? 'whole'), 'some of the damage matters')
  })
}

await t.test('two of five, hurt in different places, are repaired from the others', async (t) => {
  const { points, failures } = await damagedMinority(original, 3)
  t.same(failures, [])
  t.ok(points > 0)
})

await t.test('the whole Raft store missing, and gone back to an older copy', async (t) => {
  for (const restore of [false, true]) {
    const directory = await copyOf(original.directory, 'store')
    const store = join(directory, 'raft')
    await rm(store, { recursive: true })
    if (restore) await cp(join(original.older, 'raft'), store, { recursive: true })
    t.same(await original.started(directory, store), { outcome: 'repaired', wrong: [] })
    await rm(directory, { recursive: true })
  }
})

await t.test('without a peer nothing is changed, and nothing is served', async (t) => {
  const directory = await copyOf(original.directory, 'alone')
  await cutTo(await fileIn(directory, 'raft', /\.log$/), 0.5)
  for (let round = 0; round < 2; round += 1) {
    const examined = await examineStores({ directory, identity, reserveBytes })
    if (examined.kind !== 'damaged') throw new Error('the damage was not found')
    t.equal((await repairStores(examined.report, noPeer)).kind, 'waiting')
    await examined.report.snapshots.close()
  }
  await t.rejects(openAt(directory), { code: 'STORE_DAMAGED' })
})
