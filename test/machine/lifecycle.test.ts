import t from 'tap'
import {
  World,
  day,
  hour,
  json,
  minute,
  monday,
  outcome,
  policy,
  rule,
  transitions,
} from './world.js'
import type { ProposeFields } from './world.js'

const five = ['alice', 'bob', 'carol', 'dave', 'erin']

/** A change that alice proposed, brought into each state. */
const roads: Readonly<Record<string, (world: World) => string>> = {
  OPEN: (world) => world.propose({ by: 'alice' }).changeId,
  APPROVED: (world) => {
    const { changeId } = world.propose({ by: 'alice', activate: 'manual' })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    return changeId
  },
  ACTIVE: (world) => world.carry({ by: 'alice' }, ['bob', 'carol']).changeId,
  REJECTED: (world) => {
    const { changeId } = world.propose({ by: 'alice' })
    world.reject('erin', changeId)
    return changeId
  },
  WITHDRAWN: (world) => {
    const { changeId } = world.propose({ by: 'alice' })
    world.withdraw('alice', changeId)
    return changeId
  },
  EXPIRED: (world) => {
    const { changeId } = world.propose({ by: 'alice' })
    world.tick()
    world.tick(72 * hour)
    return changeId
  },
  STALE: (world) => {
    const { changeId } = world.propose({ by: 'alice' })
    world.carry({ by: 'bob' }, ['alice', 'carol'])
    return changeId
  },
  VOIDED: (world) => {
    const { changeId } = world.propose({ by: 'alice' })
    const suspended = { id: 'alice', kind: 'human', displayName: 'alice', status: 'suspended' }
    world.carry({ by: 'bob', set: { '/sys/people/alice': suspended } }, ['carol', 'dave'])
    return changeId
  },
}

/** What happens to that change; bob has approved it where it is APPROVED, dave has not. */
const events: Readonly<Record<string, (world: World, changeId: string) => string>> = {
  revise: (world, changeId) => outcome(world.revise(changeId, { by: 'bob' })),
  approve: (world, changeId) => outcome(world.approve('dave', changeId)),
  revoke: (world, changeId) => outcome(world.revoke('bob', changeId)),
  reject: (world, changeId) => outcome(world.reject('bob', changeId)),
  veto: (world, changeId) => outcome(world.reject('erin', changeId)),
  withdraw: (world, changeId) => outcome(world.withdraw('bob', changeId)),
  activate: (world, changeId) => outcome(world.activate('dave', changeId)),
}

const closed = {
  revise: 'NOT_OPEN',
  approve: 'NOT_OPEN',
  revoke: 'NOT_OPEN',
  reject: 'NOT_OPEN',
  veto: 'NOT_OPEN',
  withdraw: 'NOT_OPEN',
  activate: 'NOT_OPEN',
}

const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  OPEN: {
    revise: 'OPEN',
    approve: 'OPEN',
    revoke: 'TRANSITION_NOT_ALLOWED',
    reject: 'OPEN',
    veto: 'REJECTED',
    withdraw: 'WITHDRAWN',
    activate: 'TRANSITION_NOT_ALLOWED',
  },
  APPROVED: {
    revise: 'OPEN',
    approve: 'APPROVED',
    revoke: 'OPEN',
    reject: 'OPEN',
    veto: 'REJECTED',
    withdraw: 'WITHDRAWN',
    activate: 'ACTIVE',
  },
  ACTIVE: closed,
  REJECTED: closed,
  WITHDRAWN: closed,
  EXPIRED: closed,
  STALE: closed,
  VOIDED: closed,
}

const withVeto = {
  humans: five,
  groups: [{ name: 'leads', purpose: 'May stop a change', members: ['erin'] }],
  prod: { veto: [{ count: 1, group: 'leads' }] },
}

await t.test('each event in each state', async (t) => {
  for (const [state, road] of Object.entries(roads)) {
    for (const [event, happen] of Object.entries(events)) {
      const world = new World(withVeto)
      const changeId = road(world)
      t.equal(world.state(changeId), state, `the road to ${state}`)
      const want = expected[state]?.[event] ?? ''
      const before = world.machine.status()
      t.equal(happen(world, changeId), want, `${event} in ${state}`)
      const after = world.machine.status()
      const refused = want.includes('_')
      t.equal(after.refusals - before.refusals, refused ? 1 : 0, 'a denied attempt is counted')
      t.equal(world.state(changeId), refused ? state : want, 'and nothing else happens')
      t.equal(after.stateDigest, world.machine.recomputeDigest())
    }
  }
})

await t.test('a denied attempt is an event of the log', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  const { events: denied, result } = world.approve('alice', changeId)
  t.match(result, { kind: 'refused', refusal: { code: 'SELF_APPROVAL' }, repeated: false })
  t.match(denied, [
    { kind: 'refused', person: 'alice', changeId, refusal: { code: 'SELF_APPROVAL' } },
  ])
})

await t.test('a revision', async (t) => {
  await t.test('supersedes the one before, whose approvals no longer count', async (t) => {
    const world = new World({ humans: five })
    const { changeId } = world.propose({ by: 'alice' })
    world.approve('bob', changeId)
    const second = world.revise(changeId, { by: 'alice', set: { '/prod/payments/timeout_ms': 9 } })
    t.match(second.events, [{ kind: 'revisionSuperseded', revision: 1 }, { kind: 'proposed' }])
    t.equal(outcome(world.approve('carol', changeId)), 'OPEN', 'bob counts no more')
    t.equal(outcome(world.approve('bob', changeId, { revision: 1 })), 'WRONG_REVISION')
    t.equal(outcome(world.approve('bob', changeId)), 'ACTIVE')
    t.equal(world.value('/prod/payments/timeout_ms'), 9)
    t.same(
      world.change(changeId).revisions.map(({ superseded }) => superseded),
      [true, false],
    )
  })
  await t.test('names the digest of the one before and the next number', async (t) => {
    const world = new World()
    const { changeId } = world.propose({ by: 'alice' })
    const revise = (fields: Partial<ProposeFields>): string =>
      outcome(world.revise(changeId, { by: 'alice', ...fields }))
    t.equal(revise({ previousDigest: '00'.repeat(32) }), 'CONTENT_MISMATCH')
    t.equal(revise({ revision: 3 }), 'WRONG_REVISION')
    t.equal(revise({ kind: 'config', revision: 2 }), 'OPEN')
    t.equal(outcome(world.propose({ by: 'bob', changeId })), 'WRONG_REVISION', 'an id is used once')
    const unknown = { by: 'bob', revision: 2, previousDigest: '00'.repeat(32) }
    t.equal(outcome(world.propose(unknown)), 'UNKNOWN_CHANGE')
  })
  await t.test('makes its author an author of the change', async (t) => {
    const world = new World({ humans: five })
    const { changeId } = world.propose({ by: 'alice' })
    world.revise(changeId, { by: 'bob' })
    t.equal(outcome(world.approve('alice', changeId)), 'SELF_APPROVAL')
    t.equal(outcome(world.approve('bob', changeId)), 'SELF_APPROVAL')
  })
  await t.test('does not move the moment of opening', async (t) => {
    const world = new World()
    const { changeId } = world.propose({ by: 'alice' })
    world.tick(hour)
    world.revise(changeId, { by: 'alice' })
    t.equal(world.change(changeId).openedAt, monday)
  })
})

await t.test('open counts from the first Tick after the entry', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  t.equal(world.change(changeId).openDeadline, undefined)
  world.tick(10 * day)
  t.equal(world.state(changeId), 'OPEN', 'a fresh change does not expire after an idle spell')
  t.equal(world.change(changeId).openDeadline, monday + 10 * day + 72 * hour)
  world.tickTo(monday + 13 * day - 1)
  t.equal(world.state(changeId), 'OPEN')
  t.same(transitions(world.tickTo(monday + 13 * day)), ['0001 OPEN->EXPIRED EXPIRED'])
})

await t.test('the author may shorten open and use, not stretch them', async (t) => {
  const world = new World()
  const short = world.propose({ by: 'alice', set: { '/prod/a': 1 }, open: '1h' })
  const long = world.propose({ by: 'alice', set: { '/prod/b': 1 }, open: '90h' })
  world.tick()
  t.equal(world.change(short.changeId).openDeadline, world.now + hour)
  t.equal(world.change(long.changeId).openDeadline, world.now + 72 * hour)
})

await t.test('use counts from the first moment at which activation is possible', async (t) => {
  const manual = (fields: Partial<ProposeFields>, prod: Parameters<typeof rule>[2] = {}) => {
    const world = new World({ prod })
    const { changeId } = world.propose({ by: 'alice', activate: 'manual', ...fields })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    world.tick(minute)
    return { world, changeId }
  }
  await t.test('from the first Tick after APPROVED', async (t) => {
    const { world, changeId } = manual({})
    t.equal(world.change(changeId).useDeadline, world.now + 8 * hour)
    world.tick(8 * hour)
    t.equal(world.state(changeId), 'EXPIRED')
  })
  await t.test('across a schedule', async (t) => {
    const { world, changeId } = manual({ schedule: { notBefore: monday + 2 * day } })
    t.equal(world.change(changeId).useDeadline, monday + 2 * day + 8 * hour)
    t.equal(outcome(world.activate('alice', changeId)), 'OUTSIDE_WINDOW')
    world.tickTo(monday + 2 * day)
    t.equal(outcome(world.activate('alice', changeId)), 'ACTIVE')
  })
  await t.test('across a weekend between windows', async (t) => {
    const windows = [{ days: ['sat'], from: '8h', to: '15h' }] as const
    const { world, changeId } = manual({}, { windows })
    const saturday = monday + 5 * day + 8 * hour
    t.equal(world.change(changeId).useDeadline, saturday + 8 * hour)
    world.tickTo(saturday - 1)
    t.equal(outcome(world.activate('alice', changeId)), 'OUTSIDE_WINDOW')
    world.tickTo(saturday)
    t.equal(outcome(world.activate('alice', changeId)), 'ACTIVE')
  })
  await t.test('a freeze does not stop it', async (t) => {
    const { world, changeId } = manual({})
    const { now } = world
    const freeze = { paths: ['/prod/**'], from: now, until: now + 9 * hour, reason: 'Holiday' }
    world.carry({ by: 'bob', set: { '/sys/freezes/holiday': freeze } }, ['alice', 'carol'])
    t.equal(outcome(world.activate('alice', changeId)), 'FROZEN')
    world.tickTo(now + 8 * hour)
    t.equal(world.state(changeId), 'EXPIRED')
  })
  await t.test('windows that never meet give no deadline but lifeMax', async (t) => {
    const never = [{ days: ['sun'], from: '1h', to: '2h' }] as const
    const other = policy({
      id: 'other',
      paths: ['/prod/**'],
      windows: [{ days: ['tue'], from: '1h', to: '2h' }],
    })
    const world = new World({
      prod: { windows: never },
      policies: [{ name: 'other', document: other }],
    })
    const { changeId } = world.propose({ by: 'alice' })
    world.approve('bob', changeId)
    world.approve('carol', changeId)
    world.tick()
    t.equal(world.change(changeId).useDeadline, undefined)
    const { now } = world
    world.tickTo(now + 30 * day - 1)
    t.equal(world.state(changeId), 'APPROVED')
    world.tickTo(now + 30 * day)
    t.equal(world.state(changeId), 'EXPIRED')
  })
})

await t.test('a weakening change waits for its delay, counted from the first Tick', async (t) => {
  const world = new World({ humans: five, governance: { weakeningDelay: '24h' } })
  const loosened = policy(rule('prod', ['/prod/**'], { open: '90h' }))
  const { changeId } = world.propose({ by: 'alice', set: { '/sys/policies/prod': json(loosened) } })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  world.tick(2 * day)
  t.equal(world.state(changeId), 'APPROVED', 'old log time does not shorten the delay')
  world.tick(day - 1)
  t.equal(world.state(changeId), 'APPROVED')
  t.same(transitions(world.tick(1)), ['0001 APPROVED->ACTIVE'])
  t.match(world.change(changeId).activation, { mode: 'tick', weakening: 'yes' })
})

await t.test('weaken first, push second: the push is judged by the rules of before', async (t) => {
  const world = new World({ humans: five, governance: { weakeningDelay: '24h' } })
  const open = policy(
    rule('prod', ['/prod/**'], { need: [{ count: 2, group: 'operators' }], open: '100h' }),
  )
  const weaken = world.propose({ by: 'alice', set: { '/sys/policies/prod': json(open) } })
  const push = world.propose({ by: 'alice' })
  world.approve('bob', push.changeId)
  world.approve('bob', weaken.changeId)
  world.approve('carol', weaken.changeId)
  t.equal(world.state(weaken.changeId), 'APPROVED')
  t.equal(world.state(push.changeId), 'OPEN')
  world.tick()
  world.tick(day)
  t.equal(world.state(weaken.changeId), 'ACTIVE')
  t.equal(outcome(world.approve('carol', push.changeId)), 'OPEN', 'approvals of before are void')
})

await t.test('a tightening change has no delay', async (t) => {
  const world = new World({ humans: five, governance: { weakeningDelay: '24h' } })
  const tight = policy(
    rule('prod', ['/prod/**'], {
      propose: { groups: ['operators'] },
      need: [{ count: 3, group: 'operators' }],
    }),
  )
  const { changeId } = world.carry({ by: 'alice', set: { '/sys/policies/prod': json(tight) } }, [
    'bob',
    'carol',
  ])
  t.match(world.change(changeId).activation, { weakening: 'no', mode: 'auto' })
})

await t.test('a change that depends on another one', async (t) => {
  const world = new World({ humans: five })
  const first = world.propose({ by: 'alice', set: { '/prod/a': 1 } })
  const dependsOn = [first.changeId]
  const second = world.propose({ by: 'bob', set: { '/prod/b': 1 }, dependsOn })
  world.approve('carol', second.changeId)
  t.equal(outcome(world.approve('dave', second.changeId)), 'APPROVED')
  world.approve('carol', first.changeId)
  t.same(
    transitions(world.approve('dave', first.changeId)),
    ['0001 OPEN->APPROVED', '0001 APPROVED->ACTIVE', '0002 APPROVED->ACTIVE'],
    'becomes active at the very index at which the first one does',
  )
  const missing = { by: 'alice', set: { '/prod/c': 1 }, dependsOn: ['ff'.repeat(16)] }
  t.equal(outcome(world.propose(missing)), 'UNKNOWN_CHANGE')
})

await t.test('a chain of dependencies falls in one Tick, in any order of ids', async (t) => {
  const world = new World({ humans: five })
  const ids = ['03', '01', '02'].map((end) => end.padStart(32, '0'))
  const schedule = { notBefore: monday + hour }
  ids.forEach((changeId, i) => {
    const dependsOn = i === 0 ? {} : { dependsOn: ids.slice(i - 1, i) }
    const set = { [`/prod/${String(i)}`]: 1 }
    world.propose({ by: 'alice', changeId, set, schedule, ...dependsOn })
  })
  for (const changeId of [...ids].reverse()) {
    world.approve('bob', changeId)
    t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  }
  t.same(transitions(world.tick(hour)), [
    '0003 APPROVED->ACTIVE',
    '0001 APPROVED->ACTIVE',
    '0002 APPROVED->ACTIVE',
  ])
})

await t.test('a bake keeps overlapping changes back', async (t) => {
  const world = new World({ humans: five, prod: { bake: { for: '15m' } } })
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
  const { changeId } = world.propose({ by: 'alice', set: { '/prod/a': 2 } })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  t.match(world.change(changeId).explanation.blocked, [{ code: 'OVERLAPS_BAKE' }])
  world.carry({ by: 'alice', set: { '/prod/b': 1 } }, ['bob', 'carol'])
  world.tick(hour)
  t.equal(world.state(changeId), 'APPROVED', 'the bake runs from the first Tick')
  world.tick(15 * minute)
  t.equal(world.state(changeId), 'ACTIVE')
})

await t.test('a rule with risk waits for the timeout and then asks the top tier', async (t) => {
  const world = new World({
    humans: five,
    prod: { risk: { high: { need: [{ count: 3, group: 'operators' }] } } },
  })
  const { changeId } = world.propose({ by: 'alice' })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'OPEN', 'two are enough for low only')
  t.equal(outcome(world.approve('dave', changeId)), 'APPROVED')
  world.tick()
  world.tick(2 * minute - 1)
  t.equal(world.state(changeId), 'APPROVED')
  world.tick(1)
  t.match(world.change(changeId).activation, { tier: 'high', riskDigest: 'none', mode: 'tick' })
})

await t.test('a freeze stops ordinary changes, but no change of a freeze', async (t) => {
  const world = new World({ humans: five })
  const freeze = {
    paths: ['/prod/**', '/sys/**'],
    from: monday,
    until: monday + 4 * hour,
    reason: 'Holiday',
  }
  const set = { '/sys/freezes/holiday': freeze }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  const { changeId } = world.propose({ by: 'alice' })
  world.approve('bob', changeId)
  t.equal(outcome(world.approve('carol', changeId)), 'APPROVED')
  world.tick(minute)
  t.match(world.change(changeId).explanation.next, { at: monday + 4 * hour, what: 'activates' })
  const lift = world.propose({ by: 'alice', set: { '/sys/freezes/holiday': null } })
  world.approve('bob', lift.changeId)
  t.same(
    transitions(world.approve('carol', lift.changeId)).slice(1),
    ['0003 APPROVED->ACTIVE', '0002 APPROVED->ACTIVE'],
    'lifting it lets the other one through at once',
  )
})

await t.test(
  'several transitions in one Tick: expiries first, then by index of APPROVED',
  async (t) => {
    const world = new World({ humans: five })
    const schedule = { notBefore: monday + 72 * hour + minute }
    const late = { set: { '/prod/x': 2 }, schedule }
    const early = { set: { '/prod/x': 1 }, schedule }
    const expiring = world.propose({ by: 'alice', set: { '/prod/z': 1 } })
    const b = world.propose({ by: 'alice', ...late })
    const a = world.propose({ by: 'alice', ...early })
    world.approve('bob', a.changeId)
    world.approve('carol', a.changeId)
    world.approve('bob', b.changeId)
    world.approve('carol', b.changeId)
    world.tick(minute)
    t.same(transitions(world.tick(72 * hour)), [
      `${expiring.changeId.slice(-4)} OPEN->EXPIRED EXPIRED`,
      '0003 APPROVED->ACTIVE',
      '0002 APPROVED->STALE STALE_BASE',
    ])
  },
)

await t.test('an agent has a quota of open changes and of proposals a day', async (t) => {
  const world = new World()
  const provenance = { model: 'm', promptDigest: '00', tool: 'importer' }
  const one = (i: number) =>
    world.propose({
      by: 'agent',
      sponsor: 'alice',
      provenance,
      set: { [`/prod/p${String(i)}`]: 1 },
    })
  const ids = [1, 2, 3, 4, 5].map((i) => one(i).changeId)
  t.equal(outcome(one(6)), 'QUOTA_EXCEEDED')
  for (const id of ids) world.withdraw('agent', id)
  for (let i = 6; i <= 20; i++) {
    const { changeId } = one(i)
    t.equal(world.state(changeId), 'OPEN')
    world.withdraw('agent', changeId)
  }
  t.match(one(21).result, { refusal: { code: 'QUOTA_EXCEEDED', details: { next: monday + day } } })
  world.tick(day)
  t.equal(outcome(one(22)), 'OPEN')
  const bare = world.propose({ by: 'agent', sponsor: 'alice', set: { '/prod/q': 1 } })
  t.match(bare.result, { refusal: { code: 'BODY_INVALID', details: { field: 'provenance' } } })
})

await t.test("an agent withdraws its own change and nobody else's", async (t) => {
  const world = new World()
  const provenance = { model: 'm', promptDigest: '00', tool: 'importer' }
  const set = { '/prod/p': 1 }
  const own = world.propose({ by: 'agent', sponsor: 'alice', provenance, set })
  const theirs = world.propose({ by: 'alice', set: { '/prod/q': 1 } })
  t.equal(outcome(world.withdraw('agent', theirs.changeId)), 'NOT_IN_GROUP')
  t.equal(world.state(theirs.changeId), 'OPEN')
  t.equal(outcome(world.withdraw('agent', own.changeId)), 'WITHDRAWN')
})

await t.test('limits of open changes and revisions', async (t) => {
  const limits = { openChanges: 3, openChangesPerPerson: 2, revisionsPerChange: 2 }
  const world = new World({ genesis: { limits } })
  const { changeId } = world.propose({ by: 'alice', set: { '/prod/a': 1 } })
  world.propose({ by: 'alice', set: { '/prod/b': 1 } })
  t.equal(outcome(world.propose({ by: 'alice', set: { '/prod/c': 1 } })), 'QUOTA_EXCEEDED')
  world.propose({ by: 'bob', set: { '/prod/d': 1 } })
  t.equal(outcome(world.propose({ by: 'carol', set: { '/prod/e': 1 } })), 'QUOTA_EXCEEDED')
  t.equal(outcome(world.revise(changeId, { by: 'alice' })), 'OPEN')
  t.equal(outcome(world.revise(changeId, { by: 'alice' })), 'QUOTA_EXCEEDED')
})
