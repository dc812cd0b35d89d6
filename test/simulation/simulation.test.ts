/**
 * Fixed seeds on every run. SIMULATION_SEED=n replays one seed and prints what it did;
 * SIMULATION_SEEDS=n runs n more, from 100,000 on (or from SIMULATION_FROM).
 */
import t from 'tap'
import type { Mutant } from './options.js'
import { simulate, type Report } from './simulate.js'

t.setTimeout(0)

const replay = process.env['SIMULATION_SEED']
const more = Number(process.env['SIMULATION_SEEDS'] ?? 0)
const from = Number(process.env['SIMULATION_FROM'] ?? 100_000)

const total = (reports: readonly Report[], what: (report: Report) => number): number =>
  reports.reduce((sum, report) => sum + what(report), 0)

if (replay !== undefined) {
  await t.test(`seed ${replay}`, async (t) => {
    const report = simulate(Number(replay))
    t.comment(JSON.stringify(report))
    t.equal(simulate(Number(replay)).digest, report.digest, 'and again, to the last event')
  })
} else {
  const fixed = new Map<number, Report>()
  await t.test('fixed seeds: safe under faults, and live after them', async (t) => {
    for (let seed = 1; seed <= 24; seed += 1) {
      const report = simulate(seed)
      fixed.set(seed, report)
      t.ok(report.committed > 0, `seed ${String(seed)}: ${report.digest}`)
    }
    const reports = [...fixed.values()]
    t.ok(total(reports, (report) => report.faults) > 4_000, 'faults')
    t.ok(total(reports, (report) => report.writesAcknowledged) > 2_000, 'acknowledged writes')
    t.ok(total(reports, (report) => report.readsAnswered) > 2_000, 'answered reads')
    t.ok(total(reports, (report) => report.configurations) > 15, 'changes of the nodes')
    t.ok(total(reports, (report) => report.restores) > 1, 'restores from a snapshot')
    const elections = reports.filter((report) => report.termMax > 3).length
    t.ok(elections > 7, `${String(elections)} runs with more than three terms`)
  })

  await t.test('regressions: seeds that once failed', async (t) => {
    // 1030..1070: a minority that distrusts its leader never came back within the term.
    for (const seed of [1030, 1041, 1058, 1061, 1070]) {
      const report = simulate(seed, { strikeLeaderEveryMs: 0, membershipEveryMs: 0 })
      t.ok(report.committed > 0, `seed ${String(seed)}`)
    }
  })

  await t.test('a seed gives the same events each time', async (t) => {
    const digests = new Set<string>()
    for (const seed of [3, 7, 11, 16, 20, 24]) {
      const first = fixed.get(seed)
      const again = simulate(seed)
      t.equal(again.digest, first?.digest)
      t.equal(again.events, first?.events)
      digests.add(again.digest)
    }
    t.equal(digests.size, 6, 'and another seed gives others')
  })

  await t.test('without faults nobody is elected twice', async (t) => {
    for (const seed of [1, 2, 3]) {
      const report = simulate(seed, {
        nodes: 5,
        delayMinMs: 1,
        delayMeanMs: 1,
        dropChance: 0,
        duplicateChance: 0,
        reorderChance: 0,
        partitionEveryMs: 0,
        crashEveryMs: 0,
        powerCutEveryMs: 0,
        falseAlarmEveryMs: 0,
        reconnectEveryMs: 0,
        stallEveryMs: 0,
        slowDiskEveryMs: 0,
        transferEveryMs: 0,
        strikeLeaderEveryMs: 0,
        distrustEveryMs: 0,
        membershipEveryMs: 0,
        clockDrift: 0,
        faultyMs: 20_000,
      })
      t.ok(report.committed > 0)
      t.ok(report.termMax <= 2, `seed ${String(seed)}: term ${String(report.termMax)}`)
    }
  })

  // An oracle that cannot fail proves nothing: each way to break the world must be noticed.
  const mutants: readonly [Mutant, RegExp][] = [
    ['disk forgets synced votes', /votes once in a term|one leader a term|log matching/],
    ['disk loses synced entries', /durable on a majority|leader completeness|log matching|commit/],
    ['replies leave before the disk', /durable on a majority/],
    ['reads are answered at once', /a read of register/],
    ['network grants refused votes', /one leader a term/],
    ['network alters entries', /log matching/],
    ['acknowledged before committed', /acknowledged, not committed/],
  ]
  for (const [mutant, sentence] of mutants) {
    await t.test(`mutant: ${mutant}`, async (t) => {
      for (let seed = 1; seed <= 100; seed += 1) {
        try {
          // Without cuts of the log and changes of the nodes the sentences below are sharp.
          simulate(seed, { mutant, snapshotEveryEntries: 0, membershipEveryMs: 0 })
        } catch (thrown) {
          const message = (thrown as Error).message
          t.match(message, sentence)
          t.match(message, `SIMULATION_SEED=${String(seed)}`, 'the seed stands in front')
          t.match(message, '"partitionEveryMs"', 'and every option')
          return
        }
      }
      t.fail('not caught in 100 seeds')
    })
  }

  if (more > 0) {
    await t.test(`${String(more)} more seeds from ${String(from)}`, async (t) => {
      const reports: Report[] = []
      for (let seed = from; seed < from + more; seed += 1) reports.push(simulate(seed))
      t.comment(
        `${String(Math.round(total(reports, (report) => report.virtualMs) / 1000))} virtual s, ` +
          `${String(total(reports, (report) => report.faults))} faults, ` +
          `${String(total(reports, (report) => report.writesAcknowledged))} writes, ` +
          `${String(total(reports, (report) => report.readsAnswered))} reads`,
      )
      t.equal(reports.length, more)
    })
  }
}
