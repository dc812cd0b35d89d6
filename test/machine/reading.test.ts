import t from 'tap'
import { createMachine } from '../../src/machine/index.js'
import type { Command } from '../../src/machine/index.js'
import { verifyStrict, type Verify } from '../../src/signing/index.js'
import { World } from './world.js'

function counting(): { readonly verify: Verify; readonly calls: () => number } {
  let calls = 0
  return {
    verify: (...input) => {
      calls += 1
      return verifyStrict(...input)
    },
    calls: () => calls,
  }
}

/** The same bytes in objects of their own, as a follower decodes them. */
const decodedAnew = (command: Extract<Command, { kind: 'submit' }>): typeof command => ({
  kind: 'submit',
  envelope: { ...command.envelope },
  detached: [...command.detached],
})

const proposed = (world: World) => world.proposeCommand({ by: 'alice', set: { '/prod/a': 1 } })

await t.test('the leader checks a signature once, for its pre-check and for apply', (t) => {
  const world = new World()
  const command = proposed(world)
  const leader = counting()
  t.equal(world.machine.check(command, leader.verify).kind, 'append')
  const applied = world.machine.apply({ index: world.index + 1, term: 1, command }, leader.verify)
  t.equal(applied.result?.kind, 'accepted')
  t.equal(leader.calls(), 1)
  t.end()
})

await t.test('checked ahead or not, an entry does the same', (t) => {
  const world = new World()
  const good = proposed(world)
  const signature = good.envelope.signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  const forged = { ...good, envelope: { ...good.envelope, signature } }
  const leader = createMachine(world.genesis, world.clusterId)
  const follower = createMachine(world.genesis, world.clusterId)
  for (const [at, command] of [forged, good, good].entries()) {
    leader.check(command, verifyStrict)
    const entry = { index: at + 1, term: 1 }
    t.strictSame(
      leader.apply({ ...entry, command }, verifyStrict),
      follower.apply({ ...entry, command: decodedAnew(command) }, verifyStrict),
    )
  }
  t.end()
})

await t.test('an answer is kept for the check that gave it, and for no other', (t) => {
  const world = new World()
  const command = proposed(world)
  t.equal(world.machine.check(command, () => true).kind, 'append')
  const applied = world.machine.apply({ index: world.index + 1, term: 1, command }, () => false)
  t.equal(applied.result?.kind, 'refused')
  t.end()
})
