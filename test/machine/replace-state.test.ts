/** A snapshot takes the place of the state under the same machine and the same readers. */
import fc from 'fast-check'
import t from 'tap'
import { createMachine } from '../../src/machine/index.js'
import type { Machine, StateWrite } from '../../src/machine/index.js'
import { verifyStrict } from '../../src/signing/index.js'
import { play, scripts } from './script.js'
import { World } from './world.js'
import '../property-seed.js'

const humans = ['alice', 'bob', 'carol', 'dave']
type Records = Map<string, Uint8Array>

function keep(records: Records, writes: readonly StateWrite[]): void {
  for (const { key, value } of writes) {
    if (value === null) records.delete(key)
    else records.set(key, value)
  }
}

function applyNext(machine: Machine, world: World, index: number): readonly StateWrite[] {
  const command = world.log[index - 1] ?? null
  const applied =
    command === null
      ? machine.skip(index, 1)
      : machine.apply({ index, term: 1, command }, verifyStrict)
  return applied.writes
}

await t.test('a machine that jumps by a snapshot goes on like one that applied it all', (t) => {
  fc.assert(
    fc.property(scripts, fc.nat(), fc.nat(), (script, from, to) => {
      const world = new World({ humans, genesis: { featureLevel: 2 } })
      play(world, script)
      const last = world.log.length
      const behind = from % (last + 1)
      const jump = behind + (to % (last + 1 - behind))
      const whole = createMachine(world.genesis, world.clusterId)
      const jumping = createMachine(world.genesis, world.clusterId)
      const { reads } = jumping
      const records: Records = new Map()
      keep(records, whole.genesisWrites())
      for (let index = 1; index <= last; index++) {
        keep(records, applyNext(whole, world, index))
        if (index <= behind) applyNext(jumping, world, index)
        if (index === jump) {
          jumping.replaceState(records, { index, digest: whole.status().stateDigest })
        }
        if (index > jump) applyNext(jumping, world, index)
      }
      if (jump === 0)
        for (let index = behind + 1; index <= last; index++) applyNext(jumping, world, index)
      t.same(jumping.status(), whole.status())
      t.equal(jumping.reads, reads, 'readers keep their reference')
      t.same(reads.status(), whole.reads.status())
      t.same(reads.changes({ limit: 100 }), whole.reads.changes({ limit: 100 }))
      t.same(reads.list('/', { limit: 100 }), whole.reads.list('/', { limit: 100 }))
      t.same([...jumping.writtenSince(0, '/')], [...whole.writtenSince(0, '/')])
      t.same(jumping.timedPending(), whole.timedPending())
      t.same(jumping.membership(), whole.membership())
      t.equal(jumping.recomputeDigest(), whole.status().stateDigest)
    }),
    { numRuns: 15 },
  )
  t.end()
})

await t.test('a damaged snapshot changes nothing', (t) => {
  const world = new World()
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
  const { machine } = world
  const whole = createMachine(world.genesis, world.clusterId)
  const records: Records = new Map()
  keep(records, whole.genesisWrites())
  world.log.forEach((_, i) => {
    keep(records, applyNext(whole, world, i + 1))
  })
  const { appliedIndex: index, stateDigest: digest } = machine.status()
  const good = [...records]
  const bad: readonly (readonly [string, Iterable<readonly [string, Uint8Array]>, object])[] = [
    ['another digest', good, { index, digest: '0'.repeat(64) }],
    ['another index', good, { index: index + 1, digest }],
    ['a record missing', good.slice(1), { index, digest }],
    ['no record', [], { index, digest }],
    ['an unknown table', [...good, ['other/1', new Uint8Array([0x7b, 0x7d])]], { index, digest }],
    ['no JSON', [...good, ['person/x', new Uint8Array([1])]], { index, digest }],
  ]
  for (const [what, given, applied] of bad) {
    t.throws(
      () => {
        machine.replaceState(given, applied as { index: number; digest: string })
      },
      { code: 'STORE_DAMAGED' },
      what,
    )
    t.equal(machine.recomputeDigest(), digest, `${what}: the state stands`)
    t.equal(world.value('/prod/a'), 1)
  }
  machine.replaceState(good, { index, digest })
  t.equal(machine.status().stateDigest, digest)
  world.carry({ by: 'alice', set: { '/prod/a': 2 } }, ['bob', 'carol'])
  t.equal(world.value('/prod/a'), 2)
  t.end()
})
