/** Approvals are counted live, at the log position where the change would act. */
import assert from 'node:assert/strict'
import { World } from '../../machine/world.js'
import type { CodedScenario } from './scenario.js'

export const approvalAtItsPosition: CodedScenario = {
  number: 71,
  name: '71-approval-at-its-position',
  title: 'an approval is revoked before the quorum is reached',
  source: 'approval by lease: a decision remembered for a while instead of looked up',
  proves: 'what counts is what stands in the log at that index, not what counted a moment ago',
  run: () =>
    new Promise((resolve) => {
      const world = new World({ humans: ['alice', 'bob', 'carol', 'dave'] })
      world.tick()
      const { changeId } = world.propose({ by: 'alice' })
      const stateOf = (): string => world.machine.reads.change(changeId)?.state ?? 'none'
      world.approve('bob', changeId)
      assert.equal(stateOf(), 'OPEN')
      world.revoke('bob', changeId)
      world.approve('carol', changeId)
      assert.equal(stateOf(), 'OPEN', 'one approval of two counts')
      world.approve('dave', changeId)
      assert.notEqual(stateOf(), 'OPEN', 'two count')
      resolve()
    }),
}
