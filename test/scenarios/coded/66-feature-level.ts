/** What a member's build does not know is not let into the log. */
import assert from 'node:assert/strict'
import { featureLevelMax, type Command } from '../../../src/machine/index.js'
import { verifyStrict } from '../../../src/signing/index.js'
import { World, json, nodeAt } from '../../machine/world.js'
import type { CodedScenario } from './scenario.js'

export const featureLevel: CodedScenario = {
  number: 66,
  name: '66-feature-level',
  title: 'a command of version N+1 with a member of version N',
  source: 'L capabilities',
  proves:
    'the leader lets neither the level nor an approval of it into the log until every member is known to know it; before, its commands are refused',
  run: () =>
    new Promise((resolve) => {
      const world = new World()
      world.tick()
      const answerTo = (command: Command, ...builds: readonly (number | null)[]): string => {
        const members = builds.map((level, at) => ({
          id: `node-${String(at + 1)}`,
          featureLevelMax: level,
        }))
        const answer = world.machine.check(command, verifyStrict, members)
        return answer.kind === 'noise' ? answer.refusal.code : answer.kind
      }
      const raise = { by: 'alice', set: { '/sys/cluster/featureLevel': featureLevelMax } }
      const proposal = world.proposeCommand(raise)
      assert.equal(answerTo(proposal, featureLevelMax, featureLevelMax - 1), 'LEVEL_UNSUPPORTED')
      // Node 2 is down, and this leader has never heard it: its program may be an old one.
      assert.equal(answerTo(proposal, featureLevelMax, null), 'LEVEL_UNSUPPORTED')
      assert.equal(answerTo(proposal, featureLevelMax, featureLevelMax), 'append')
      // Proposed while all were there; when it is approved, node 2 is down.
      const { changeId } = world.propose(raise)
      const approval = world.decisionCommand('approve', 'bob', changeId)
      assert.equal(answerTo(approval, featureLevelMax, null), 'LEVEL_UNSUPPORTED')
      assert.equal(answerTo(approval, featureLevelMax, featureLevelMax), 'append')

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
