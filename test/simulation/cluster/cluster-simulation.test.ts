/**
 * A few dozen virtual seconds of whole clusters on every run; `npm run simulate -- --level cluster`
 * runs as many seeds as there is time for. A failure names the seed and every option.
 */
import t from 'tap'
import { work } from '../job.js'
import { shrink } from '../shrink.js'
import { failureKind, levels } from '../level.js'
import type { ClusterMutant, ClusterOptions } from './options.js'
import { simulateCluster, type ClusterReport } from './simulate-cluster.js'

t.setTimeout(0)

/** Short, so that the whole file takes seconds. */
const short = { faultyMs: 6_000 }

const fixed = new Map<number, ClusterReport>()

await t.test('fixed seeds: safe under faults, and live after them', async (t) => {
  for (const seed of [3, 5, 8, 11, 13, 14]) {
    const report = await simulateCluster(seed, short)
    fixed.set(seed, report)
    t.ok(report.committed > 0, `seed ${String(seed)}: ${report.digest}`)
  }
  const total = (what: (report: ClusterReport) => number): number =>
    [...fixed.values()].reduce((sum, report) => sum + what(report), 0)
  t.ok(total(({ activated }) => activated) > 20, 'changes went live')
  t.ok(total(({ readsAnswered }) => readsAnswered) > 10, 'reads were answered')
  t.ok(total(({ batchesWatched }) => batchesWatched) > 10, 'watchers saw them')
  t.ok(total(({ starts }) => starts) > 25, 'nodes were started again')
})

await t.test('the nodes change under load and faults', async (t) => {
  const report = await simulateCluster(26, { nodes: 3, faultyMs: 10_000, membershipEveryMs: 400 })
  t.ok(report.memberships > 0, `${String(report.memberships)} governed changes of the nodes`)
})

await t.test('people with real signatures', async (t) => {
  const report = await simulateCluster(3, { ...short, realSignatures: true, forgedChance: 0.2 })
  t.ok(report.activated > 0)
})

await t.test('a seed gives the same events each time', async (t) => {
  const digests = new Set<string>()
  for (const seed of [11, 13]) {
    const again = await simulateCluster(seed, short)
    t.same(again, fixed.get(seed))
    digests.add(again.digest)
  }
  t.equal(digests.size, 2, 'and another seed gives others')
})

// An oracle that cannot fail proves nothing: each way to break the world must be noticed.
const calm: Partial<ClusterOptions> = {
  nodes: 3,
  faultyMs: 10_000,
  clients: 4,
  thinkMs: 20,
  keys: 1,
  crashEveryMs: 0,
  strikeLeaderEveryMs: 0,
  membershipEveryMs: 0,
  rarePaths: false,
}
const mutants: readonly [ClusterMutant, Partial<ClusterOptions>, string][] = [
  [
    'log writes are confirmed before they are durable',
    {},
    'what is committed is durable on a majority',
  ],
  [
    'reads are answered from the local state',
    { delayMeanMs: 40 },
    'a linearizable read sees what was known when it began',
  ],
  [
    'a verifier that accepts everything',
    { forgedChance: 0.5 },
    'an accepted message stands in the log where its result says',
  ],
  [
    'a watcher loses a batch',
    { watchers: 3 },
    'a watch is in order, without a gap or a repetition',
  ],
  ['one node judges signatures differently', {}, 'state digests are equal at an equal index'],
  [
    'a damaged log is cut where the damage begins',
    { rotEveryMs: 1_000, upgradeEveryMs: 0, replaceDiskEveryMs: 0 },
    'Entries are appended without a gap.',
  ],
  [
    'anybody may say who it is',
    { replaceDiskEveryMs: 2_000, rotEveryMs: 0, upgradeEveryMs: 0 },
    'a replaced disk is let in nowhere',
  ],
]
for (const [mutant, change, sentence] of mutants) {
  await t.test(`mutant: ${mutant}`, async (t) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      try {
        await simulateCluster(seed, { ...calm, ...change, mutant })
      } catch (thrown) {
        t.equal(failureKind(thrown), sentence)
        t.match((thrown as Error).message, `seed ${String(seed)}: `, 'the seed stands in front')
        t.match((thrown as Error).message, '"partitionEveryMs"', 'and every option')
        return
      }
    }
    t.fail('not caught in 20 seeds')
  })
}

await t.test('a failure is shrunk, to the same options each time', async (t) => {
  const mutant = 'disk loses synced entries'
  const change = { mutant, nodes: 3, faultyMs: 6_000, crashEveryMs: 1_000, snapshotEveryEntries: 0 }
  for (let seed = 1; seed <= 20; seed += 1) {
    const done = await work({ level: 'core', seed, change, shrinks: false })
    if (done.kind === 'passed') continue
    const failing = { change, kind: done.failure.kind }
    const shrunk = await shrink(levels.core, seed, failing, 20)
    t.ok(Object.keys(shrunk.change).length > Object.keys(change).length, 'more is switched off')
    await t.rejects(levels.core.run(seed, shrunk.change), { message: /seed/ }, 'it still fails')
    t.same(await shrink(levels.core, seed, failing, 20), shrunk)
    return
  }
  t.fail('not caught in 20 seeds')
})
