import fc from 'fast-check'
import t from 'tap'
import { payloadType, signBody } from '../../src/signing/index.js'
import { World, day, hour, json, minute, monday, outcome, person, signerOf } from './world.js'
import type { StampOf } from './world.js'
import '../property-seed.js'

const five = ['alice', 'bob', 'carol', 'dave', 'erin']

await t.test('the smallest of exactly a majority of stamps is the new time', async (t) => {
  const world = new World({ nodes: 5 })
  const tick = (...stamps: readonly StampOf[]): string =>
    outcome(world.apply(world.tickCommand(stamps)))
  const of = (i: number, ms: number): StampOf => ({ node: `node-${String(i)}`, ms: monday + ms })
  t.equal(tick(of(1, 30), of(2, 10), of(3, 20)), 'accepted')
  t.equal(world.machine.logTime, monday + 10)
  t.equal(tick(of(1, 50), of(2, 60)), 'BODY_INVALID', 'too few')
  t.equal(tick(of(1, 50), of(2, 60), of(3, 70), of(4, 80)), 'BODY_INVALID', 'too many')
  t.equal(tick(of(1, 50), of(1, 60), of(2, 70)), 'BODY_INVALID', 'one node twice')
  t.equal(tick(of(1, 50), of(2, 60), of(9, 70)), 'BODY_INVALID', 'no node of this cluster')
  t.equal(tick(of(1, 50), of(2, 60), of(3, 10)), 'BODY_INVALID', 'it must exceed the old')
  t.equal(world.machine.logTime, monday + 10)
  t.equal(world.machine.status().noise, 5)
})

await t.test('f liars of 2f+1 cannot push time past an honest clock', (t) => {
  for (const nodes of [3, 5, 7]) {
    const f = (nodes - 1) / 2
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: nodes, maxLength: nodes }),
        fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: f, maxLength: f }),
        fc.shuffledSubarray(
          Array.from({ length: nodes }, (_, i) => i),
          { minLength: f + 1, maxLength: f + 1 },
        ),
        (honest, lies, chosen) => {
          const world = new World({ nodes })
          // The first f nodes lie; the leader picks whichever majority it likes.
          const stamps = chosen.map((i) => ({
            node: `node-${String(i + 1)}`,
            ms: monday + (lies[i] ?? honest[i] ?? 0),
          }))
          world.apply(world.tickCommand(stamps))
          const latestHonest = Math.max(...honest.slice(f))
          return world.machine.logTime <= monday + latestHonest
        },
      ),
      { numRuns: 40 },
    )
  }
  t.end()
})

await t.test('stamps cannot be hoarded', async (t) => {
  const world = new World()
  const hoarded = world.tickCommand([
    { node: 'node-1', ms: monday + hour },
    { node: 'node-2', ms: monday + hour },
  ])
  world.tick(minute)
  t.match(world.apply(hoarded).result, {
    refusal: { code: 'BODY_INVALID', details: { lastTickIndex: world.machine.lastTickIndex } },
  })
  t.equal(world.machine.logTime, monday + minute)
})

await t.test('stamps are signed by the node key, for this cluster', async (t) => {
  const world = new World()
  const good = world.stamp('node-1', monday + 5)
  const body = {
    v: 1,
    clusterId: world.clusterId,
    node: 'node-2',
    keyId: signerOf('node-2 node').keyId,
    notAfter: monday + day,
    ms: monday + 5,
    lastIndex: world.index,
  }
  const tick = (fields: object, signer = signerOf('node-2 node'), word = 'stamp' as const) => {
    const second = signBody(payloadType(word), { ...body, ...fields }, signer)
    return outcome(world.apply({ kind: 'tick', stamps: [good, second] }))
  }
  t.equal(tick({ clusterId: '00'.repeat(32) }), 'WRONG_CLUSTER')
  t.equal(tick({ keyId: signerOf('node-2 log').keyId }, signerOf('node-2 log')), 'BODY_INVALID')
  t.equal(tick({ keyId: signerOf('alice').keyId }, signerOf('alice')), 'BODY_INVALID')
  t.equal(tick({ notAfter: monday - 1 }), 'BODY_INVALID')
  const forged = signBody(payloadType('stamp'), body, signerOf('node-2 node'))
  const signature = forged.signature.slice()
  signature[0] = (signature[0] ?? 0) ^ 1
  const broken = { ...forged, signature }
  t.equal(outcome(world.apply({ kind: 'tick', stamps: [good, broken] })), 'BAD_SIGNATURE')
  t.equal(tick({}), 'accepted')
})

await t.test('a node key cannot speak for a person, nor a person for a node', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  const signer = signerOf('node-1 node')
  const forged = world.decisionCommand('approve', 'bob', changeId, {}, signer)
  t.equal(outcome(world.apply(forged)), 'UNKNOWN_KEY')
})

await t.test('what waits for log time', async (t) => {
  const world = new World({ humans: five })
  t.same(world.machine.timedPending(), { pending: false, startsWait: false })
  const { changeId } = world.propose({ by: 'alice', schedule: { notBefore: monday + 3 * hour } })
  t.same(
    world.machine.timedPending(),
    { pending: true, startsWait: true },
    'its start is taken from the next Tick',
  )
  world.tick(minute)
  t.same(world.machine.timedPending(), {
    pending: true,
    startsWait: false,
    next: monday + minute + 72 * hour,
  })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  world.tick(minute)
  t.same(world.machine.timedPending(), {
    pending: true,
    startsWait: false,
    next: monday + 3 * hour,
  })
  world.tickTo(monday + 3 * hour)
  t.equal(world.state(changeId), 'ACTIVE')
  t.same(world.machine.timedPending(), { pending: false, startsWait: false })
})

await t.test('a new key waits for its first Tick', async (t) => {
  const world = new World()
  const set = {
    '/sys/people/dave': json(person('dave')),
    [`/sys/keys/${signerOf('dave').keyId}`]: json(world.newKey('dave')),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  t.same(world.machine.timedPending(), { pending: true, startsWait: true })
  world.tick()
  t.same(world.machine.timedPending(), { pending: false, startsWait: false })
})

await t.test('the first command after an idle spell, with no Tick before it', async (t) => {
  const windows = [{ days: ['wed'], from: '8h', to: '9h' }] as const
  const world = new World({ humans: five, prod: { windows, bake: { for: '1h' } } })
  const { changeId } = world.propose({ by: 'alice' })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  // Days have passed, and log time learns it only now.
  world.tickTo(monday + 20 * day)
  t.equal(world.state(changeId), 'APPROVED')
  t.equal(world.change(changeId).openDeadline, monday + 23 * day)
  const opening = monday + 23 * day + 8 * hour
  t.equal(world.change(changeId).useDeadline, opening + 8 * hour)
  world.tickTo(opening)
  t.equal(world.state(changeId), 'ACTIVE')
})

await t.test('a message is refused once log time is past its notAfter', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  world.tick(hour)
  const at = (notAfter: number): string => outcome(world.approve('bob', changeId, { notAfter }))
  t.equal(at(world.now - 1), 'EXPIRED')
  t.equal(at(world.now + 30 * day + 1), 'BODY_INVALID')
  t.equal(at(world.now), 'OPEN')
})
