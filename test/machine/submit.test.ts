import fc from 'fast-check'
import t from 'tap'
import { encodeDetached, payloadType, signBody, verifyStrict } from '../../src/signing/index.js'
import type { Envelope, JsonObject } from '../../src/signing/index.js'
import type { Command } from '../../src/machine/index.js'
import { World, hour, json, keyOf, monday, outcome, person, signerOf } from './world.js'
import '../property-seed.js'

type Submit = Extract<Command, { kind: 'submit' }>

const five = ['alice', 'bob', 'carol', 'dave', 'erin']

/** Signs any body as bob. */
function signed(word: 'approve' | 'propose', body: JsonObject): Submit {
  return {
    kind: 'submit',
    envelope: signBody(payloadType(word), body, signerOf('bob')),
    detached: [],
  }
}

function bodyOf(command: Submit): JsonObject {
  return JSON.parse(new TextDecoder().decode(command.envelope.body)) as JsonObject
}

function withEnvelope(command: Submit, fields: Partial<Envelope>): Submit {
  return { ...command, envelope: { ...command.envelope, ...fields } }
}

await t.test(
  'checks 1 to 6 are noise: counted, no effect, the leader stands accused',
  async (t) => {
    const world = new World()
    const { changeId } = world.propose({ by: 'alice' })
    const good = world.decisionCommand('approve', 'bob', changeId)
    const body = bodyOf(good)
    const flipped = good.envelope.signature.slice()
    flipped[0] = (flipped[0] ?? 0) ^ 1
    const spaced = new TextEncoder().encode(`${new TextDecoder().decode(good.envelope.body)} `)
    const mallory = signerOf('mallory')
    const cases: Readonly<Record<string, readonly [Command, string]>> = {
      'a type that nobody knows': [withEnvelope(good, { type: 'application/json' }), 'BAD_TYPE'],
      'a type for digests only': [withEnvelope(good, { type: payloadType('rules') }), 'BAD_TYPE'],
      'a stamp': [withEnvelope(good, { type: payloadType('stamp') }), 'BODY_INVALID'],
      'a later type': [withEnvelope(good, { type: payloadType('ratify') }), 'FEATURE_LEVEL'],
      'another type for the same body': [
        withEnvelope(good, { type: payloadType('reject') }),
        'BAD_TYPE',
      ],
      'a body that is not canonical': [withEnvelope(good, { body: spaced }), 'NON_CANONICAL'],
      'a body that is no JSON': [
        withEnvelope(good, { body: new Uint8Array([0]) }),
        'NON_CANONICAL',
      ],
      'a body that is too large': [
        withEnvelope(good, { body: new Uint8Array(40 * 1024 + 1) }),
        'TOO_LARGE',
      ],
      'an unknown field': [signed('approve', { ...body, extra: 1 }), 'BODY_INVALID'],
      'a later body version': [signed('approve', { ...body, v: 2 }), 'FEATURE_LEVEL'],
      'the word of another type': [signed('approve', { ...body, decision: 'revoke' }), 'BAD_TYPE'],
      'another cluster': [
        signed('approve', { ...body, clusterId: '11'.repeat(32) }),
        'WRONG_CLUSTER',
      ],
      'another key in the envelope': [withEnvelope(good, { keyId: mallory.keyId }), 'BODY_INVALID'],
      'a key that nobody owns': [
        world.decisionCommand('approve', 'bob', changeId, {}, mallory),
        'UNKNOWN_KEY',
      ],
      "somebody else's key": [
        world.decisionCommand('approve', 'carol', changeId, {}, signerOf('bob')),
        'UNKNOWN_KEY',
      ],
      'a forged signature': [withEnvelope(good, { signature: flipped }), 'BAD_SIGNATURE'],
      'a signature that is too short': [
        withEnvelope(good, { signature: new Uint8Array(3) }),
        'BAD_SIGNATURE',
      ],
      'a detached part that is not named': [
        { ...good, detached: [encodeDetached('x', '00'.repeat(16)).bytes] },
        'BODY_INVALID',
      ],
      'a detached part that is missing': [
        { ...world.decisionCommand('reject', 'bob', changeId), detached: [] },
        'BODY_INVALID',
      ],
      'detached parts that are too large': [
        { ...good, detached: [new Uint8Array(1024 * 1024)] },
        'TOO_LARGE',
      ],
      'bytes that are no command': [{ kind: 'undecodable', reason: 'x' }, 'MALFORMED_REQUEST'],
    }
    for (const [name, [command, code]] of Object.entries(cases)) {
      const { digest: _before, ...status } = statusOf(world)
      t.match(
        world.machine.check(command, verifyStrict),
        { kind: 'noise', refusal: { code } },
        name,
      )
      const applied = world.apply(command)
      t.equal(outcome(applied), code, name)
      t.match(applied.events, [{ kind: 'noise', accusedTerm: 1, refusal: { code } }], name)
      t.equal(applied.writes.length, 1, 'the counter only')
      const { digest: _after, ...then } = statusOf(world)
      t.same(then, { ...status, noise: status.noise + 1 }, name)
    }
    t.equal(outcome(world.apply(good)), 'OPEN', 'nothing has spoilt the message itself')
  },
)

await t.test('checks 7 and later are recorded, and the first failure is the result', async (t) => {
  const world = new World({
    humans: five,
    keys: [
      ...five.map((name) => keyOf(name)),
      keyOf('agent', { uses: ['propose'] }),
      keyOf('bob proposes', { person: 'bob', uses: ['propose'] }),
    ],
  })
  const removed = json(person('erin', { status: 'removed' }))
  world.carry({ by: 'alice', set: { '/sys/people/erin': removed } }, ['bob', 'carol'])
  const revoked = json(keyOf('dave', { status: 'revoked' }))
  world.carry({ by: 'alice', set: { [`/sys/keys/${signerOf('dave').keyId}`]: revoked } }, [
    'bob',
    'carol',
  ])
  world.tick(hour)
  const { changeId } = world.propose({ by: 'alice' })
  const seen = { size: 1, root: '11'.repeat(32) }
  const old = monday
  const digest = '22'.repeat(32)
  const cases: readonly (readonly [string, string, JsonObject, string])[] = [
    ['erin', 'a person who is out', { notAfter: old, seen }, 'PERSON_INACTIVE'],
    ['dave', 'a revoked key', { notAfter: old, seen }, 'KEY_REVOKED'],
    ['agent', 'an agent', { notAfter: old, seen }, 'AGENT_CANNOT_APPROVE'],
    ['bob', 'a message that is too old', { notAfter: old, seen }, 'EXPIRED'],
    ['bob', 'a head that is not certified', { seen, changeId: digest.slice(32) }, 'SEEN_UNKNOWN'],
    ['bob', 'another root', { seen: { size: 0, root: digest } }, 'SEEN_UNKNOWN'],
    ['bob', 'an unknown change', { changeId: digest.slice(32), revision: 7 }, 'UNKNOWN_CHANGE'],
    ['alice', 'another revision first', { revision: 7, contentDigest: digest }, 'WRONG_REVISION'],
    ['alice', 'the author before digests', { contentDigest: digest }, 'SELF_APPROVAL'],
    [
      'bob',
      'content before rules',
      { contentDigest: digest, rulesDigest: digest },
      'CONTENT_MISMATCH',
    ],
    ['bob', 'rules before risk', { rulesDigest: digest, riskDigest: digest }, 'RULES_CHANGED'],
    ['bob', 'risk', { riskDigest: digest }, 'RISK_CHANGED'],
  ]
  for (const [by, name, fields, code] of cases) {
    const { refusals } = world.machine.status()
    const applied = world.approve(by, changeId, fields)
    t.equal(outcome(applied), code, name)
    t.match(applied.events, [{ kind: 'refused', person: by, refusal: { code } }], name)
    t.equal(world.machine.status().refusals, refusals + 1)
  }
  const wrongUse = world.decide('approve', 'bob', changeId, {}, signerOf('bob proposes'))
  t.equal(outcome(wrongUse), 'KEY_USE')
  t.equal(world.change(changeId).decisions.length, 0)
})

await t.test('whoever holds no group of a seat has nothing to approve', async (t) => {
  const world = new World({
    humans: five,
    prod: { need: [{ count: 2, group: 'payments' }] },
    groups: [{ name: 'payments', purpose: 'Payments', members: ['bob', 'carol', 'dave'] }],
  })
  const { changeId } = world.propose({ by: 'alice' })
  t.match(world.approve('erin', changeId).result, {
    refusal: { code: 'NOT_IN_GROUP', details: { groups: ['payments'] } },
  })
})

await t.test('the same bytes get the first result', async (t) => {
  const world = new World()
  const proposal = world.proposeCommand({ by: 'alice', changeId: world.newChangeId() })
  const first = world.apply(proposal)
  t.match(first.result, { kind: 'accepted', state: 'OPEN', index: 2, repeated: false })
  const changeId = '1'.padStart(32, '0')
  const denied = world.decisionCommand('approve', 'alice', changeId)
  const refused = world.apply(denied)
  const yes = [world.decisionCommand('approve', 'bob', changeId)]
  world.apply(yes[0] as Submit)
  yes.push(world.decisionCommand('approve', 'carol', changeId))
  world.apply(yes[1] as Submit)
  const expected: readonly [Command, object][] = [
    [proposal, { kind: 'accepted', state: 'OPEN', index: 2 }],
    [denied, { kind: 'refused', refusal: { code: 'SELF_APPROVAL' }, index: refused.result && 3 }],
    [yes[0] as Submit, { kind: 'accepted', state: 'OPEN', index: 4 }],
    [yes[1] as Submit, { kind: 'accepted', state: 'ACTIVE', index: 5, activatedAt: 5 }],
  ]
  for (const [command, result] of expected) {
    const check = world.machine.check(command, verifyStrict)
    t.match(check, { kind: 'known', result: { ...result, repeated: true } })
    const again = world.apply(command)
    t.match(again.result, { ...result, repeated: true })
    t.same(again.events, [])
  }
  const otherSignature = withEnvelope(proposal, { signature: new Uint8Array(64) })
  t.equal(outcome(world.apply(otherSignature)), 'BAD_SIGNATURE', 'only to who can sign it')
})

await t.test('large values travel detached, secrets sealed', async (t) => {
  const world = new World()
  const { bytes, digest, size } = encodeDetached({ list: [1, 2, 3] }, '0a'.repeat(16))
  const sealed = { ciphertext: 'c2VjcmV0', keyReference: 'kms/1' }
  const { changeId } = world.carry(
    {
      by: 'alice',
      ops: [
        { action: 'put', path: '/prod/large', detached: { digest, size } },
        { action: 'put', path: '/prod/secret', sealed },
      ],
      detached: [bytes],
    },
    ['bob', 'carol'],
  )
  t.same(world.machine.reads.get('/prod/large')?.content, {
    kind: 'detached',
    digest,
    size,
    value: { list: [1, 2, 3] },
  })
  t.same(world.machine.reads.get('/prod/secret')?.content, { kind: 'sealed', ...sealed })
  t.equal(world.change(changeId).revisions[0]?.detached.length, 1)
  const wrongSize = world.proposeCommand({
    by: 'alice',
    ops: [{ action: 'put', path: '/prod/large', detached: { digest, size: size + 1 } }],
    detached: [bytes],
  })
  t.equal(outcome(world.apply(wrongSize)), 'BODY_INVALID')
})

await t.test('a delete and a new life', async (t) => {
  const world = new World()
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, ['bob', 'carol'])
  world.carry({ by: 'alice', set: { '/prod/a': null } }, ['bob', 'carol'])
  t.equal(world.machine.reads.get('/prod/a'), undefined)
  const { index = 0 } =
    world.carry({ by: 'alice', set: { '/prod/a': 2 } }, ['bob', 'carol']).result ?? {}
  t.match(world.machine.reads.get('/prod/a'), { createRevision: index + 2, modRevision: index + 2 })
  t.same(
    world.machine.reads.history('/prod/a', { limit: 10 }).map(({ content }) => content.kind),
    ['value', 'deleted', 'value'],
  )
})

await t.test('any altered byte of a signed message is noise or the same message', (t) => {
  const world = new World()
  const { changeId } = world.propose({ by: 'alice' })
  const good = world.decisionCommand('approve', 'bob', changeId)
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const body = good.envelope.body.slice()
      body[at % body.length] = (body[at % body.length] ?? 0) ^ mask
      return world.machine.check(withEnvelope(good, { body }), verifyStrict).kind === 'noise'
    }),
  )
  t.end()
})

await t.test('any JSON at all under any type is judged without an exception', (t) => {
  const words = ['propose', 'approve', 'reject', 'revoke', 'withdraw', 'activate', 'ack'] as const
  const world = new World()
  fc.assert(
    fc.property(
      fc.constantFrom(...words),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (word, extra) => {
        const body = { v: 1, ...extra } as JsonObject
        let envelope: Envelope
        try {
          envelope = signBody(payloadType(word), body, signerOf('bob'))
        } catch {
          return true
        }
        return (
          world.machine.check({ kind: 'submit', envelope, detached: [] }, verifyStrict).kind ===
          'noise'
        )
      },
    ),
  )
  t.end()
})

function statusOf(world: World) {
  const { stateDigest, appliedIndex: _applied, ...status } = world.machine.status()
  return { ...status, digest: stateDigest }
}
