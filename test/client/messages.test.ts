import fc from 'fast-check'
import t from 'tap'
import { decodeBody, rulesDigest } from '../../src/approval/index.js'
import {
  composeAck,
  composeDecision,
  composePropose,
  diffOps,
  kindOfPaths,
  nextRevisionOf,
  openComment,
  openRevision,
  sign,
} from '../../src/client/index.js'
import type { ChangeView } from '../../src/machine/index.js'
import { messageDigest, sha256Hex, verifyStrict } from '../../src/signing/index.js'
import { decodePublicKey, toBase64, verifyEnvelope } from '../../src/signing/index.js'
import { signerOf, World } from '../machine/world.js'
import '../property-seed.js'

const alice = signerOf('alice')
const bob = signerOf('bob')

function scene(): { world: World; change: ChangeView; changeId: string } {
  const world = new World()
  world.tick()
  const head = { clusterId: world.clusterId, person: 'alice', keyId: alice.keyId }
  const composed = composePropose({
    ...head,
    title: 'Raise the timeout',
    ops: [
      { action: 'put', path: '/prod/z', value: { big: 'x'.repeat(9000) } },
      { action: 'put', path: '/prod/a', value: 2500 },
    ],
    base: [
      { path: '/prod/z', modRevision: 0 },
      { path: '/prod/a', modRevision: 0 },
    ],
    rationale: 'It times out.\nOften.',
    notAfter: world.now + 60_000,
  })
  const { envelope, detached } = sign(composed, alice)
  const { result } = world.submit(envelope, detached)
  if (result?.kind !== 'accepted') throw new Error(JSON.stringify(result))
  const changeId = composed.body.changeId
  const change = world.machine.reads.change(changeId, 'bob')
  if (change === undefined) throw new Error('no change')
  return { world, change, changeId }
}

await t.test('a proposal is sorted, complete, and passes the nodes’ own decoder', (t) => {
  const { world, change } = scene()
  const opened = openRevision(change, { clusterId: world.clusterId })
  t.same(
    opened.body.ops.map(({ path }) => path),
    ['/prod/a', '/prod/z'],
  )
  t.equal(opened.body.kind, 'config')
  t.equal(opened.rationale, 'It times out.\nOften.')
  t.same(opened.missing, [])
  t.equal(opened.contentDigest, change.contentDigest)
  const diff = diffOps({ ops: opened.body.ops, values: opened.values }, { entries: new Map() })
  t.same(diff[0], { path: '/prod/a', modRevision: 0, after: { kind: 'value', value: 2500 } })
  t.match(diff[1], { after: { kind: 'detached', value: { big: /^x+$/ } } })
  t.same(nextRevisionOf(change, { clusterId: world.clusterId }), {
    changeId: change.changeId,
    revision: 2,
    previousDigest: change.contentDigest,
  })
  t.end()
})

await t.test('a decision pins digests of raw data and the genesis head', (t) => {
  const { world, change } = scene()
  const composed = composeDecision({
    clusterId: world.clusterId,
    person: 'bob',
    keyId: bob.keyId,
    decision: 'reject',
    change,
    comment: 'Too high',
    notAfter: world.now + 60_000,
  })
  t.match(composed.body, {
    contentDigest: change.contentDigest,
    rulesDigest: rulesDigest(change.rules),
    riskDigest: 'none',
    seen: { size: 0, root: sha256Hex(new Uint8Array()) },
    seq: change.nextSeq,
  })
  const { envelope, detached } = sign(composed, bob)
  t.equal(composed.digest, messageDigest(envelope.type, envelope.body))
  const key = decodePublicKey(toBase64(bob.publicKeySpki))
  t.ok(key.kind === 'ok' && verifyEnvelope(envelope, key.publicKey, verifyStrict))
  const { result } = world.submit(envelope, detached)
  t.match(result, { kind: 'accepted' })
  const [decision] = world.machine.reads.change(change.changeId)?.decisions ?? []
  t.equal(decision && openComment(decision), 'Too high')
  t.throws(
    () =>
      composeDecision({
        clusterId: world.clusterId,
        person: 'bob',
        keyId: bob.keyId,
        decision: 'reject',
        change,
      }),
    { code: 'INPUT_INVALID' },
  )
  t.end()
})

await t.test('nothing is signed when the server lies', (t) => {
  const { world, change } = scene()
  const other = '11'.repeat(32)
  const [revision] = change.revisions
  const [rule] = change.rules
  if (revision === undefined || rule === undefined) throw new Error('no revision')
  const text = new TextDecoder().decode(revision.envelope.body).replace('2500', '9999')
  const swapped = { ...revision, envelope: { ...revision.envelope, body: encode(text) } }
  const lies: Record<string, { change: ChangeView; code: string }> = {
    'another content digest': {
      change: { ...change, contentDigest: other },
      code: 'CONTENT_MISMATCH',
    },
    'another digest of the revision': {
      change: { ...change, revisions: [{ ...revision, contentDigest: other }] },
      code: 'CONTENT_MISMATCH',
    },
    'another body under the same digest': {
      change: { ...change, revisions: [swapped] },
      code: 'CONTENT_MISMATCH',
    },
    'another title': { change: { ...change, title: 'harmless' }, code: 'CONTENT_MISMATCH' },
    'another path': { change: { ...change, paths: ['/dev/a'] }, code: 'CONTENT_MISMATCH' },
    'another author': {
      change: { ...change, revisions: [{ ...revision, author: 'carol' }] },
      code: 'CONTENT_MISMATCH',
    },
    'a revision that is not there': {
      change: { ...change, revision: 2 },
      code: 'CONTENT_MISMATCH',
    },
    'no detached value': {
      change: { ...change, revisions: [{ ...revision, detached: [] }] },
      code: 'CONTENT_MISMATCH',
    },
    'another detached value': {
      change: {
        ...change,
        revisions: [
          { ...revision, detached: [new TextEncoder().encode('{"salt":"00","value":1}')] },
        ],
      },
      code: 'CONTENT_MISMATCH',
    },
    'rules that ask for less': {
      change: {
        ...change,
        rules: [{ ...rule, rule: { ...rule.rule, need: [{ count: 1, group: 'operators' }] } }],
      },
      code: 'RULES_CHANGED',
    },
    'another rules digest': { change: { ...change, rulesDigest: other }, code: 'RULES_CHANGED' },
    'a risk report': { change: { ...change, riskDigest: other }, code: 'FEATURE_LEVEL' },
  }
  const decide = (shown: ChangeView, clusterId = world.clusterId): unknown =>
    composeDecision({
      clusterId,
      person: 'bob',
      keyId: bob.keyId,
      decision: 'approve',
      change: shown,
    })
  t.doesNotThrow(() => decide(change))
  for (const [lie, { change: shown, code }] of Object.entries(lies)) {
    t.throws(() => decide(shown), { code }, lie)
  }
  t.throws(() => decide(change, other), { code: 'WRONG_CLUSTER' })
  t.end()
})

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

await t.test('what cannot be composed is refused before anybody signs', (t) => {
  const head = { clusterId: '00'.repeat(32), person: 'alice', keyId: alice.keyId, title: 'x' }
  const put = { action: 'put', path: '/prod/a', value: 1 } as const
  const base = [{ path: '/prod/a', modRevision: 0 }]
  t.throws(() => composePropose({ ...head, ops: [put], base: [] }), { code: 'INPUT_INVALID' })
  t.throws(() => composePropose({ ...head, ops: [put, put], base }), { code: 'INPUT_INVALID' })
  t.throws(() => composePropose({ ...head, ops: [{ ...put, value: 2 ** 60 }], base }), {
    code: 'VALUE_NOT_CANONICAL',
  })
  t.throws(() => sign(composeAck(head), bob), { code: 'KEY_USE' })
  t.throws(() => kindOfPaths(['/prod/a', '/sys/groups/x']), { code: 'KIND_MISMATCH' })
  t.throws(() => kindOfPaths(['/sys/other/x']), { code: 'KIND_MISMATCH' })
  t.equal(kindOfPaths(['/sys/people/x', '/sys/groups/x']), 'identity')
  t.end()
})

await t.test('any set of ops composes to a body that every node decodes', (t) => {
  const segment = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  fc.assert(
    fc.property(
      fc.uniqueArray(segment, { minLength: 1, maxLength: 20 }),
      fc.jsonValue({ maxDepth: 3 }).filter(isIJson),
      fc.option(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }), { nil: undefined }),
      (names, value, rationale) => {
        const composed = composePropose({
          clusterId: '00'.repeat(32),
          person: 'alice',
          keyId: alice.keyId,
          title: 'x',
          ops: names.map((name) => ({
            action: 'put',
            path: `/prod/${name}`,
            value: value as never,
          })),
          base: names.map((name) => ({ path: `/prod/${name}`, modRevision: 0 })),
          ...(rationale === undefined ? {} : { rationale }),
        })
        const { envelope } = sign(composed, alice)
        const decoded = decodeBody(envelope, 1)
        return decoded.kind === 'ok'
      },
    ),
  )
  t.end()
})

function isIJson(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (typeof value !== 'object' || value === null) return true
  return !Object.hasOwn(value, '__proto__') && Object.values(value).every(isIJson)
}
