import t from 'tap'
import {
  whyNotCounted,
  whyRejectNotCounted,
  type ApprovalInput,
  type Person,
  type PersonKey,
} from '../../src/approval/index.js'
import { agent, human, keyOf } from './example.js'

const key = keyOf('bob', ['approve', 'propose'])
const digests = { contentDigest: 'c', rulesDigest: 'r', riskDigest: 'none' } as const

/** An approval by bob that counts, but for what is changed. */
function approval(change: Partial<ApprovalInput> = {}): ApprovalInput {
  return {
    named: digests,
    current: digests,
    person: human('bob'),
    key: { key, registeredAt: 1000, acknowledged: true },
    openedAt: 5000,
    coolOffMs: 4000,
    authorSet: new Set(['alice']),
    ...change,
  }
}
const withKey = (more: Partial<PersonKey>): Partial<ApprovalInput> => ({
  key: { key: { ...key, ...more }, registeredAt: 1000, acknowledged: true },
})
const withPerson = (person: Person): Partial<ApprovalInput> => ({ person })

const rows: Record<string, readonly [Partial<ApprovalInput>, string | null, string | null]> = {
  'a good one': [{}, null, null],
  'other content': [
    { named: { ...digests, contentDigest: 'x' } },
    'CONTENT_MISMATCH',
    'CONTENT_MISMATCH',
  ],
  'other rules': [{ named: { ...digests, rulesDigest: 'x' } }, 'RULES_CHANGED', null],
  'another risk report': [{ current: { ...digests, riskDigest: 'x' } }, 'RISK_CHANGED', null],
  'an agent': [withPerson(agent('bob', 'alice')), 'AGENT_CANNOT_APPROVE', 'AGENT_CANNOT_APPROVE'],
  'a service': [
    withPerson(human('bob', { kind: 'service' })),
    'AGENT_CANNOT_APPROVE',
    'AGENT_CANNOT_APPROVE',
  ],
  suspended: [
    withPerson(human('bob', { status: 'suspended' })),
    'PERSON_INACTIVE',
    'PERSON_INACTIVE',
  ],
  removed: [withPerson(human('bob', { status: 'removed' })), 'PERSON_INACTIVE', 'PERSON_INACTIVE'],
  'nobody known': [{ person: undefined }, 'UNKNOWN_KEY', 'UNKNOWN_KEY'],
  'no key known': [{ key: undefined }, 'UNKNOWN_KEY', 'UNKNOWN_KEY'],
  'a revoked key': [withKey({ status: 'revoked' }), 'KEY_REVOKED', 'KEY_REVOKED'],
  'a key for proposing': [withKey({ uses: ['propose'] }), 'KEY_USE', 'KEY_USE'],
  'a pending key': [
    { key: { key, registeredAt: 1000, acknowledged: false } },
    'KEY_PENDING',
    'KEY_PENDING',
  ],
  'an author': [{ authorSet: new Set(['alice', 'bob']) }, 'SELF_APPROVAL', null],
  'cool-off over at the very moment': [{ openedAt: 5000 }, null, null],
  'a moment too new': [{ openedAt: 4999 }, 'KEY_TOO_NEW', null],
  'no Tick since the registration': [{ key: { key, acknowledged: true } }, 'KEY_TOO_NEW', null],
}

await t.test('an approval counts only when everything holds; a reject needs less', (t) => {
  for (const [name, [change, approve, reject]] of Object.entries(rows)) {
    t.equal(whyNotCounted(approval(change))?.code ?? null, approve, `approve: ${name}`)
    t.equal(whyRejectNotCounted(approval(change))?.code ?? null, reject, `reject: ${name}`)
  }
  t.end()
})
