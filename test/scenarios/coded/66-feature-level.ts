/** What a member's build does not know is not let into the log. */
import assert from 'node:assert/strict'
import { featureLevelMax } from '../../../src/machine/index.js'
import { verifyStrict } from '../../../src/signing/index.js'
import { World, json, nodeAt } from '../../machine/world.js'
import type { CodedScenario } from './scenario.js'

export const featureLevel: CodedScenario = {
  number: 66,
  name: '66-feature-level',
  title: 'a command of version N+1 with a member of version N',
  source: 'L capabilities',
  proves:
    'the leader refuses the level until every member knows it; before, its commands are refused',
  run: () =>
    new Promise((resolve) => {
      const world = new World()
      world.tick()
      const raise = world.proposeCommand({
        by: 'alice',
        set: { '/sys/cluster/featureLevel': featureLevelMax },
      })
      const check = (levelKnown: number): string => {
        const answer = world.machine.check(raise, verifyStrict, levelKnown)
        return answer.kind === 'noise' ? answer.refusal.code : answer.kind
      }
      assert.equal(check(featureLevelMax - 1), 'FEATURE_LEVEL')
      assert.equal(check(featureLevelMax), 'append')

      // A command of that level, while the committed one is lower: a node that joins.
      const join = { '/sys/nodes/node-4': json(nodeAt('node-4', 7104)) }
      const early = world.propose({ by: 'alice', set: join }).result
      assert.equal(early?.kind === 'refused' ? early.refusal.code : '', 'FEATURE_LEVEL')
      const late = new World({ genesis: { featureLevel: featureLevelMax } })
      late.tick()
      assert.equal(late.propose({ by: 'alice', set: join }).result?.kind, 'accepted')
      resolve()
    }),
}
