/** Signed messages made before the clock starts, so that the figures are the cluster's. */
import { randomBytes } from 'node:crypto'
import { rulesDigest, type EffectiveRule } from '../../src/approval/index.js'
import { composePropose, sign, type SignedMessage } from '../../src/client/index.js'
import { encodeCanonical, pae, payloadType, sha256Hex, type Json } from '../../src/signing/index.js'
import type { BenchPeople, BenchPerson } from './bench-cluster.js'

const hourMs = 60 * 60 * 1000

export interface Proposal {
  readonly changeId: string
  readonly contentDigest: string
  readonly message: SignedMessage
}

export function proposal(
  cluster: BenchPeople,
  input: { readonly path: string; readonly modRevision: number; readonly value: Json },
): Proposal {
  const signer = cluster.signers.alice
  const { path, modRevision, value } = input
  const composed = composePropose({
    clusterId: cluster.clusterId,
    person: 'alice',
    keyId: signer.keyId,
    title: `Set ${path}`,
    ops: [{ action: 'put', path, value }],
    base: [{ path, modRevision }],
  })
  return {
    changeId: composed.body.changeId,
    contentDigest: composed.digest,
    message: sign(composed, signer),
  }
}

export function withdrawal(cluster: BenchPeople, of: Proposal): SignedMessage {
  return signed(cluster, 'alice', 'withdraw', {
    changeId: of.changeId,
    contentDigest: of.contentDigest,
    revision: 1,
    seq: 1,
  })
}

export function approval(
  cluster: BenchPeople,
  person: BenchPerson,
  of: Proposal,
  rules: string,
): SignedMessage {
  return signed(cluster, person, 'approve', {
    changeId: of.changeId,
    contentDigest: of.contentDigest,
    decision: 'approve',
    revision: 1,
    riskDigest: 'none',
    rulesDigest: rules,
    seen: { root: sha256Hex(new Uint8Array(0)), size: 0 },
    seq: 1,
  })
}

/** The bench's own policy binds every change in the same way, so its digest is computed once. */
export const rulesDigestOf = (rules: readonly EffectiveRule[]): string => rulesDigest(rules)

export const freshPath = (): string => `/prod/bench/${randomBytes(8).toString('hex')}`

function signed(
  cluster: BenchPeople,
  person: BenchPerson,
  word: 'approve' | 'withdraw',
  fields: Readonly<Record<string, Json>>,
): SignedMessage {
  const signer = cluster.signers[person]
  const type = payloadType(word)
  const body = encodeCanonical({
    ...fields,
    clusterId: cluster.clusterId,
    keyId: signer.keyId,
    notAfter: Date.now() + hourMs,
    person,
    v: 1,
  })
  const signature = signer.sign(pae(type, body))
  return { envelope: { type, body, signature, keyId: signer.keyId }, detached: [] }
}
