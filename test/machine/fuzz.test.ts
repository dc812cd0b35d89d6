/**
 * Valid messages with one or two members replaced by what nobody expects, signed properly, and
 * carried as far as they get. Whatever they say, they are judged: an exception would stop all nodes.
 */
import fc from 'fast-check'
import t from 'tap'
import { encodeCanonical, payloadType, signBody } from '../../src/signing/index.js'
import type { Json, JsonObject } from '../../src/signing/index.js'
import { World, day, group, hour, json, person, policy, rule, signerOf } from './world.js'
import '../property-seed.js'

const most = Number.MAX_SAFE_INTEGER
const deep = Array.from({ length: 31 }).reduce<Json>((inner) => [inner], 'deep')

const nasty = fc.oneof(
  fc.constantFrom<Json>(null, true, '', '\u0000', '__proto__', 'constructor', '99999d', '0s', '0h'),
  fc.constantFrom<Json>(0, 1, -1, 0.5, most, most - 1, -most, 1e-7, deep, [], {}, [[]]),
  fc.constantFrom<Json>('/**', '/*/**/*/**', '/sys', '/sys/**', '/sys/cluster/featureLevel', '/'),
  fc.constantFrom<Json>('alice', 'agent', 'operators', 'none', 'ordinary', 'global', 'manual'),
  fc.constantFrom<Json>('a'.repeat(600), 'ff'.repeat(32), 'ff'.repeat(16), '\u{1F600}'),
  fc.constant<Json>(JSON.parse('{"__proto__":{"a":1}}') as Json),
  fc.jsonValue().filter(isIJson) as fc.Arbitrary<Json>,
)

function isIJson(value: unknown): boolean {
  try {
    return encodeCanonical(value as Json, { depthMax: 32 }).length > 0
  } catch {
    return false
  }
}

/** Replaces the member that `at` leads to; at each level it chooses among the names. */
function replaced(value: Json, at: readonly number[], by: Json): Json {
  const [first, ...rest] = at
  if (first === undefined || typeof value !== 'object' || value === null) return by
  const names = Object.keys(value)
  const name = names[first % Math.max(1, names.length)]
  if (name === undefined) return by
  const inner = replaced((value as JsonObject)[name] as Json, rest, by)
  if (Array.isArray(value)) return value.map((one: Json, i) => (String(i) === name ? inner : one))
  return { ...(value as JsonObject), [name]: inner }
}

const rich = rule('prod', ['/prod/**', '/x/*'], {
  veto: [{ count: 1, group: 'leads' }],
  distinct: 'global',
  risk: { high: { need: [{ count: 2, group: 'operators' }] } },
  windows: [{ days: ['mon', 'tue'], from: '1h', to: '24h' }],
  open: '80h',
  use: '9h',
  weakeningDelay: '1h',
  bake: { for: '5m', watch: ['errors'] },
  rollback: { plan: 'inverse', by: [{ count: 1, group: 'leads' }], freeze: '30m' },
})

const documents = (world: World): Readonly<Record<string, Json>> => {
  const key = world.newKey('erin')
  return {
    '/prod/a': { list: [1, { a: 'b' }] },
    '/sys/policies/prod': json(policy(rich)),
    '/sys/people/erin': json(person('erin')),
    '/sys/people/agent': json(
      person('agent', {
        kind: 'agent',
        sponsor: 'bob',
        scope: ['/prod/**'],
        quota: { open: 1, perDay: 2 },
      }),
    ),
    [`/sys/keys/${key.keyId}`]: json(key),
    '/sys/groups/leads': json(group('leads', ['alice', 'dave'])),
    '/sys/freezes/f': {
      paths: ['/prod/**'],
      from: world.now,
      until: world.now + hour,
      reason: 'x',
    },
    '/sys/cluster/featureLevel': 1,
  }
}

const mutation = fc.record({
  at: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 7 }),
  by: nasty,
})

await t.test('mutated messages are judged without an exception', (t) => {
  fc.assert(
    fc.property(
      fc.nat({ max: 7 }),
      fc.constantFrom(
        'propose',
        'propose',
        'approve',
        'reject',
        'revoke',
        'withdraw',
        'activate',
        'ack',
      ),
      fc.array(mutation, { minLength: 1, maxLength: 2 }),
      (which, word, mutations) => {
        const world = new World({
          humans: ['alice', 'bob', 'carol', 'dave'],
          groups: [group('leads', ['alice'])],
        })
        const [path, value] = Object.entries(documents(world))[which] as [string, Json]
        const proposal = world.proposeBody({
          by: 'alice',
          set: { [path]: value },
          asserts: [{ path: '/prod/z', modRevision: 0 }],
          schedule: { notBefore: world.now },
          open: '70h',
          rollback: { plan: 'inverse', triggers: ['errors'], until: '5m' },
        }) as unknown as JsonObject
        const mutate = (body: JsonObject): JsonObject =>
          mutations.reduce<Json>((now, { at, by }) => replaced(now, at, by), body) as JsonObject
        const send = (kind: Parameters<typeof payloadType>[0], body: JsonObject): void => {
          const signer = signerOf(body['person'] === 'bob' ? 'bob' : 'alice')
          world.submit(signBody(payloadType(kind), body, signer))
        }
        const changeId = proposal['changeId'] as string
        send('propose', word === 'propose' ? mutate(proposal) : proposal)
        if (word !== 'propose') {
          const command =
            word === 'ack'
              ? { envelope: world.ackEnvelope('bob') }
              : word === 'withdraw' || word === 'activate'
                ? world.actionCommand(word, 'bob', changeId)
                : world.decisionCommand(word, 'bob', changeId)
          const body = JSON.parse(new TextDecoder().decode(command.envelope.body)) as JsonObject
          send(word, mutate(body))
        }
        world.tick()
        for (const by of ['bob', 'carol', 'dave']) world.approve(by, changeId)
        const other = world.propose({ by: 'bob', set: { '/prod/b': 1 } })
        for (const by of ['alice', 'carol', 'dave']) world.approve(by, other.changeId)
        for (const ms of [hour, day, 3 * day, 40 * day]) world.tick(ms)
        world.machine.reads.change(changeId)
        world.machine.timedPending()
        return world.machine.status().stateDigest === world.machine.recomputeDigest()
      },
    ),
    { numRuns: 150 },
  )
  t.end()
})
