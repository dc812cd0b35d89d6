import t from 'tap'
import {
  World,
  day,
  group,
  hour,
  json,
  minute,
  monday,
  person,
  policy,
  rule,
  signerOf,
} from './world.js'

const five = ['alice', 'bob', 'carol', 'dave', 'erin']

await t.test('genesis stands in the config tree at revision 1', async (t) => {
  const { machine } = new World()
  t.match(machine.reads.get('/sys/groups/operators'), {
    path: '/sys/groups/operators',
    content: { kind: 'value', value: { members: ['alice', 'bob', 'carol'] } },
    createRevision: 1,
    modRevision: 1,
    changeId: '',
  })
  t.same(
    machine.reads.list('/sys/people', { limit: 10 }).map(({ path }) => path),
    ['/sys/people/agent', '/sys/people/alice', '/sys/people/bob', '/sys/people/carol'],
  )
  t.match(machine.reads.get('/sys/cluster/featureLevel')?.content, { value: 1 })
})

await t.test('list: the path itself, everything below it, in pages', async (t) => {
  const world = new World()
  const set = { '/prod': 0, '/prod-x': 1, '/prod/a': 2, '/prod/a/b': 3, '/prod/b': 4 }
  const open = json(policy(rule('all', ['/**'])))
  world.carry({ by: 'alice', set: { '/sys/policies/all': open } }, ['bob', 'carol'])
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  const list = (prefix: string, limit = 10, after?: string): readonly string[] =>
    world.machine.reads
      .list(prefix, after === undefined ? { limit } : { limit, after })
      .map(({ path }) => path)
  t.same(list('/prod'), ['/prod', '/prod/a', '/prod/a/b', '/prod/b'])
  t.same(list('/prod/'), ['/prod/a', '/prod/a/b', '/prod/b'])
  t.same(list('/prod/a'), ['/prod/a', '/prod/a/b'])
  t.same(list('/prod', 2), ['/prod', '/prod/a'])
  t.same(list('/prod', 2, '/prod/a'), ['/prod/a/b', '/prod/b'])
  t.same(list('/prod', 2, '/prod/b'), [])
  t.same(list('/', 100).length, world.machine.reads.list('/', { limit: 1000 }).length)
  t.same(list('/pro'), [])
  t.same(list('/prod', 0), [])
})

await t.test('history and watch tell the same story', async (t) => {
  const world = new World()
  world.carry({ by: 'alice', set: { '/prod/a': 1, '/prod/b': 1 } }, ['bob', 'carol'])
  const first = world.machine.status().appliedIndex
  world.carry({ by: 'bob', set: { '/prod/a': 2 }, title: 'Two' }, ['alice', 'carol'])
  const second = world.machine.status().appliedIndex
  const [newest, older, ...none] = world.machine.reads.history('/prod/a', { limit: 10 })
  t.same(none, [])
  t.match(newest, {
    modRevision: second,
    previousModRevision: first,
    title: 'Two',
    author: 'bob',
    approvers: ['alice', 'carol'],
    content: { kind: 'value', value: 2 },
  })
  t.match(older, { modRevision: first, previousModRevision: 0 })
  t.equal(world.machine.reads.history('/prod/a', { limit: 10, before: second }).length, 1)
  t.equal(world.machine.reads.history('/prod/a', { limit: 1 }).length, 1)
  const since = (revision: number, prefix: string) => [
    ...world.machine.writtenSince(revision, prefix),
  ]
  t.same(
    since(0, '/').map(({ revision, written }) => [revision, written.map(({ path }) => path)]),
    [
      [first, ['/prod/a', '/prod/b']],
      [second, ['/prod/a']],
    ],
  )
  t.equal(since(first, '/prod/').length, 1)
  t.equal(since(second, '/prod/').length, 0)
  t.same(since(0, '/prod/b')[0]?.written, [
    {
      path: '/prod/b',
      modRevision: first,
      previousModRevision: 0,
      createRevision: first,
      content: { kind: 'value', value: 1 },
    },
  ])
  t.same(since(0, '/pro'), [])
})

await t.test('changes: newest first, filtered, in pages', async (t) => {
  const world = new World({ humans: five })
  const a = world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
  const b = world.propose({ by: 'bob', set: { '/prod/b/x': 1 } })
  const c = world.propose({ by: 'alice', set: { '/prod/c': 1 } })
  const ids = (filter: Partial<Parameters<typeof world.machine.reads.changes>[0]>) =>
    world.machine.reads.changes({ limit: 10, ...filter }).map(({ changeId }) => changeId)
  t.same(ids({}), [c.changeId, b.changeId, a.changeId])
  t.same(ids({ states: ['OPEN', 'APPROVED'] }), [c.changeId, b.changeId])
  t.same(ids({ states: ['ACTIVE'] }), [a.changeId])
  t.same(ids({ author: 'alice' }), [c.changeId, a.changeId])
  t.same(ids({ prefix: '/prod/b' }), [b.changeId])
  t.same(ids({ limit: 1 }), [c.changeId])
  const { openedIndex } = world.change(b.changeId)
  t.same(ids({ before: openedIndex }), [a.changeId])
  t.same(ids({ before: openedIndex, states: ['OPEN'] }), [])
})

await t.test('an explanation names the empty seats and who can fill them', async (t) => {
  const world = new World({
    humans: five,
    groups: [group('platform', ['bob', 'carol', 'dave']), group('security', ['bob', 'erin'])],
    prod: {
      need: [
        { count: 1, group: 'platform' },
        { count: 1, group: 'security' },
      ],
    },
  })
  const { changeId } = world.propose({ by: 'alice' })
  const explain = () => world.change(changeId).explanation
  t.match(explain(), {
    blocked: [{ code: 'NOT_APPROVED', details: { candidates: ['bob', 'carol', 'dave', 'erin'] } }],
    floor: { need: 2, have: 0, by: [] },
    mayWithdraw: ['alice', 'bob', 'carol', 'dave', 'erin'],
  })
  t.same(
    explain().seats.map(({ group, candidates }) => [group, candidates]),
    [
      ['platform', ['bob', 'carol', 'dave']],
      ['security', ['bob', 'erin']],
    ],
  )
  world.approve('bob', changeId)
  t.same(
    explain().seats.map(({ filledBy, candidates }) => [filledBy ?? '', candidates]),
    [
      ['bob', []],
      ['', ['carol', 'dave', 'erin']],
    ],
    'carol and dave would set bob free for the seat of security',
  )
  world.tick(minute)
  t.match(explain().next, { what: 'expires', at: world.now + 72 * hour })
  world.approve('carol', changeId)
  t.same(
    explain().seats.map(({ filledBy }) => filledBy),
    ['carol', 'bob'],
  )
  t.same(explain().blocked, [])
})

await t.test('an explanation lists every obstacle in the order of the guard', async (t) => {
  const world = new World({
    humans: five,
    prod: { windows: [{ days: ['tue'], from: '8h', to: '9h' }], bake: { for: '96h' } },
  })
  world.tick()
  const first = world.propose({ by: 'alice', set: { '/prod/a': 1 } })
  for (const by of ['bob', 'carol']) world.approve(by, first.changeId)
  world.tickTo(monday + day + 8 * hour)
  t.equal(world.state(first.changeId), 'ACTIVE')
  const other = world.propose({ by: 'alice', set: { '/prod/b': 1 } })
  const until = monday + 3 * day
  const freeze = { paths: ['/prod/**'], from: monday, until, reason: 'Audit' }
  const set = { '/sys/freezes/audit': freeze }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  world.tick(2 * hour)
  const { changeId } = world.propose({
    by: 'alice',
    set: { '/prod/a': 2 },
    dependsOn: [other.changeId],
  })
  t.same(
    world.change(changeId).explanation.blocked.map(({ code }) => code),
    ['NOT_APPROVED', 'OUTSIDE_WINDOW', 'FROZEN', 'DEP_NOT_READY', 'OVERLAPS_BAKE'],
  )
  t.match(world.change(changeId).explanation.blocked.slice(1), [
    { details: { next: monday + 8 * day + 8 * hour } },
    {
      message: /\/sys\/freezes\/audit stops \/prod\/a\..* --delete \/sys\/freezes\/audit$/,
      details: { next: until, freezes: [{ freeze: 'audit', path: '/prod/a', until }] },
    },
    { details: { changes: [{ changeId: other.changeId, state: 'OPEN' }] } },
    {
      message: new RegExp(`change ${first.changeId.slice(0, 8)} wrote /prod/a `),
      details: {
        next: monday + day + 8 * hour + 96 * hour,
        bakes: [{ change: first.changeId, path: '/prod/a' }],
      },
    },
  ])
})

await t.test(
  'a closed change says what closed it, an active one who filled its seats',
  async (t) => {
    const world = new World({ humans: five })
    const { changeId } = world.carry({ by: 'alice' }, ['carol', 'bob'])
    const active = world.change(changeId)
    t.same(active.explanation.blocked, [])
    t.same(
      active.explanation.seats.map(({ filledBy }) => filledBy),
      ['bob', 'carol'],
    )
    t.equal(active.approvals, 2)
    t.same(
      active.decisions.map(({ person: by, counts }) => [by, counts]),
      [
        ['carol', true],
        ['bob', true],
      ],
    )
    const stale = world.propose({ by: 'alice' })
    world.carry({ by: 'bob' }, ['carol', 'dave'])
    t.match(world.change(stale.changeId), {
      state: 'STALE',
      closed: { reason: { code: 'STALE_BASE' } },
      explanation: { blocked: [{ code: 'STALE_BASE' }], mayWithdraw: [] },
    })
  },
)

await t.test('a new key is a candidate only once it can act', async (t) => {
  const world = new World({ humans: five, genesis: { coolOff: '1h' } })
  const set = {
    '/sys/people/frank': json(person('frank')),
    [`/sys/keys/${world.newKey('frank').keyId}`]: json(world.newKey('frank')),
    '/sys/groups/operators': json(group('operators', [...five, 'frank'])),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  const candidates = (): readonly string[] => {
    const { changeId } = world.propose({ by: 'alice' })
    return world.change(changeId).explanation.seats[0]?.candidates ?? []
  }
  world.tick(minute)
  t.notOk(candidates().includes('frank'))
  world.tick(hour)
  t.notOk(candidates().includes('frank'), 'it has not acknowledged the log')
  world.acknowledge('frank')
  t.ok(candidates().includes('frank'))
})

await t.test('the next sequence number of the asker', async (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  const next = (asker?: string) => world.machine.reads.change(changeId, asker)?.nextSeq
  t.equal(next('bob'), 1)
  world.approve('bob', changeId, { seq: 7 })
  t.equal(next('bob'), 8)
  t.equal(next('carol'), 1)
  t.equal(next(), 1)
})

await t.test(
  'preview shows diff, rules and transitions, and refuses like the real thing',
  async (t) => {
    const world = new World()
    world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
    const proposal = world.proposeCommand({ by: 'alice', set: { '/prod/a': 2, '/prod/b': 3 } })
    t.match(world.machine.reads.preview(proposal), {
      result: { kind: 'accepted' },
      diff: [
        { path: '/prod/a', before: { value: 1 }, after: { value: 2 } },
        { path: '/prod/b', modRevision: 0, after: { value: 3 } },
      ],
      rules: [{ policy: 'prod', rule: { id: 'prod' } }],
      explanation: { blocked: [{ code: 'NOT_APPROVED' }] },
      events: [{ kind: 'proposed' }],
    })
    const { changeId } = world.propose({ by: 'alice', set: { '/prod/a': 2 } })
    world.approve('bob', changeId)
    const last = world.decisionCommand('approve', 'carol', changeId)
    const preview = world.machine.reads.preview(last)
    t.match(preview.diff, [{ path: '/prod/a', before: { value: 1 }, after: { value: 2 } }])
    t.same(
      preview.events.map(({ kind }) => kind),
      ['decided', 'stateChanged', 'stateChanged', 'activated'],
    )
    t.equal(world.state(changeId), 'OPEN')
    t.equal(world.value('/prod/a'), 1)
    const denied = world.decisionCommand('approve', 'alice', changeId)
    t.match(world.machine.reads.preview(denied).result, {
      kind: 'refused',
      refusal: { code: 'SELF_APPROVAL' },
    })
  },
)

await t.test('a key says what it waits for', async (t) => {
  const world = new World({ genesis: { coolOff: '24h' } })
  world.tick(minute)
  const { keyId } = signerOf('frank')
  const path = `/sys/keys/${keyId}`
  const key = () => world.machine.reads.get(path)?.key
  const of = (name: string) => world.machine.reads.get(`/sys/keys/${signerOf(name).keyId}`)?.key
  t.match(of('alice'), { state: 'active', registeredAt: undefined }, 'of genesis')
  const document = world.newKey('frank')
  const set = { '/sys/people/frank': json(person('frank')), [path]: json(document) }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  t.same(key(), { state: 'pending' })
  world.acknowledge('frank')
  const acknowledgedAt = world.machine.logTime
  t.same(key(), { state: 'waiting', acknowledgedAt }, 'no Tick since its registration')
  world.tick(minute)
  const registeredAt = world.machine.logTime
  const waiting = { registeredAt, acknowledgedAt, countsFrom: registeredAt + day }
  t.same(key(), { state: 'waiting', ...waiting })
  world.tick(day)
  t.same(key(), { state: 'active', ...waiting })
  t.same(
    world.machine.reads.list('/sys/keys', { limit: 99 }).find((one) => one.path === path)?.key,
    {
      state: 'active',
      ...waiting,
    },
  )
  t.equal(world.machine.reads.get('/sys/people/frank')?.key, undefined)
  const revoked = json({ ...document, status: 'revoked' })
  world.carry({ by: 'alice', set: { [path]: revoked } }, ['bob', 'carol'])
  t.match(key(), { state: 'revoked', registeredAt })
})
