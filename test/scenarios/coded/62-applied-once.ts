/** A proposal whose answer was lost is sent again: before and after a snapshot was installed. */
import assert from 'node:assert/strict'
import { World } from '../../machine/world.js'
import { machineBySnapshot } from './machine-by-snapshot.js'
import type { CodedScenario } from './scenario.js'

export const appliedOnce: CodedScenario = {
  number: 62,
  name: '62-applied-once',
  title: 'a proposal that timed out is tried again',
  source: 'etcd#18424, L sessions',
  proves: 'it is applied once, and the retry gets the first result, also from a snapshot',
  run: () =>
    new Promise((resolve) => {
      const world = new World()
      world.tick()
      const { command, result, changeId } = world.propose({ by: 'alice' })
      const approval = world.decisionCommand('approve', 'bob', changeId)
      const first = world.apply(approval).result
      const changes = world.machine.status().changesByState
      assert.deepEqual(world.apply(command).result, { ...result, repeated: true })
      world.machine = machineBySnapshot(world)
      assert.deepEqual(world.apply(command).result, { ...result, repeated: true })
      assert.deepEqual(world.apply(approval).result, { ...first, repeated: true })
      assert.deepEqual(world.machine.status().changesByState, changes)

      // What was refused has no row of its own but the session: it is remembered there alone.
      const refused = world.decisionCommand('approve', 'bob', changeId, { revision: 9 })
      const refusal = world.apply(refused).result
      assert.equal(refusal?.kind, 'refused')
      world.machine = machineBySnapshot(world)
      assert.deepEqual(world.apply(refused).result, { ...refusal, repeated: true })
      resolve()
    }),
}
