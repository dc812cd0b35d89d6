import t from 'tap'
import {
  decodeDocument,
  decodeDocuments,
  judgeSuccession,
  limits,
  overlay,
  type GovernedDocument,
  type Op,
  type Person,
  type PersonKey,
} from '../../src/approval/index.js'
import {
  envelopeToJson,
  payloadType,
  signBody,
  toBase64,
  verifyStrict,
  type Json,
} from '../../src/signing/index.js'
import {
  agent,
  clusterId,
  governed,
  group,
  human,
  keyOf,
  nodeOf,
  policy,
  prod,
  signerOf,
} from './example.js'

const say = (op: Op): string => {
  const decoded = decodeDocument(op)
  return decoded.kind === 'ok' ? decoded.document.kind : decoded.refusal.message
}
const put = (path: string, value: unknown): Op => ({ action: 'put', path, value: value as Json })
const key = keyOf('bob', ['approve'])
const freeze = { paths: ['/prod/**'], from: 1, until: 2, reason: 'x' }

await t.test('each path decodes its own document', (t) => {
  const rows: readonly (readonly [Op, string | RegExp])[] = [
    [put('/sys/people/bob', human('bob')), 'person'],
    [put('/sys/people/ben', human('bob')), /people\/ben.id must agree with the path/],
    [put('/sys/people/bob', { ...human('bob'), admin: 1 }), /admin is not a known field/],
    [put('/sys/people/bob', { ...human('bob'), displayName: 'x'.repeat(101) }), /displayName/],
    [put('/sys/people/bob', { ...human('bob'), status: 'away' }), /status must be one of/],
    [put('/sys/people/bot', agent('bot', 'bob', { scope: ['/b', '/a'] })), /scope is not sorted/],
    [put(`/sys/keys/${key.keyId}`, key), 'key'],
    [put(`/sys/keys/${'0'.repeat(64)}`, key), /keyId must agree with the path/],
    [put(`/sys/keys/${key.keyId}`, { ...key, uses: ['propose', 'approve'] }), /uses is not sorted/],
    [put(`/sys/keys/${key.keyId}`, { ...key, uses: [] }), /uses must hold at least 1/],
    [put(`/sys/keys/${key.keyId}`, { ...key, algorithm: 'p256' }), /algorithm must be one of/],
    [put(`/sys/keys/${key.keyId}`, { ...key, publicKey: 'AAAA' }), /SPKI DER/],
    [put('/sys/groups/ops', group('ops', 'a', 'b')), 'group'],
    [put('/sys/groups/ops', { ...group('ops'), members: ['b', 'a'] }), /members is not sorted/],
    [put('/sys/groups/ops', { ...group('ops'), members: ['a', 'a'] }), /members has a duplicate/],
    [put('/sys/policies/p', policy(prod)), 'policy'],
    [put('/sys/policies/p', { format: 1, rules: [] }), /rules must hold at least 1/],
    [put('/sys/freezes/f', freeze), 'freeze'],
    [put('/sys/freezes/f', { ...freeze, stops: ['emergency', 'ordinary'] }), 'freeze'],
    [put('/sys/freezes/f', { ...freeze, until: 1 }), /from before until/],
    [put('/sys/freezes/f', { ...freeze, setBy: 'change' }), /setBy is not a known field/],
    [put('/sys/cluster/featureLevel', 2), 'featureLevel'],
    [put('/sys/cluster/featureLevel', '2'), /must be an integer/],
    [put('/sys/nodes/node-1', {}), /id is missing/],
    [put('/sys/nodes/node-1', nodeOf('node-1')), 'node'],
    [put('/sys/nodes/node-2', nodeOf('node-1')), /id must agree with the path/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), role: 'leader' }), /role must be one of/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: 'db1' }), /must be host:port/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: 'db1:0' }), /must be host:port/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: 'db1:70000' }), /must be host:port/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: 'a b:1' }), /must be host:port/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: '[::1]:7100' }), 'node'],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), incarnation: '00' }), /incarnation must be/],
    [put('/sys/nodes/node-1', { ...nodeOf('node-1'), logKey: 'AAAA' }), /logKey .*SPKI DER/],
    [
      put('/sys/nodes/node-1', { ...nodeOf('node-1'), logKey: nodeOf('node-1').nodeKey }),
      /logKey is another key of this node/,
    ],
    [{ action: 'delete', path: '/sys/nodes/node-1' }, 'node'],
    [put('/prod/a', 1), /holds no document of the system/],
    [{ action: 'delete', path: '/sys/groups/ops' }, 'group'],
    [{ action: 'delete', path: '/sys/policies/p' }, 'policy'],
    [{ action: 'delete', path: '/sys/freezes/f' }, 'freeze'],
    [{ action: 'delete', path: '/sys/people/bob' }, /is never deleted/],
    [{ action: 'delete', path: `/sys/keys/${key.keyId}` }, /is never deleted/],
    [{ action: 'delete', path: '/sys/cluster/featureLevel' }, /is never deleted/],
    [
      { action: 'put', path: '/sys/groups/g', detached: { digest: '0'.repeat(64), size: 1 } },
      /must carry its value/,
    ],
  ]
  for (const [op, expected] of rows) t.match(say(op), expected, `${op.action} ${op.path}`)
  t.match(decodeDocuments([put('/sys/groups/ops', group('ops')), put('/sys/groups/x', 1)]), {
    kind: 'refused',
    refusal: { code: 'BODY_INVALID' },
  })
  t.end()
})

const before = governed({
  people: [human('ana'), human('ben', { status: 'removed' }), agent('bot', 'ana'), human('cat')],
  keys: [
    keyOf('ana', ['approve', 'propose']),
    { ...keyOf('cat', ['approve']), status: 'revoked' },
    keyOf('bot', ['propose']),
  ],
  groups: [group('operators', 'ana')],
})

function judge(...documents: readonly GovernedDocument[]): string {
  const fault = judgeSuccession({
    before,
    after: overlay(before, documents),
    documents,
    clusterId,
    featureLevel: 1,
    verify: verifyStrict,
  })
  return fault === null ? 'ok' : fault.message
}
const person = (one: Person): GovernedDocument => ({ kind: 'person', person: one })
const asKey = (one: PersonKey): GovernedDocument => ({ kind: 'key', key: one })

await t.test('people: kind for ever, removed is final, sponsors exist', (t) => {
  t.equal(judge(person(human('new'))), 'ok')
  t.equal(judge(person(human('ana', { status: 'suspended' }))), 'ok')
  t.match(judge(person(agent('ana', 'cat'))), /kind never changes/)
  t.match(judge(person(human('ben'))), /removed is final/)
  t.equal(judge(person(human('ben', { status: 'removed', displayName: 'B' }))), 'ok')
  t.match(judge(person(agent('bot', 'zoe'))), /zoe is not a known human/)
  t.match(judge(person(agent('bot', 'bot'))), /bot is not a known human/)
  t.equal(judge(person(agent('bot 2', 'new')), person(human('new'))), 'ok', 'in one change')
  const detector = (id: string): Person => human(id, { kind: 'service', node: 'node-1' })
  t.equal(judge(person(detector('d1'))), 'ok')
  t.match(judge(person(detector('d1')), person(detector('d2'))), /runs beside node-1 already/)
  t.end()
})

await t.test('groups: members exist', (t) => {
  const ops = (...members: readonly string[]): GovernedDocument => ({
    kind: 'group',
    name: 'ops',
    group: group('ops', ...members),
  })
  t.equal(judge(ops('ana', 'cat')), 'ok')
  t.match(judge(ops('zoe')), /zoe is not a known person/)
  t.equal(judge(ops('zoe'), person(human('zoe'))), 'ok')
  t.end()
})

function proofOf(one: PersonKey, change: object = {}, signer = one.person, word = 'ack'): Json {
  const body = {
    v: 1,
    clusterId,
    person: one.person,
    keyId: one.keyId,
    notAfter: 1,
    seen: { size: 0, root: '0'.repeat(64) },
    ...change,
  }
  return envelopeToJson(signBody(payloadType(word as 'ack'), body, signerOf(signer)))
}

await t.test('a new key proves possession to this cluster', (t) => {
  const dan = keyOf('dan', ['approve', 'propose'])
  const join = (proof: Json | undefined, more: Partial<PersonKey> = {}): string =>
    judge(
      person(human('dan')),
      asKey({ ...dan, ...(proof === undefined ? {} : { proof }), ...more }),
    )
  t.equal(join(proofOf(dan)), 'ok')
  t.match(join(undefined), /proof is missing/)
  t.match(join({}), /DSSE envelope/)
  t.match(join(proofOf(dan, { clusterId: 'f'.repeat(64) })), /made for cluster ffff/)
  t.match(join(proofOf(dan, { person: 'ana' })), /another person or key/)
  t.match(join(proofOf(dan, { v: 2 })), /feature level/)
  t.match(join(proofOf(dan, {}, 'dan', 'withdraw')), /not of type ack/)
  const forged = proofOf(dan) as { payload: string }
  const other = proofOf(dan, {}, 'ana') as { signatures: readonly { sig: string }[] }
  const signatures = [{ keyid: dan.keyId, sig: other.signatures[0]?.sig ?? '' }]
  t.match(join({ ...forged, signatures }), /not signed by the new key/)
  t.match(join(proofOf(dan), { status: 'revoked' }), /must be active in a new key/)
  t.match(join(proofOf(dan), { person: 'zoe' }), /zoe is not known/)
  const node = keyOf('dan', ['approve'], 'node-1 node')
  const asNode = { ...node, proof: proofOf(node, {}, 'node-1 node') }
  t.equal(asNode.publicKey, toBase64(signerOf('node-1 node').publicKeySpki))
  t.match(judge(person(human('dan')), asKey(asNode)), /is the key of a node/)
  t.end()
})

await t.test('keys: owner for ever, revoked is final, uses fit the kind', (t) => {
  const ana = keyOf('ana', ['approve', 'propose'])
  t.equal(judge(asKey({ ...ana, status: 'revoked' })), 'ok')
  t.match(judge(asKey({ ...ana, person: 'cat' })), /owns the key for ever/)
  t.match(judge(asKey(keyOf('cat', ['approve']))), /revoked is final/)
  t.match(judge(asKey(keyOf('bot', ['approve', 'propose']))), /may not hold approve/)
  t.match(judge(asKey({ ...ana, uses: ['detect'] })), /may not hold detect/)
  t.end()
})

await t.test('the overlay changes what it names and nothing else', (t) => {
  const after = overlay(before, [
    person(human('cat', { status: 'suspended' })),
    { kind: 'group', name: 'operators', group: 'deleted' },
    { kind: 'policy', name: 'prod', policy: 'deleted' },
    { kind: 'freeze', id: 'f', freeze: 'deleted' },
  ])
  t.equal(after.person('cat')?.status, 'suspended')
  t.equal(before.person('cat')?.status, 'active')
  t.equal(after.person('ana'), before.person('ana'))
  t.equal(after.group('operators'), undefined)
  t.same(
    [...after.policies()].map(({ name }) => name),
    ['governance'],
  )
  t.ok(after.isNodeKey(toBase64(signerOf('node-1 node').publicKeySpki)))
  t.end()
})

await t.test('each limit of a document: what is at it passes, what is above it does not', (t) => {
  const globs = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, n) => `/g/${String(n).padStart(4, '0')}`)
  const names = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, n) => `m${String(n).padStart(4, '0')}`)
  const deep = (count: number): string => `/a${'/**'.repeat(count)}`
  const hostOf = (length: number): string => `${'h'.repeat(length - 2)}:1`
  const cases: readonly (readonly [string, number, (size: number) => Op, RegExp])[] = [
    [
      'members',
      limits.groupMembersMax,
      (size) => put('/sys/groups/ops', group('ops', ...names(size))),
      /members must hold at most/,
    ],
    [
      'scope',
      limits.scopeGlobsMax,
      (size) => put('/sys/people/bot', agent('bot', 'bob', { scope: globs(size) })),
      /scope must hold at most/,
    ],
    [
      'open of a quota',
      limits.openChangesPerPersonMax,
      (size) => put('/sys/people/bot', agent('bot', 'bob', { quota: { open: size, perDay: 1 } })),
      /quota.open must be an integer/,
    ],
    [
      'globs of a freeze',
      limits.freezeGlobsMax,
      (size) => put('/sys/freezes/f', { ...freeze, paths: globs(size) }),
      /paths must hold at most/,
    ],
    [
      '** in a glob',
      limits.globDeepMax,
      (size) => put('/sys/freezes/f', { ...freeze, paths: [deep(size)] }),
      /paths\[0\] must be a glob/,
    ],
    [
      'displayName',
      limits.displayNameBytesMax,
      (size) => put('/sys/people/bob', { ...human('bob'), displayName: 'x'.repeat(size) }),
      /displayName must be at most/,
    ],
    [
      'perDay of a quota',
      limits.quotaPerDayMax,
      (size) => put('/sys/people/bot', agent('bot', 'bob', { quota: { open: 1, perDay: size } })),
      /quota.perDay must be an integer/,
    ],
    [
      'purpose of a group',
      limits.groupPurposeBytesMax,
      (size) => put('/sys/groups/ops', { ...group('ops'), purpose: 'x'.repeat(size) }),
      /purpose must be at most/,
    ],
    [
      'reason of a freeze',
      limits.freezeReasonBytesMax,
      (size) => put('/sys/freezes/f', { ...freeze, reason: 'x'.repeat(size) }),
      /reason must be at most/,
    ],
    [
      'owner of a node',
      limits.nodeOwnerBytesMax,
      (size) => put('/sys/nodes/node-1', { ...nodeOf('node-1'), owner: 'x'.repeat(size) }),
      /owner must be at most/,
    ],
    [
      'address of a node',
      limits.addressBytesMax,
      (size) => put('/sys/nodes/node-1', { ...nodeOf('node-1'), address: hostOf(size) }),
      /address must be host:port/,
    ],
    [
      'feature level',
      limits.featureLevelNumberMax,
      (size) => put('/sys/cluster/featureLevel', size),
      /must be an integer/,
    ],
    [
      'names in a list of a rule',
      limits.namesMax,
      (size) => put('/sys/policies/p', policy({ ...prod, propose: { groups: names(size) } })),
      /propose.groups must hold at most/,
    ],
  ]
  for (const [name, most, op, refused] of cases) {
    t.match(say(op(most)), /^\w+$/, name)
    t.match(say(op(most + 1)), refused, name)
  }
  t.end()
})
