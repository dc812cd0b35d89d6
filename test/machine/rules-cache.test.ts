/** What a machine remembers of rules shows nowhere: one that remembers nothing writes the same. */
import fc from 'fast-check'
import t from 'tap'
import { createMachine, restoreMachine } from '../../src/machine/index.js'
import type { StateWrite } from '../../src/machine/index.js'
import { verifyStrict } from '../../src/signing/index.js'
import { play, scripts } from './script.js'
import { World, json, policy, rule } from './world.js'
import '../property-seed.js'

const humans = ['alice', 'bob', 'carol', 'dave']

/** Every entry is applied by a machine that was restored just before, too. */
function judgeAgainCold(world: World): readonly string[] {
  const warm = createMachine(world.genesis, world.clusterId)
  const records = new Map<string, Uint8Array>()
  const keep = (writes: readonly StateWrite[]): void => {
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
  }
  keep(warm.genesisWrites())
  return world.log.flatMap((command, i) => {
    const index = i + 1
    const cold = restoreMachine(world.genesis, world.clusterId, records)
    const [one, other] = [warm, cold].map((machine) =>
      command === null
        ? machine.skip(index, 1)
        : machine.apply({ index, term: 1, command }, verifyStrict),
    )
    keep(one?.writes ?? [])
    return one?.digest === other?.digest ? [] : [`entry ${String(index)}`]
  })
}

/** Policies that come, bind some of the open changes, change and go again. */
const policyMoves = fc.array(
  fc.record({
    name: fc.constantFrom('extra', 'more'),
    glob: fc.constantFrom('/prod/**', '/prod/a', '/prod/b', '/elsewhere/**'),
    count: fc.integer({ min: 2, max: 3 }),
    isGone: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
)

await t.test('cold and warm machines give equal states', (t) => {
  fc.assert(
    fc.property(scripts, policyMoves, (script, policies) => {
      const world = new World({ humans, genesis: { featureLevel: 2 } })
      for (const name of ['a', 'b']) {
        const { changeId } = world.propose({ by: 'alice', set: { [`/prod/${name}`]: 1 } })
        world.approve('bob', changeId)
      }
      for (const { name, glob, count, isGone } of policies) {
        const document = policy(
          rule(name, [glob], { need: [{ count, group: 'operators' }], open: '70h' }),
        )
        const set = { [`/sys/policies/${name}`]: isGone ? null : json(document) }
        const { changeId } = world.propose({ by: 'dave', set })
        for (const by of ['alice', 'bob', 'carol']) world.approve(by, changeId)
        world.tick()
      }
      play(world, script)
      t.same(judgeAgainCold(world), [])
    }),
    { numRuns: 12 },
  )
  t.end()
})

await t.test('open changes follow a policy that comes, changes and goes', (t) => {
  const world = new World({ humans, genesis: { featureLevel: 2 } })
  const inside = world.propose({ by: 'alice', set: { '/prod/a': 1 } }).changeId
  const outside = world.propose({ by: 'alice', set: { '/prod/b': 1 } }).changeId
  const digests = (): readonly string[] =>
    [inside, outside].map((id) => world.change(id).rulesDigest)
  const [first, other] = digests()
  const bind = (count: number): void => {
    const document = policy(rule('extra', ['/prod/a'], { need: [{ count, group: 'operators' }] }))
    world.carry({ by: 'dave', set: { '/sys/policies/extra': json(document) } }, ['bob', 'carol'])
  }
  bind(2)
  const [second] = digests()
  t.not(second, first)
  bind(3)
  t.not(digests()[0], second, 'a changed policy binds as it reads now')
  world.carry({ by: 'dave', set: { '/sys/policies/extra': null } }, ['bob', 'carol'])
  t.same(digests(), [first, other], 'a policy that is gone binds nobody')
  t.end()
})
