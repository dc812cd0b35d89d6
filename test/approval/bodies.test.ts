import t from 'tap'
import { decodeBody, kindOfPath, limits, systemPlace } from '../../src/approval/index.js'
import {
  encodeCanonical,
  payloadType,
  valueDepthMax,
  type Json,
  type PayloadWord,
} from '../../src/signing/index.js'

const hex = (digit: string, bytes: number): string => digit.repeat(2 * bytes)
const keyId = hex('a', 32)
const head = { v: 1, clusterId: hex('0', 32), keyId, notAfter: 1_798_761_600_000 }
const put = (path: string, value: Json = 1): Json => ({ action: 'put', path, value })

const propose = {
  ...head,
  person: 'ana',
  changeId: hex('1', 16),
  revision: 1,
  kind: 'config',
  title: 'Raise the timeout',
  ops: [put('/prod/a'), { action: 'delete', path: '/prod/b' }],
  base: [
    { path: '/prod/a', modRevision: 0 },
    { path: '/prod/b', modRevision: 7 },
  ],
}
const about = {
  ...head,
  person: 'ana',
  changeId: hex('1', 16),
  revision: 1,
  contentDigest: hex('2', 32),
  seq: 1,
}
const decision = {
  ...about,
  decision: 'approve',
  rulesDigest: hex('3', 32),
  riskDigest: 'none',
  seen: { size: 0, root: hex('4', 32) },
}
const ack = { ...head, person: 'ana', seen: decision.seen }
const stamp = { ...head, node: 'node-1', ms: 1, lastIndex: 0 }

function say(word: PayloadWord | string, body: unknown, level = 1): string {
  const type = word.includes('/') ? word : payloadType(word as PayloadWord)
  const bytes = body instanceof Uint8Array ? body : encodeCanonical(body as Json)
  const decoded = decodeBody({ type, body: bytes, keyId }, level)
  return decoded.kind === 'ok' ? 'ok' : `${decoded.refusal.code} ${decoded.refusal.message}`
}

/** With one op, and the base that goes with it. */
const on = (path: string, kind: string, more: object = {}): unknown => ({
  ...propose,
  kind,
  ops: [put(path)],
  base: [{ path, modRevision: 0 }],
  ...more,
})

await t.test('each type with its smallest body, and with all that level 1 knows', (t) => {
  t.equal(say('propose', propose), 'ok')
  for (const word of ['approve', 'revoke'])
    t.equal(say(word, { ...decision, decision: word }), 'ok')
  const reject = { ...decision, decision: 'reject' }
  t.equal(say('reject', { ...reject, commentDigest: hex('5', 32) }), 'ok')
  t.match(say('reject', reject), /BODY_INVALID commentDigest is mandatory/)
  for (const word of ['withdraw', 'activate']) t.equal(say(word, about), 'ok')
  t.equal(say('ack', ack), 'ok')
  t.equal(say('stamp', stamp), 'ok')
  const whole = {
    ...propose,
    revision: 2,
    previousDigest: hex('6', 32),
    asserts: [{ path: '/prod/c', modRevision: 3 }],
    dependsOn: [hex('7', 16), hex('8', 16)],
    schedule: { notBefore: 5 },
    activate: 'manual',
    open: '1h',
    use: '30m',
    rollback: { plan: 'ops', ops: [put('/prod/b')], triggers: ['errors'], until: '5m' },
    rationaleDigest: hex('9', 32),
    sponsor: 'ben',
    provenance: { model: 'm', promptDigest: 'd', tool: 't' },
  }
  t.equal(say('propose', whole), 'ok')
  t.end()
})

await t.test('size, canonical form, type', (t) => {
  const text = new TextEncoder().encode(`${JSON.stringify(propose)} `)
  t.match(say('propose', text), /^NON_CANONICAL/)
  t.match(say('propose', new Uint8Array(limits.bodyBytesMax + 1)), /^TOO_LARGE/)
  const large = on('/prod/a', 'config', { ops: [put('/prod/a', 'x'.repeat(limits.bodyBytesMax))] })
  t.match(say('propose', large), /^TOO_LARGE/)
  for (const type of ['rules', 'genesis', 'detached', 'text/plain', 'a/b+json']) {
    t.match(say(type, ack), /^BAD_TYPE/, type)
  }
  t.match(say('approve', { ...decision, decision: 'revoke' }), /^BAD_TYPE the type says approve/)
  t.match(say('approve', ack), /^BODY_INVALID/)
  t.match(say('ack', []), /^BODY_INVALID body must be an object/)
  t.end()
})

await t.test('every field of every body: missing, unknown, null', (t) => {
  const bodies: Record<string, object> = { propose, approve: decision, withdraw: about, ack, stamp }
  for (const [word, body] of Object.entries(bodies)) {
    t.match(say(word, { ...body, extra: 1 }), /BODY_INVALID extra is not a known field/, word)
    for (const name of Object.keys(body)) {
      const rest = Object.fromEntries(Object.entries(body).filter(([other]) => other !== name))
      t.match(say(word, rest), new RegExp(`^BODY_INVALID ${name} is missing`), `${word}.${name}`)
      t.match(
        say(word, { ...body, [name]: null }),
        /^(BODY_INVALID|BAD_TYPE)/,
        `${word}.${name} null`,
      )
    }
  }
  t.end()
})

await t.test('fields out of range are named', (t) => {
  const rows: Record<string, object> = {
    'v must be': { v: 0 },
    'clusterId must be': { clusterId: hex('A', 32) },
    'person must be an id': { person: 'Ana' },
    'keyId differs': { keyId: hex('b', 32) },
    'notAfter must be': { notAfter: 1.5 },
    'changeId must be': { changeId: 'x' },
    'revision must be': { revision: 0 },
    'previousDigest stands': { previousDigest: hex('1', 32) },
    'title must not be empty': { title: '' },
    'title must be at most 200 bytes': { title: 'ä'.repeat(101) },
    'ops must hold at least 1': { ops: [], base: [] },
    'base must name exactly': { base: [{ path: '/prod/a', modRevision: 0 }] },
    'ops.0..path must be a path': { ops: [put('prod')] },
    'ops.0. must be a put': { ops: [{ action: 'set', path: '/a', value: 1 }] },
    'ops.0..value is not a known': { ops: [{ action: 'delete', path: '/a', value: 1 }] },
    'asserts must hold at least 1': { asserts: [] },
    'dependsOn names the change itself': { dependsOn: [propose.changeId] },
    'schedule.notBefore must be': { schedule: { notBefore: -1 } },
    'activate must be one of': { activate: 'later' },
    'open must be a duration': { open: '1 h' },
    'rollback.ops stands': { rollback: { plan: 'ops' } },
    'rollback.ops may only write paths of ops': { rollback: { plan: 'ops', ops: [put('/z')] } },
    'provenance.tool is missing': { provenance: { model: 'm', promptDigest: 'd' } },
  }
  for (const [message, change] of Object.entries(rows)) {
    t.match(
      say('propose', { ...propose, ...change }),
      new RegExp(`^BODY_INVALID ${message}`),
      message,
    )
  }
  const second = { ...propose, revision: 2 }
  t.match(say('propose', second), /^BODY_INVALID previousDigest stands/)
  t.match(say('approve', { ...decision, seq: -1 }), /^BODY_INVALID seq/)
  t.match(say('approve', { ...decision, riskDigest: 'low' }), /^BODY_INVALID riskDigest/)
  t.match(say('approve', { ...decision, seen: { size: 0 } }), /^BODY_INVALID seen.root is missing/)
  t.end()
})

await t.test('contents of an op: exactly one of three', (t) => {
  const detached = { digest: hex('1', 32), size: 10 }
  const sealed = { ciphertext: 'YQ==', keyReference: 'kms://x' }
  const op = (content: object): unknown =>
    on('/a', 'config', { ops: [{ action: 'put', path: '/a', ...content }] })
  for (const content of [
    { value: null },
    { value: { b: [1.5, true] } },
    { detached },
    { sealed },
  ]) {
    t.equal(say('propose', op(content)), 'ok', Object.keys(content).join())
  }
  for (const content of [
    {},
    { value: 1, detached },
    { sealed, detached },
    { detached: { ...detached, size: 0 } },
    { detached: { ...detached, size: 2 ** 21 } },
    { sealed: { ...sealed, ciphertext: 'YQ' } },
    { sealed: { ciphertext: 'YQ==' } },
  ]) {
    t.match(say('propose', op(content)), /^BODY_INVALID ops\[0\]/, JSON.stringify(content))
  }
  const deep = (n: number): Json => JSON.parse('['.repeat(n) + ']'.repeat(n)) as Json
  t.equal(say('propose', op({ value: deep(32) })), 'ok')
  t.match(say('propose', op({ value: deep(33) })), /^VALUE_NOT_CANONICAL ops\[0\].value/)
  t.end()
})

await t.test('sets are sorted by code units and free of duplicates', (t) => {
  const base = (...paths: readonly string[]): Json =>
    paths.map((path) => ({ path, modRevision: 0 }))
  const ops = (...paths: readonly string[]): Json => paths.map((path) => put(path))
  const rows: Record<string, object> = {
    'ops is not sorted': { ops: ops('/b', '/a'), base: base('/a', '/b') },
    'ops has a duplicate': { ops: ops('/a', '/a'), base: base('/a') },
    'ops is not sorted by code units at /Z': { ops: ops('/a', '/Z'), base: base('/Z', '/a') },
    'base is not sorted': { ops: ops('/a', '/b'), base: base('/b', '/a') },
    'asserts has a duplicate': { asserts: base('/a', '/a') },
    'dependsOn is not sorted': { dependsOn: [hex('8', 16), hex('7', 16)] },
    'rollback.triggers has a duplicate': { rollback: { plan: 'inverse', triggers: ['a', 'a'] } },
  }
  for (const [message, change] of Object.entries(rows)) {
    t.match(
      say('propose', { ...propose, ...change }),
      new RegExp(`^NON_CANONICAL ${message}`),
      message,
    )
  }
  t.end()
})

await t.test('limits of counts', (t) => {
  const paths = Array.from({ length: 257 }, (_, i) => `/p${String(i).padStart(3, '0')}`)
  const of = (n: number): object => ({
    ops: paths.slice(0, n).map((path) => put(path)),
    base: paths.slice(0, n).map((path) => ({ path, modRevision: 0 })),
  })
  t.equal(say('propose', { ...propose, ...of(256) }), 'ok')
  t.match(say('propose', { ...propose, ...of(257) }), /^BODY_INVALID ops must hold at most 256/)
  const ids = Array.from({ length: 65 }, (_, i) => i.toString(16).padStart(32, '0'))
  t.equal(say('propose', { ...propose, dependsOn: ids.slice(0, 64) }), 'ok')
  t.match(say('propose', { ...propose, dependsOn: ids }), /^BODY_INVALID dependsOn/)
  t.end()
})

await t.test('what comes later is FEATURE_LEVEL, not an unknown field', (t) => {
  for (const word of ['ratify', 'risk', 'detect', 'rollback', 'stage', 'recover']) {
    t.match(say(word, { anything: 1 }), /^FEATURE_LEVEL .*committed is 1/, word)
  }
  const rows: Record<string, unknown> = {
    'body version 2': { ...propose, v: 2 },
    'kind schema': on('/sys/schemas/s', 'schema'),
    'kind rollback': { ...propose, kind: 'rollback' },
    'kind emergency': { ...propose, kind: 'emergency' },
    stages: { ...propose, stages: [{ share: 100, bake: '1h' }] },
    deploy: { ...propose, deploy: { repository: 'r', from: 'a', to: 'b' } },
    target: { ...propose, target: { changeId: hex('1', 16), contentDigest: hex('1', 32) } },
    schemaId: on('/a', 'config', { ops: [{ ...(put('/a') as object), schemaId: 's' }] }),
    'a signal': on('/sys/signals/s', 'policy'),
    'a service': on('/sys/services/s', 'policy'),
    'a node': on('/sys/nodes/node-1', 'node'),
    cosignQuorum: on('/sys/cluster/cosignQuorum', 'node'),
    autopilot: on('/sys/cluster/autopilot', 'node'),
  }
  for (const [name, body] of Object.entries(rows))
    t.match(say('propose', body), /^FEATURE_LEVEL/, name)
  t.equal(say('propose', on('/sys/cluster/featureLevel', 'node')), 'ok')
  t.equal(say('propose', on('/sys/nodes/node-1', 'node'), 2), 'ok', 'judged by the level in force')
  t.match(say('propose', on('/sys/signals/s', 'policy'), 4), /^FEATURE_LEVEL/)
  t.end()
})

await t.test('the kind follows from the paths', (t) => {
  const key = hex('c', 32)
  const kinds: Record<string, string | null> = {
    '/prod/a': 'config',
    '/system': 'config',
    '/sys': null,
    '/sys/policies': null,
    '/sys/policies/prod': 'policy',
    '/sys/policies/prod/x': null,
    '/sys/policies/Prod': null,
    '/sys/people/ana': 'identity',
    [`/sys/keys/${key}`]: 'identity',
    '/sys/keys/short': null,
    '/sys/groups/ops': 'identity',
    '/sys/freezes/xmas': 'freeze',
    '/sys/schemas/s': 'schema',
    '/sys/nodes/node-1': 'node',
    '/sys/cluster/featureLevel': 'node',
    '/sys/cluster/other': null,
    '/sys/other/x': null,
  }
  for (const [path, kind] of Object.entries(kinds)) t.equal(kindOfPath(path), kind, path)
  t.equal(systemPlace('/prod/policies/x'), null)
  t.match(
    say('propose', on('/sys/policies/p', 'config')),
    /^KIND_MISMATCH .*belongs to kind policy/,
  )
  t.match(say('propose', on('/prod/a', 'policy')), /^KIND_MISMATCH/)
  t.match(say('propose', on('/sys/other/x', 'config')), /^KIND_MISMATCH .*no kind/)
  const mixed = {
    ...propose,
    ops: [put('/prod/a'), put('/sys/groups/g')],
    base: [
      { path: '/prod/a', modRevision: 0 },
      { path: '/sys/groups/g', modRevision: 0 },
    ],
  }
  t.match(say('propose', mixed), /^KIND_MISMATCH/)
  t.end()
})

await t.test(
  'each limit of a proposal: what is at it passes, what is above it has its code',
  (t) => {
    const many = <T>(count: number, make: (n: number) => T): readonly T[] =>
      Array.from({ length: count }, (_, n) => make(n))
    const pathAt = (n: number): string => `/p/${String(n).padStart(4, '0')}`
    const idAt = (n: number): string => `t${String(n).padStart(4, '0')}`
    const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)])
    const pathOf = (bytes: number): string =>
      `/${'x'.repeat(127)}`.repeat(4).slice(0, bytes - 2) + '/y'
    const deploy = { repository: 'r', from: '', to: 'b' }
    const provenance = { model: 'm', promptDigest: 'd', tool: 't' }
    const labelled = (labels: Json): unknown => ({ ...propose, stages: [{ labels, bake: '1h' }] })
    const withContent = (content: object): unknown =>
      on('/a', 'config', { ops: [{ action: 'put', path: '/a', ...content }] })
    // At which every field is known: some are not yet at the level of this build.
    const levelOfAll = 5
    const cases: Readonly<Record<string, readonly [number, (size: number) => unknown, RegExp]>> = {
      opsMax: [
        limits.opsMax,
        (size) => ({
          ...propose,
          ops: many(size, (n) => put(pathAt(n))),
          base: many(size, (n) => ({ path: pathAt(n), modRevision: 0 })),
        }),
        /^BODY_INVALID ops/,
      ],
      assertsMax: [
        limits.assertsMax,
        (size) => ({
          ...propose,
          asserts: many(size, (n) => ({ path: pathAt(n), modRevision: 1 })),
        }),
        /^BODY_INVALID asserts/,
      ],
      dependsOnMax: [
        limits.dependsOnMax,
        (size) => ({ ...propose, dependsOn: many(size, (n) => String(n).padStart(32, '0')) }),
        /^BODY_INVALID dependsOn/,
      ],
      triggersMax: [
        limits.triggersMax,
        (size) => ({ ...propose, rollback: { plan: 'inverse', triggers: many(size, idAt) } }),
        /^BODY_INVALID rollback.triggers/,
      ],
      titleBytesMax: [
        limits.titleBytesMax,
        (size) => ({ ...propose, title: 'é'.repeat(size / 2) + 'x'.repeat(size % 2) }),
        /^BODY_INVALID title/,
      ],
      keyReferenceBytesMax: [
        limits.keyReferenceBytesMax,
        (size) => withContent({ sealed: { ciphertext: 'YQ==', keyReference: 'k'.repeat(size) } }),
        /^BODY_INVALID ops\[0\]\.sealed\.keyReference/,
      ],
      'detached size (commandBytesMax)': [
        limits.commandBytesMax,
        (size) => withContent({ detached: { digest: hex('1', 32), size } }),
        /^BODY_INVALID ops\[0\]\.detached\.size/,
      ],
      'deploy.repository (deployRepositoryBytesMax)': [
        limits.deployRepositoryBytesMax,
        (size) => ({ ...propose, deploy: { ...deploy, repository: 'r'.repeat(size) } }),
        /^BODY_INVALID deploy\.repository/,
      ],
      'deploy.from (deployRevisionBytesMax)': [
        limits.deployRevisionBytesMax,
        (size) => ({ ...propose, deploy: { ...deploy, from: 'a'.repeat(size) } }),
        /^BODY_INVALID deploy\.from/,
      ],
      'deploy.to (deployRevisionBytesMax)': [
        limits.deployRevisionBytesMax,
        (size) => ({ ...propose, deploy: { ...deploy, to: 'a'.repeat(size) } }),
        /^BODY_INVALID deploy\.to/,
      ],
      stagesMax: [
        limits.stagesMax,
        (size) => ({ ...propose, stages: many(size, () => ({ share: 1, bake: '1h' })) }),
        /^BODY_INVALID stages/,
      ],
      stageShareMax: [
        limits.stageShareMax,
        (size) => ({ ...propose, stages: [{ share: size, bake: '1h' }] }),
        /^BODY_INVALID stages\[0\]\.share/,
      ],
      stageLabelsMax: [
        limits.stageLabelsMax,
        (size) => labelled(many(size, (n) => ({ name: idAt(n), value: 'x' }))),
        /^BODY_INVALID stages\[0\]\.labels/,
      ],
      'name of a label (stageLabelBytesMax)': [
        limits.stageLabelBytesMax,
        (size) => labelled([{ name: 'x'.repeat(size), value: 'x' }]),
        /^BODY_INVALID stages\[0\]\.labels\[0\]\.name/,
      ],
      'value of a label (stageLabelBytesMax)': [
        limits.stageLabelBytesMax,
        (size) => labelled([{ name: 'x', value: 'x'.repeat(size) }]),
        /^BODY_INVALID stages\[0\]\.labels\[0\]\.value/,
      ],
      ...Object.fromEntries(
        Object.keys(provenance).map((name) => [
          `${name} (provenanceBytesMax)`,
          [
            limits.provenanceBytesMax,
            (size: number) => ({
              ...propose,
              provenance: { ...provenance, [name]: 'x'.repeat(size) },
            }),
            new RegExp(`^BODY_INVALID provenance.${name}`),
          ] as const,
        ]),
      ),
      idLengthMax: [
        limits.idLengthMax,
        (size) => ({ ...propose, person: 'a'.repeat(size) }),
        /^BODY_INVALID person/,
      ],
      pathBytesMax: [
        limits.pathBytesMax,
        (size) => on(pathOf(size), 'config'),
        /^BODY_INVALID ops\[0\]\.path/,
      ],
      pathSegmentsMax: [
        limits.pathSegmentsMax,
        (size) => on('/s'.repeat(size), 'config'),
        /^BODY_INVALID ops\[0\]\.path/,
      ],
      pathSegmentBytesMax: [
        limits.pathSegmentBytesMax,
        (size) => on(`/${'s'.repeat(size)}`, 'config'),
        /^BODY_INVALID ops\[0\]\.path/,
      ],
      durationDigitsMax: [
        limits.durationDigitsMax,
        (size) => ({ ...propose, open: `${'9'.repeat(size)}h` }),
        /^BODY_INVALID open/,
      ],
      valueDepthMax: [
        valueDepthMax,
        (size) => on('/prod/a', 'config', { ops: [put('/prod/a', nested(size))] }),
        /^VALUE_NOT_CANONICAL/,
      ],
    }
    for (const [name, [most, body, refused]] of Object.entries(cases)) {
      t.equal(say('propose', body(most), levelOfAll), 'ok', name)
      t.match(say('propose', body(most + 1), levelOfAll), refused, name)
    }
    t.end()
  },
)
