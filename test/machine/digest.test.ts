import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createMachine, restoreMachine } from '../../src/machine/index.js'
import type { Machine, StateWrite } from '../../src/machine/index.js'
import { verifyStrict } from '../../src/signing/index.js'
import { World, hour } from './world.js'
import { play, scripts } from './script.js'
import '../property-seed.js'

type Records = Map<string, Uint8Array>

function keep(records: Records, writes: readonly StateWrite[]): void {
  for (const { key, value } of writes) {
    if (value === null) records.delete(key)
    else records.set(key, value)
  }
}

function applyNext(machine: Machine, world: World, index: number) {
  const command = world.log[index - 1] ?? null
  return command === null
    ? machine.skip(index, 1)
    : machine.apply({ index, term: 1, command }, verifyStrict)
}

await t.test('the same log gives the same digest, restored at any index or not', (t) => {
  fc.assert(
    fc.property(scripts, fc.nat(), fc.infiniteStream(fc.nat()), (script, at, random) => {
      const world = new World({ humans: ['alice', 'bob', 'carol', 'dave'] })
      play(world, script)
      const last = world.log.length
      const restoredAt = at % (last + 1)
      const records: Records = new Map()
      let machine = createMachine(world.genesis, world.clusterId)
      keep(records, machine.genesisWrites())
      for (let index = 1; index <= last; index++) {
        if (index - 1 === restoredAt) {
          const shuffled = [...records]
            .map((record) => [random.next().value as number, record] as const)
            .sort(([a], [b]) => a - b)
            .map(([, record]) => record)
          machine = restoreMachine(world.genesis, world.clusterId, shuffled)
        }
        const { writes, digest } = applyNext(machine, world, index)
        keep(records, writes)
        if (digest !== machine.recomputeDigest()) return false
      }
      const end = world.machine.status()
      const restored = restoreMachine(world.genesis, world.clusterId, records)
      assert.deepEqual(machine.status(), end)
      assert.deepEqual(restored.status(), end)
      const changes = (of: Machine) => of.reads.changes({ limit: 100 })
      assert.deepEqual(changes(restored), changes(world.machine))
      assert.deepEqual(restored.timedPending(), world.machine.timedPending())
      return true
    }),
    { numRuns: 25 },
  )
  t.end()
})

await t.test('preview and check leave no trace', (t) => {
  let previewed = 0
  fc.assert(
    fc.property(scripts, (script) => {
      const world = new World({ humans: ['alice', 'bob', 'carol', 'dave'] })
      play(world, script, (command) => {
        const before = world.machine.status()
        const pending = world.machine.timedPending()
        const check = world.machine.check(command, verifyStrict)
        const preview = command.kind === 'submit' ? world.machine.reads.preview(command) : undefined
        assert.deepEqual(world.machine.status(), before)
        assert.equal(world.machine.recomputeDigest(), before.stateDigest)
        assert.deepEqual(world.machine.timedPending(), pending)
        return (applied) => {
          if (check.kind === 'noise') assert.equal(applied.result?.kind, 'refused')
          if (check.kind === 'known') assert.equal(applied.result?.repeated, true)
          if (preview === undefined) return
          assert.equal(preview.result.kind, applied.result?.kind, 'the preview was right')
          assert.deepEqual(preview.events, applied.events)
          previewed += 1
        }
      })
    }),
    { numRuns: 15 },
  )
  t.ok(previewed > 100, 'previews were compared')
  t.end()
})

await t.test(
  'a state store without its meta record, or with a strange one, is damaged',
  async (t) => {
    const world = new World()
    t.throws(() => restoreMachine(world.genesis, world.clusterId, []), { code: 'STORE_DAMAGED' })
    const strange: [string, Uint8Array][] = [['nonsense/x', new Uint8Array([123, 125])]]
    t.throws(() => restoreMachine(world.genesis, world.clusterId, strange), {
      code: 'STORE_DAMAGED',
    })
    const torn: [string, Uint8Array][] = [['meta/state', new Uint8Array([123])]]
    t.throws(() => restoreMachine(world.genesis, world.clusterId, torn), { code: 'STORE_DAMAGED' })
  },
)

await t.test('replay sets are forgotten with log time, and the digest follows', async (t) => {
  const world = new World()
  const seen = (): number => {
    let count = 0
    const records: Records = new Map()
    const machine = createMachine(world.genesis, world.clusterId)
    keep(records, machine.genesisWrites())
    for (let index = 1; index <= world.log.length; index++) {
      keep(records, applyNext(machine, world, index).writes)
    }
    for (const key of records.keys()) if (key.startsWith('seen/')) count++
    return count
  }
  world.propose({ by: 'alice', notAfter: world.now + hour })
  world.propose({ by: 'alice', set: { '/prod/b': 1 }, notAfter: world.now + 2 * hour })
  t.equal(seen(), 2)
  world.tick(hour)
  t.equal(seen(), 2, 'notAfter itself is still fresh')
  world.tick(1)
  t.equal(seen(), 1)
  world.tick(10 * hour)
  t.equal(seen(), 0)
})
