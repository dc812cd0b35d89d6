import t from 'tap'
import { createMachine } from '../../src/machine/index.js'
import { payloadType, signBody, verifyStrict } from '../../src/signing/index.js'
import type { JsonObject } from '../../src/signing/index.js'
import {
  World,
  day,
  group,
  hour,
  json,
  keyOf,
  minute,
  monday,
  outcome,
  person,
  policy,
  rule,
  signerOf,
  transitions,
} from './world.js'
import type { WorldOptions } from './world.js'

const five = ['alice', 'bob', 'carol', 'dave', 'erin']
const buildsOf = (...levels: readonly (number | null)[]) =>
  levels.map((featureLevelMax, at) => ({ id: `node-${String(at + 1)}`, featureLevelMax }))
const provenance = { model: 'm', promptDigest: '00', tool: 'importer' }

await t.test('two keys of one person are one approval', async (t) => {
  const second = signerOf('bob second')
  const keys = [
    ...['alice', 'bob', 'carol'].map((name) => keyOf(name)),
    keyOf('bob second', { person: 'bob' }),
  ]
  const people = ['alice', 'bob', 'carol'].map((name) => person(name))
  const world = new World({ people, keys })
  const { changeId } = world.propose({ by: 'alice' })
  world.approve('bob', changeId)
  t.equal(outcome(world.decide('approve', 'bob', changeId, {}, second)), 'OPEN')
  t.equal(world.change(changeId).approvals, 1)
  t.equal(outcome(world.approve('carol', changeId)), 'ACTIVE')
})

await t.test('two seats want two persons, and greedy filling does not lose one', async (t) => {
  const options: WorldOptions = {
    humans: five,
    groups: [
      group('platform', ['bob', 'carol', 'dave', 'erin']),
      group('security', ['bob', 'dave']),
    ],
    prod: {
      need: [
        { count: 1, group: 'platform' },
        { count: 1, group: 'security' },
      ],
    },
  }
  await t.test('one person in both groups fills one seat', async (t) => {
    const world = new World(options)
    const { changeId } = world.propose({ by: 'alice' })
    t.equal(outcome(world.approve('bob', changeId)), 'OPEN')
    t.equal(world.change(changeId).explanation.seats.filter((seat) => seat.filledBy).length, 1)
  })
  for (const order of [
    ['bob', 'carol'],
    ['carol', 'bob'],
  ]) {
    await t.test(`bob holds both, carol one: ${order.join(' then ')}`, async (t) => {
      const world = new World(options)
      const { changeId } = world.carry({ by: 'alice' }, order)
      t.same(
        world
          .change(changeId)
          .activation?.counted.map(({ person, seats }) => [person, seats.map(({ line }) => line)]),
        [
          ['bob', [1]],
          ['carol', [0]],
        ],
        'the recorded matching does not depend on the order of arrival',
      )
    })
  }
})

await t.test('an approver who goes before activation takes the approval along', async (t) => {
  const world = new World({ humans: five })
  const { changeId } = world.propose({ by: 'alice', activate: 'manual' })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  const suspended = json(person('carol', { status: 'suspended' }))
  const out = world.propose({ by: 'alice', set: { '/sys/people/carol': suspended } })
  world.approve('dave', out.changeId)
  t.same(transitions(world.approve('erin', out.changeId)).slice(2), [
    '0001 APPROVED->OPEN NOT_APPROVED',
  ])
  t.equal(outcome(world.activate('alice', changeId)), 'NOT_APPROVED')
  t.match(
    world.change(changeId).decisions.find((one) => one.person === 'carol'),
    { counts: false, whyNot: { code: 'PERSON_INACTIVE' } },
  )
  t.equal(outcome(world.approve('dave', changeId)), 'APPROVED')
})

await t.test('so does a revoked key, and leaving the group', async (t) => {
  const world = new World({ humans: five, groups: [group('payments', ['bob', 'carol', 'dave'])] })
  const waiting = (path: string): string => {
    const schedule = { notBefore: monday + day }
    const { changeId } = world.propose({ by: 'alice', set: { [path]: 1 }, schedule })
    world.approve('bob', changeId)
    t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
    return changeId
  }
  const first = waiting('/prod/a')
  const fewer = json(group('operators', ['alice', 'bob', 'dave', 'erin']))
  world.carry({ by: 'alice', set: { '/sys/groups/operators': fewer } }, ['bob', 'dave'])
  t.equal(world.state(first), 'OPEN')
  const all = json(group('operators', five))
  world.carry({ by: 'alice', set: { '/sys/groups/operators': all } }, ['bob', 'dave'])
  t.equal(world.state(first), 'APPROVED', 'who is back in the group counts again')
  const { keyId } = signerOf('carol')
  const revoked = json(keyOf('carol', { status: 'revoked' }))
  world.carry({ by: 'alice', set: { [`/sys/keys/${keyId}`]: revoked } }, ['bob', 'dave'])
  t.equal(world.state(first), 'OPEN')
  t.equal(outcome(world.approve('carol', first)), 'KEY_REVOKED')
  world.tick(day)
  t.equal(world.state(first), 'OPEN')
})

await t.test('rules tightened after the quorum', async (t) => {
  const world = new World({ humans: five })
  const { changeId } = world.propose({ by: 'alice', activate: 'manual' })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  const tight = policy(rule('prod', ['/prod/**'], { need: [{ count: 3, group: 'operators' }] }))
  const tightening = world.propose({ by: 'dave', set: { '/sys/policies/prod': json(tight) } })
  world.approve('bob', tightening.changeId)
  const { rulesDigest } = world.change(changeId)
  t.same(transitions(world.approve('carol', tightening.changeId)).slice(2), [
    '0001 APPROVED->OPEN RULES_CHANGED',
  ])
  t.not(world.change(changeId).rulesDigest, rulesDigest)
  t.match(world.change(changeId).decisions, [
    { counts: false, whyNot: { code: 'RULES_CHANGED' } },
    { counts: false, whyNot: { code: 'RULES_CHANGED' } },
  ])
  t.equal(outcome(world.approve('dave', changeId, { rulesDigest })), 'RULES_CHANGED')
  for (const by of ['bob', 'carol', 'dave']) world.approve(by, changeId)
  t.equal(world.state(changeId), 'APPROVED')
})

await t.test('a policy edit that leaves the effective rules alone voids nothing', async (t) => {
  const world = new World({ humans: five })
  const { changeId } = world.propose({ by: 'alice' })
  world.approve('bob', changeId)
  const noted = policy(
    rule('prod', ['/prod/**'], {
      propose: { groups: ['operators'], agents: 'sponsored' },
      note: 'Only the note has changed.',
    }),
  )
  world.carry({ by: 'dave', set: { '/sys/policies/prod': json(noted) } }, ['bob', 'carol'])
  t.equal(outcome(world.approve('carol', changeId)), 'ACTIVE')
})

await t.test('a base that moves between approval and window', async (t) => {
  const windows = [{ days: ['tue'], from: '8h', to: '15h' }] as const
  const world = new World({
    humans: five,
    policies: [
      { name: 'narrow', document: policy({ id: 'narrow', paths: ['/prod/slow/**'], windows }) },
    ],
  })
  const both = { '/prod/fast': 1, '/prod/slow/x': 1 }
  const { changeId } = world.propose({ by: 'alice', set: both })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  const fast = world.propose({ by: 'dave', set: { '/prod/fast': 2 } })
  world.approve('bob', fast.changeId)
  const last = world.approve('carol', fast.changeId)
  t.same(transitions(last).at(-1), '0001 APPROVED->STALE STALE_BASE')
  world.tick(day + 9 * hour)
  t.equal(world.state(changeId), 'STALE')
  t.equal(world.value('/prod/fast'), 2)
  t.match(world.change(changeId).closed, {
    reason: {
      code: 'STALE_BASE',
      details: { paths: [{ path: '/prod/fast', expected: 0, actual: last.events.length && 7 }] },
    },
  })
})

await t.test('an assert that moves, and a base that has moved already', async (t) => {
  const world = new World({ humans: five })
  const asserts = [{ path: '/prod/limit', modRevision: 0 }]
  const { changeId } = world.propose({ by: 'alice', set: { '/prod/a': 1 }, asserts })
  world.carry({ by: 'bob', set: { '/prod/limit': 5 } }, ['carol', 'dave'])
  t.equal(world.state(changeId), 'STALE')
  t.match(world.change(changeId).closed?.reason, { code: 'ASSERT_FAILED' })
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/a': 1 }, asserts })), 'ASSERT_FAILED')
  const base = [{ path: '/prod/limit', modRevision: 0 }]
  const late = world.propose({ by: 'alice', set: { '/prod/limit': 6 }, base })
  t.equal(outcome(late), 'STALE_BASE')
})

await t.test('a yes that comes again after its revoke', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  const yes = world.decisionCommand('approve', 'bob', changeId)
  world.apply(yes)
  world.revoke('bob', changeId)
  t.match(world.apply(yes).result, { kind: 'accepted', repeated: true })
  t.equal(world.change(changeId).approvals, 0)
  t.equal(outcome(world.approve('carol', changeId)), 'OPEN')
  t.equal(outcome(world.approve('bob', changeId, { seq: 1, notAfter: monday + hour })), 'REPLAYED')
  t.equal(outcome(world.approve('bob', changeId, { seq: 2 })), 'REPLAYED')
  world.tick(day + minute)
  t.match(world.apply(yes).result, { repeated: true }, 'also when the replay set has forgotten it')
  t.equal(world.state(changeId), 'OPEN')
})

await t.test('a signature made for staging means nothing in production', async (t) => {
  const staging = new World({ genesis: { name: 'staging' } })
  const production = new World({ genesis: { name: 'production' } })
  const { changeId, command } = staging.propose({ by: 'alice' })
  t.equal(outcome(production.apply(command)), 'WRONG_CLUSTER')
  production.propose({ by: 'alice', changeId })
  const yes = staging.decisionCommand('approve', 'bob', changeId)
  const applied = production.apply(yes)
  t.equal(outcome(applied), 'WRONG_CLUSTER')
  t.match(applied.events, [{ kind: 'noise', accusedTerm: 1 }])
  t.equal(production.change(changeId).decisions.length, 0)
})

await t.test('an agent and its sponsor fill no seat', async (t) => {
  const world = new World({ humans: ['alice', 'bob', 'carol'] })
  const { changeId } = world.propose({ by: 'agent', sponsor: 'alice', provenance })
  t.equal(world.state(changeId), 'OPEN')
  t.equal(outcome(world.approve('agent', changeId)), 'AGENT_CANNOT_APPROVE')
  t.equal(outcome(world.approve('alice', changeId)), 'SELF_APPROVAL')
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'ACTIVE')
})

await t.test('the registered sponsor is out, whoever is named', async (t) => {
  const world = new World({ humans: five })
  const { changeId } = world.propose({ by: 'agent', sponsor: 'bob', provenance })
  t.equal(outcome(world.approve('alice', changeId)), 'SELF_APPROVAL')
  t.equal(outcome(world.approve('bob', changeId)), 'SELF_APPROVAL')
  const outside = { by: 'agent', sponsor: 'alice', provenance, set: { '/other/x': 1 } }
  t.equal(outcome(world.propose(outside)), 'AUTHOR_NOT_ALLOWED')
  const governed = {
    by: 'agent',
    sponsor: 'alice',
    provenance,
    set: { '/sys/groups/x': json(group('x', [])) },
  }
  t.equal(outcome(world.propose(governed)), 'AUTHOR_NOT_ALLOWED')
})

await t.test('a sock puppet registered after the change was opened', async (t) => {
  const world = new World({ humans: five, genesis: { coolOff: '24h' } })
  world.tick(minute)
  const before = world.propose({ by: 'alice', set: { '/prod/a': 1 } })
  const set = {
    '/sys/people/frank': json(person('frank')),
    [`/sys/keys/${signerOf('frank').keyId}`]: json(world.newKey('frank')),
    '/sys/groups/operators': json(group('operators', [...five, 'frank'])),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  t.equal(outcome(world.approve('frank', before.changeId)), 'KEY_PENDING')
  t.equal(outcome(world.acknowledge('frank')), 'accepted')
  t.equal(outcome(world.approve('frank', before.changeId)), 'KEY_TOO_NEW')
  world.tick(minute)
  t.equal(outcome(world.approve('frank', before.changeId)), 'KEY_TOO_NEW')
  world.tick(day - 1)
  const early = world.propose({ by: 'alice', set: { '/prod/b': 1 } })
  t.equal(outcome(world.approve('frank', early.changeId)), 'KEY_TOO_NEW')
  world.tick(1)
  const later = world.propose({ by: 'alice', set: { '/prod/c': 1 } })
  t.equal(outcome(world.approve('frank', later.changeId)), 'OPEN')
  t.equal(outcome(world.approve('frank', before.changeId)), 'KEY_TOO_NEW', 'for ever')
  t.equal(outcome(world.revise(early.changeId, { by: 'alice' })), 'OPEN')
  t.equal(outcome(world.approve('frank', early.changeId)), 'KEY_TOO_NEW', 'revisions do not help')
})

await t.test('both orders of two conflicting approved changes', async (t) => {
  for (const first of [0, 1] as const) {
    const world = new World({ humans: five })
    const ids = [1, 2].map(
      (value) =>
        world.propose({ by: 'alice', set: { '/prod/x': value }, activate: 'manual' }).changeId,
    )
    for (const changeId of ids) {
      world.approve('bob', changeId)
      world.approve('carol', changeId)
    }
    const [winner, loser] = [ids[first] ?? '', ids[1 - first] ?? '']
    t.equal(outcome(world.activate('dave', winner)), 'ACTIVE')
    t.equal(world.state(loser), 'STALE')
    t.match(world.activate('dave', loser).result, {
      refusal: { code: 'NOT_OPEN', details: { state: 'STALE', reason: 'STALE_BASE' } },
    })
    t.equal(world.value('/prod/x'), first + 1)
  }
})

await t.test('first changes: two to one path, and a new person who approves', async (t) => {
  const world = new World()
  world.carry({ by: 'alice' }, ['bob', 'carol'])
  world.carry({ by: 'bob', set: { '/prod/payments/timeout_ms': 3000 } }, ['alice', 'carol'])
  t.equal(world.value('/prod/payments/timeout_ms'), 3000)
  const set = {
    '/sys/people/dave': json(person('dave')),
    [`/sys/keys/${signerOf('dave').keyId}`]: json(world.newKey('dave')),
    '/sys/groups/operators': json(group('operators', ['alice', 'bob', 'carol', 'dave'])),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  t.equal(outcome(world.acknowledge('dave')), 'accepted')
  t.equal(outcome(world.acknowledge('dave')), 'accepted', 'the same bytes again')
  world.tick(minute)
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'dave'])
  t.equal(outcome(world.propose({ by: 'dave', set: { '/prod/b': 1 } })), 'OPEN')
})

await t.test('a change is VOIDED when its author or its quorum is gone', async (t) => {
  await t.test('the author is suspended', async (t) => {
    const world = new World({ humans: five })
    const { changeId } = world.propose({ by: 'alice' })
    const suspended = json(person('alice', { status: 'suspended' }))
    world.carry({ by: 'bob', set: { '/sys/people/alice': suspended } }, ['carol', 'dave'])
    t.match(world.change(changeId).closed?.reason, { code: 'PERSON_INACTIVE' })
  })
  await t.test('the rules no longer let the author propose there', async (t) => {
    const world = new World({ humans: five, groups: [group('few', ['bob', 'carol', 'dave'])] })
    const { changeId } = world.propose({ by: 'alice' })
    const few = json(policy(rule('prod', ['/prod/**'], { propose: { groups: ['few'] } })))
    world.carry({ by: 'bob', set: { '/sys/policies/prod': few } }, ['carol', 'dave'])
    t.match(world.change(changeId).closed?.reason, { code: 'AUTHOR_NOT_ALLOWED' })
  })
  await t.test('too few can still approve', async (t) => {
    const world = new World({ humans: five, groups: [group('few', ['bob', 'carol', 'dave'])] })
    const { changeId } = world.propose({ by: 'bob' })
    world.revise(changeId, { by: 'carol' })
    const few = json(policy(rule('prod', ['/prod/**'], { need: [{ count: 2, group: 'few' }] })))
    world.carry({ by: 'alice', set: { '/sys/policies/prod': few } }, ['bob', 'dave'])
    t.match(world.change(changeId).closed?.reason, { code: 'POLICY_UNSATISFIABLE' })
  })
})

await t.test('a veto ends the revision; another reject only takes the approval back', async (t) => {
  const options = {
    humans: five,
    groups: [group('leads', ['dave', 'erin'])],
    prod: { veto: [{ count: 2, group: 'leads' }] },
  }
  const world = new World(options)
  const { changeId } = world.propose({ by: 'alice', activate: 'manual' })
  world.approve('bob', changeId)
  world.approve('carol', changeId)
  t.equal(outcome(world.reject('bob', changeId)), 'OPEN')
  t.equal(outcome(world.approve('bob', changeId)), 'APPROVED', 'a mind may be changed')
  t.equal(outcome(world.reject('dave', changeId)), 'APPROVED', 'one of two does not stop it')
  t.equal(outcome(world.reject('erin', changeId)), 'REJECTED')
})

await t.test('policies and people are judged before they are in force', async (t) => {
  const world = new World()
  const propose = (set: JsonObject): string => outcome(world.propose({ by: 'alice', set }))
  const prod = (fields: Parameters<typeof rule>[2]): JsonObject => ({
    '/sys/policies/prod': json(policy(rule('prod', ['/prod/**'], fields))),
  })
  t.equal(propose(prod({ need: [{ count: 1, group: 'operators' }] })), 'POLICY_BELOW_FLOOR')
  t.equal(propose(prod({ need: [{ count: 3, group: 'operators' }] })), 'POLICY_UNSATISFIABLE')
  const two = json(group('operators', ['alice', 'bob']))
  t.equal(propose({ '/sys/groups/operators': two }), 'WOULD_STRAND_QUORUM')
  const suspended = json(person('carol', { status: 'suspended' }))
  t.equal(propose({ '/sys/people/carol': suspended }), 'WOULD_STRAND_QUORUM')
  t.equal(propose({ '/sys/people/carol': 'carol' }), 'BODY_INVALID')
  t.equal(propose({ '/sys/people/carol': null }), 'BODY_INVALID', 'people are never deleted')
  t.equal(propose({ '/sys/policies/governance': null }), 'POLICY_UNSATISFIABLE')
  t.equal(propose({ '/sys/cluster/featureLevel': 1 }), 'BODY_INVALID', 'the level only rises')
  const proofless = json(keyOf('frank', { person: 'alice' }))
  t.equal(propose({ [`/sys/keys/${signerOf('frank').keyId}`]: proofless }), 'BODY_INVALID')
})

await t.test('what was satisfiable when proposed is judged again at activation', async (t) => {
  const four = ['alice', 'bob', 'carol', 'dave']
  const world = new World({ humans: four })
  const without = (gone: string): string =>
    world.propose({
      by: 'alice',
      set: { [`/sys/people/${gone}`]: json(person(gone, { status: 'suspended' })) },
    }).changeId
  const [first, second] = [without('carol'), without('dave')]
  for (const by of ['bob', 'carol']) world.approve(by, second)
  t.equal(world.state(second), 'ACTIVE')
  for (const by of ['bob', 'carol']) world.approve(by, first)
  t.equal(world.state(first), 'APPROVED')
  t.match(world.change(first).explanation.blocked, [{ code: 'WOULD_STRAND_QUORUM' }])
})

await t.test('a key is replaced in one change', async (t) => {
  const world = new World()
  const { keyId } = signerOf('carol')
  const fresh = signerOf('carol second')
  const set = {
    [`/sys/keys/${keyId}`]: json(keyOf('carol', { status: 'revoked' })),
    [`/sys/keys/${fresh.keyId}`]: json(world.newKey('carol', fresh)),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  const { changeId } = world.propose({ by: 'alice' })
  t.equal(world.state(changeId), 'none', 'before its first Tick the new key counts for nothing')
  t.equal(outcome(world.acknowledge('carol', fresh)), 'accepted')
  world.tick()
  const later = world.propose({ by: 'alice' })
  world.approve('bob', later.changeId)
  t.equal(outcome(world.decide('approve', 'carol', later.changeId, {}, fresh)), 'ACTIVE')
})

await t.test('the feature level', async (t) => {
  await t.test('is not let into the log above what the build knows', async (t) => {
    const world = new World()
    const command = world.proposeCommand({ by: 'alice', set: { '/sys/cluster/featureLevel': 3 } })
    t.match(
      world.machine.check(command, () => true),
      {
        kind: 'noise',
        refusal: { code: 'LEVEL_UNSUPPORTED' },
      },
    )
  })
  await t.test('is not proposed before the build of every member knows it', async (t) => {
    const world = new World()
    const command = world.proposeCommand({ by: 'alice', set: { '/sys/cluster/featureLevel': 2 } })
    const answerTo = (...levels: (number | null)[]) =>
      world.machine.check(command, verifyStrict, buildsOf(...levels))
    t.equal(answerTo(2, 2, 2).kind, 'append')
    const answer = answerTo(2, 1, null)
    t.match(answer, { kind: 'noise', refusal: { code: 'LEVEL_UNSUPPORTED' } })
    if (answer.kind === 'noise') {
      t.match(answer.refusal.message, /node-2 knows 1; node-3 has not been heard/)
      t.match(answer.refusal.details, {
        level: 2,
        behind: [{ id: 'node-2' }, { id: 'node-3', featureLevelMax: null }],
      })
    }
    const other = world.proposeCommand({ by: 'alice', set: { '/prod/x': 1 } })
    t.equal(
      world.machine.check(other, verifyStrict, buildsOf(1, null)).kind,
      'append',
      'nothing else waits for builds',
    )
  })
  await t.test('is asked about again before each approval of it', async (t) => {
    const world = new World()
    world.tick()
    const { changeId } = world.propose({ by: 'alice', set: { '/sys/cluster/featureLevel': 2 } })
    const approval = world.decisionCommand('approve', 'bob', changeId)
    t.equal(world.machine.check(approval, verifyStrict, buildsOf(2, 2)).kind, 'append')
    t.match(
      world.machine.check(approval, verifyStrict, buildsOf(2, null)),
      { kind: 'noise', refusal: { code: 'LEVEL_UNSUPPORTED' } },
      'a member that went down with an unknown build meanwhile',
    )
    const reject = world.decisionCommand('reject', 'bob', changeId)
    t.equal(world.machine.check(reject, verifyStrict, buildsOf(2, null)).kind, 'append')
    const other = world.propose({ by: 'alice', set: { '/prod/x': 1 } })
    const beside = world.decisionCommand('approve', 'bob', other.changeId)
    t.equal(world.machine.check(beside, verifyStrict, buildsOf(2, null)).kind, 'append')
  })
  await t.test(
    'stops the node when it is committed all the same, and leaves no trace',
    async (t) => {
      const world = new World()
      const { changeId } = world.propose({ by: 'alice', set: { '/sys/cluster/featureLevel': 3 } })
      world.approve('bob', changeId)
      const { stateDigest } = world.machine.status()
      t.throws(() => world.approve('carol', changeId), { code: 'VERSION_UNKNOWN' })
      t.equal(world.machine.status().stateDigest, stateDigest)
      t.equal(world.machine.recomputeDigest(), stateDigest)
    },
  )
  await t.test('refuses what comes later', async (t) => {
    const world = new World()
    const refused = (fields: Parameters<World['propose']>[0]): string =>
      outcome(world.propose(fields))
    t.equal(refused({ by: 'alice', kind: 'emergency' }), 'FEATURE_LEVEL')
    t.equal(refused({ by: 'alice', set: { '/sys/signals/x': 1 }, kind: 'policy' }), 'FEATURE_LEVEL')
    t.equal(
      refused({ by: 'alice', set: { '/sys/nodes/node-4': 1 }, kind: 'node' }),
      'FEATURE_LEVEL',
    )
    t.equal(refused({ by: 'alice', stages: [] }), 'FEATURE_LEVEL')
    const signer = signerOf('alice')
    const risk = signBody(payloadType('risk'), { v: 1 }, signer)
    t.equal(outcome(world.submit(risk)), 'FEATURE_LEVEL')
  })
})

await t.test('entries come in order, each once', async (t) => {
  const world = new World()
  t.throws(() => world.machine.skip(5, 1), /out of order/)
  t.throws(() => createMachine(world.genesis, world.clusterId).skip(2, 1), /out of order/)
})
