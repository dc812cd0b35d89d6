/** Attempts to stop, stall, split or outvote the machine with messages that are signed properly. */
import t from 'tap'
import type { Rule } from '../../src/approval/index.js'
import { restoreMachine } from '../../src/machine/index.js'
import type { StateWrite } from '../../src/machine/index.js'
import { encodeDetached, envelopeFromJson, verifyStrict } from '../../src/signing/index.js'
import type { Json } from '../../src/signing/index.js'
import {
  World,
  day,
  group,
  hour,
  json,
  outcome,
  person,
  policy,
  rule,
  signerOf,
  transitions,
} from './world.js'

const four = ['alice', 'bob', 'carol', 'dave']
const operators = (...members: readonly string[]): Json => json(group('operators', members))

await t.test('moments that no record could hold stop at the largest safe integer', async (t) => {
  await t.test('a schedule at the end of time', async (t) => {
    const world = new World()
    const schedule = { notBefore: Number.MAX_SAFE_INTEGER }
    const { changeId } = world.propose({ by: 'alice', schedule })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    world.tick()
    t.equal(world.state(changeId), 'APPROVED')
    t.equal(world.machine.status().stateDigest, world.machine.recomputeDigest())
  })
  await t.test('a delay and a deadline of 99,999 days', async (t) => {
    const world = new World({ governance: { weakeningDelay: '99999d', use: '99999d' } })
    const loose = policy(rule('prod', ['/prod/**'], { open: '90h' }))
    const { changeId } = world.propose({ by: 'alice', set: { '/sys/policies/prod': json(loose) } })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    world.tick()
    t.equal(world.state(changeId), 'APPROVED')
  })
  await t.test('the last sequence number', async (t) => {
    const world = new World()
    const { changeId } = world.propose({ by: 'alice' })
    const last = Number.MAX_SAFE_INTEGER - 1
    t.equal(outcome(world.approve('bob', changeId, { seq: last + 1 })), 'BODY_INVALID')
    t.equal(outcome(world.approve('bob', changeId, { seq: last })), 'OPEN')
    const { result } = world.revoke('bob', changeId)
    t.match(result, { refusal: { code: 'REPLAYED', details: { last, next: last + 1 } } })
  })
  await t.test('clocks at the end of time', async (t) => {
    const world = new World({ prod: { bake: { for: '99999d' } } })
    world.carry({ by: 'alice' }, ['bob', 'carol'])
    world.propose({ by: 'bob', set: { '/prod/b': 1 } })
    world.now = Number.MAX_SAFE_INTEGER - 2 * day
    t.equal(outcome(world.tick()), 'accepted')
    t.equal(world.machine.status().stateDigest, world.machine.recomputeDigest())
  })
})

await t.test('one proposal cannot make the nodes judge without end', async (t) => {
  const world = new World({ humans: four })
  const propose = (rules: readonly Rule[]): string =>
    outcome(world.propose({ by: 'alice', set: { '/sys/policies/x': json(policy(...rules)) } }))
  const ids = (length: number): readonly string[] =>
    Array.from({ length }, (_, i) => `r${String(i)}`)
  const globs = (length: number, on: string): readonly string[] =>
    ids(length).map((id) => `${on}/${id}`)
  t.equal(propose(ids(31).map((id) => rule(id, ['/*/*/x']))), 'OPEN')
  t.equal(propose(ids(32).map((id) => rule(id, ['/*/*/x']))), 'TOO_LARGE', 'rules on /sys/')
  t.equal(propose(ids(5).map((id) => rule(id, globs(26, `/sys/*`)))), 'TOO_LARGE', 'globs there')
  const global = { distinct: 'global', need: [{ count: 2, group: 'operators' }] } as const
  t.equal(propose(ids(2).map((id) => rule(id, globs(32, `/${id}`), global))), 'OPEN')
  t.equal(propose(ids(3).map((id) => rule(id, globs(32, `/${id}`), global))), 'TOO_LARGE')
})

await t.test('at most 32 rules bind a change', async (t) => {
  const rules = Array.from({ length: 32 }, (_, i) => ({
    id: `r${String(i)}`,
    paths: ['/prod/a', '/prod/b'].slice(0, i === 31 ? 1 : 2),
  }))
  const world = new World({ policies: [{ name: 'many', document: policy(...rules) }] })
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/b': 1 } })), 'OPEN')
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/a': 1 } })), 'TOO_LARGE')
  const { changeId } = world.propose({ by: 'alice', set: { '/prod/c': 1 } })
  const more = policy(...rules.map((one) => ({ ...one, paths: ['/prod/*'] })))
  world.carry({ by: 'bob', set: { '/sys/policies/many': json(more) } }, ['alice', 'carol'])
  t.equal(world.state(changeId), 'VOIDED', 'and an open one is judged again')
})

await t.test('a restored node gives the very same answer', async (t) => {
  const world = new World({ humans: four })
  const records = new Map<string, Uint8Array>()
  const keep = (writes: readonly StateWrite[]): void => {
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
  }
  keep(world.machine.genesisWrites())
  const strict = (group: string): Json =>
    json(policy({ id: 'more', paths: [`/${group}/**`], need: [{ count: 2, group: 'operators' }] }))
  const run = (index: number): void => {
    const command = world.log[index - 1]
    keep(
      command === null || command === undefined
        ? shadow.skip(index, 1).writes
        : shadow.apply({ index, term: 1, command }, verifyStrict).writes,
    )
  }
  const shadow = restoreMachine(world.genesis, world.clusterId, records)
  for (const name of ['zeta', 'alpha']) {
    world.carry({ by: 'alice', set: { [`/sys/policies/${name}`]: strict(name) } }, ['bob', 'carol'])
  }
  for (let index = 1; index <= world.index; index++) run(index)
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1))
  const restored = restoreMachine(world.genesis, world.clusterId, sorted)
  const proposed = world.propose({
    by: 'alice',
    set: { '/sys/groups/operators': operators('alice', 'bob') },
  })
  const index = world.index
  const again = restored.apply({ index, term: 1, command: proposed.command }, verifyStrict)
  t.equal(outcome(proposed), 'WOULD_STRAND_QUORUM', 'several rules fail, one is named')
  t.same(again.result, proposed.result)
  t.equal(again.digest, proposed.digest)
})

await t.test('no policy shuts /sys/ by time', async (t) => {
  const world = new World({ humans: four })
  const govern = (name: string, fields: Partial<Rule>): string => {
    const document = policy({ id: 'extra', paths: ['/sys/**'], ...fields })
    return outcome(
      world.propose({ by: 'alice', set: { [`/sys/policies/${name}`]: json(document) } }),
    )
  }
  t.equal(govern('extra', { open: '0s' }), 'POLICY_UNSATISFIABLE')
  t.equal(govern('extra', { use: '0s' }), 'POLICY_UNSATISFIABLE')
  t.equal(
    govern('extra', { paths: ['/prod/**'], open: '0s' }),
    'OPEN',
    'elsewhere it can be undone',
  )
  const tuesday = { days: ['tue'], from: '8h', to: '9h' } as const
  const sunday = { days: ['sun'], from: '8h', to: '9h' } as const
  t.equal(govern('extra', { windows: [tuesday] }), 'OPEN')
  const both = policy(
    { id: 'a', paths: ['/sys/policies/extra'], windows: [tuesday] },
    { id: 'b', paths: ['/sys/**'], windows: [sunday] },
  )
  const set = { '/sys/policies/extra': json(both) }
  t.equal(outcome(world.propose({ by: 'alice', set })), 'POLICY_UNSATISFIABLE')
})

await t.test('a longer deadline is a weakening, wherever it comes from', async (t) => {
  const weakening = (before: Partial<Rule>, extra: Rule): string => {
    const world = new World({ humans: four, prod: before, governance: { weakeningDelay: '1h' } })
    const set = { '/sys/policies/extra': json(policy(extra)) }
    const { changeId } = world.propose({ by: 'alice', set })
    world.approve('bob', changeId)
    return outcome(world.approve('carol', changeId))
  }
  const extra: Rule = { id: 'extra', paths: ['/prod/**'] }
  t.equal(weakening({}, { ...extra, open: '72h' }), 'ACTIVE')
  t.equal(weakening({}, { ...extra, open: '73h' }), 'APPROVED', 'replaces the default')
  t.equal(weakening({}, { ...extra, use: '9h' }), 'APPROVED')
})

await t.test('so is leaving the deadline to another rule, which has a longer one', async (t) => {
  const long = policy({ id: 'long', paths: ['/prod/**'], open: '300h' })
  for (const [policies, state] of [
    [[{ name: 'long', document: long }], 'APPROVED'],
    [[], 'ACTIVE'],
  ] as const) {
    const governance = { weakeningDelay: '1h' }
    const world = new World({ humans: four, prod: { open: '80h' }, governance, policies })
    const propose = { groups: ['operators'], agents: 'sponsored' } as const
    const silent = json(policy(rule('prod', ['/prod/**'], { propose })))
    const { changeId } = world.propose({ by: 'alice', set: { '/sys/policies/prod': silent } })
    world.approve('bob', changeId)
    t.equal(outcome(world.approve('carol', changeId)), state)
  }
})

await t.test('approving again after the deadline does not start `use` anew', async (t) => {
  const world = new World({ humans: four, prod: { open: '1h', use: '8h' } })
  const { changeId } = world.propose({ by: 'alice', activate: 'manual' })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  world.tick()
  world.tick(7 * hour)
  t.equal(outcome(world.revoke('bob', changeId)), 'OPEN')
  t.equal(outcome(world.approve('bob', changeId)), 'OPEN', 'open was over hours ago')
  t.equal(outcome(world.activate('alice', changeId)), 'EXPIRED')
  t.same(transitions(world.tick()), ['0001 OPEN->EXPIRED EXPIRED'])
})

await t.test('a veto that is filled by a change of its group', async (t) => {
  const world = new World({
    humans: four,
    groups: [group('leads', ['alice'])],
    prod: { veto: [{ count: 1, group: 'leads' }] },
  })
  const { changeId } = world.propose({ by: 'alice' })
  t.equal(outcome(world.reject('bob', changeId)), 'OPEN', 'bob is no lead')
  const leads = json(group('leads', ['alice', 'bob']))
  world.carry({ by: 'alice', set: { '/sys/groups/leads': leads } }, ['carol', 'dave'])
  t.equal(world.state(changeId), 'REJECTED')
})

await t.test('keys', async (t) => {
  const register = (world: World, key = world.newKey('erin')): void => {
    const set = { '/sys/people/erin': json(person('erin')), [`/sys/keys/${key.keyId}`]: json(key) }
    world.carry({ by: 'alice', set }, ['bob', 'carol'])
  }
  await t.test('the proof of possession is no acknowledgement', async (t) => {
    const world = new World()
    const key = world.newKey('erin')
    register(world, key)
    const proof = envelopeFromJson(key.proof ?? null)
    t.equal(proof.kind === 'ok' && outcome(world.submit(proof.envelope)), 'REPLAYED')
    world.tick()
    const { changeId } = world.propose({ by: 'alice' })
    t.equal(outcome(world.approve('erin', changeId)), 'KEY_PENDING')
    t.equal(outcome(world.acknowledge('erin')), 'accepted')
  })
  await t.test('a proof stays as it was', async (t) => {
    const world = new World({ humans: four })
    const key = world.newKey('erin')
    register(world, key)
    const put = (fields: object): string => {
      const set = { [`/sys/keys/${key.keyId}`]: json({ ...key, ...fields }) }
      return outcome(world.propose({ by: 'alice', set }))
    }
    t.equal(put({ status: 'revoked' }), 'OPEN')
    t.equal(put({ status: 'revoked', proof: { any: 'thing' } }), 'BODY_INVALID')
    t.equal(
      put({ status: 'revoked', proof: json(world.newKey('erin', signerOf('x')).proof) }),
      'BODY_INVALID',
    )
  })
})

await t.test('a detached part has one signed size', async (t) => {
  const world = new World()
  const part = encodeDetached('x', '00'.repeat(16))
  const op = (path: string, size: number) =>
    ({ action: 'put', path, detached: { digest: part.digest, size } }) as const
  const put = (sizes: readonly number[], more: object = {}): string => {
    const ops = sizes.map((size, i) => op(`/prod/${String(i)}`, size))
    return outcome(world.propose({ by: 'alice', ops, detached: [part.bytes], ...more }))
  }
  t.equal(put([part.size, part.size]), 'OPEN')
  t.equal(put([999, part.size]), 'BODY_INVALID')
  t.equal(put([999], { rationaleDigest: part.digest }), 'BODY_INVALID')
  t.equal(put([part.size], { rationaleDigest: part.digest }), 'OPEN')
})

await t.test('a field of a later level does not hide in the way back', async (t) => {
  const world = new World()
  const op = { action: 'put', path: '/prod/a', value: 1, schemaId: 'x' } as const
  const rollback = { plan: 'ops', ops: [op] } as const
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/a': 2 }, rollback })), 'FEATURE_LEVEL')
})

await t.test('keys of genesis are past the cool-off, or there is no genesis', (t) => {
  const founded = (createdAt: number, coolOff: string): World =>
    new World({ genesis: { createdAt, coolOff } })
  t.throws(() => founded(hour - 1, '1h'), /coolOff/)
  const world = founded(hour, '1h')
  const { changeId } = world.propose({ by: 'alice' })
  t.equal(outcome(world.approve('bob', changeId)), 'OPEN')
  t.end()
})
