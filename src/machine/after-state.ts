/**
 * Checks 14 and 15 (docs/approval-model.md): the documents of the system, what they follow, and the
 * state that they would lead to. Judged when a change is proposed and again when it would become
 * active.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { GovernedDocument, Op, ProposeBody } from '../approval/index.js'
import {
  decodeDocuments,
  isWeakening as documentsWeaken,
  judgeAfterState as judgeReach,
  judgeMembership,
  judgeSuccession,
  overlay,
} from '../approval/index.js'
import type { Verify } from '../signing/index.js'
import { changesGovernance } from './config-tree.js'
import type { ChangeRow, NodeRow } from './records.js'
import type { Sight } from './sight.js'

/** `verify` checks that somebody holds a new key; proved once, it need not be asked again. */
export function judgeAfterState(
  { law, state }: Pick<Sight, 'law' | 'state'>,
  body: ProposeBody,
  verify: Verify = provedAlready,
): Refusal | undefined {
  if (body.kind === 'config') return undefined
  const decoded = decodeDocuments(body.ops)
  if (decoded.kind === 'refused') return decoded.refusal
  const { documents } = decoded
  const before = state.governance
  const levels = judgeFeatureLevel(before.featureLevel, documents)
  if (levels !== undefined) return levels
  const after = overlay(before, documents)
  const succession = judgeSuccession({
    before,
    after,
    documents,
    clusterId: law.clusterId,
    featureLevel: before.featureLevel,
    verify,
  })
  if (succession !== null) return succession
  const { floor } = law.genesis
  if (changesGovernance(body.kind)) {
    const what = body.kind === 'policy' ? 'policy' : 'identity'
    return judgeReach(after, floor, what, before.featureLevel) ?? undefined
  }
  const used = (): Iterable<NodeRow> => [...state.nodes.entries()].map(([, row]) => row)
  const membership = judgeMembership({ before, after, documents, used })
  if (membership !== null) return membership
  const raised = documents.find((document) => document.kind === 'featureLevel')
  // A higher level may ask for more of the policies: they must satisfy it before it is in force.
  if (raised === undefined || raised.level < 2) return undefined
  return judgeReach(after, floor, 'policy', raised.level) ?? undefined
}

/**
 * Check 13 for deletions (feature level 2): deleting what is not there is a mistake of the author,
 * who looked at another path. Judged after the base, so a path that has gone since is STALE_BASE.
 */
export function judgeDeletions(
  { state }: Pick<Sight, 'state'>,
  ops: readonly Op[],
): Refusal | undefined {
  if (state.governance.featureLevel < 2) return undefined
  const missing = ops
    .filter(({ action, path }) => action === 'delete' && !state.entries.has(path))
    .map(({ path }) => path)
  if (missing.length === 0) return undefined
  return refusal('NOTHING_TO_DELETE', `There is nothing to delete at ${missing.join(', ')}.`, {
    paths: missing,
  })
}

/** Judged against the documents in force now; whether `weakeningDelay` binds the change. */
export function isWeakening({ law, state, reader }: Sight, change: ChangeRow): boolean {
  if (!changesGovernance(change.kind)) return false
  const decoded = decodeDocuments(reader.body(change).ops)
  if (decoded.kind === 'refused') return true
  return documentsWeaken(state.governance, decoded.documents, law.genesis.defaults)
}

/** The level only rises: an entry is judged by it for ever. */
function judgeFeatureLevel(
  committed: number,
  documents: readonly GovernedDocument[],
): Refusal | undefined {
  for (const document of documents) {
    if (document.kind !== 'featureLevel' || document.level > committed) continue
    return refusal('BODY_INVALID', 'The feature level only rises.', {
      committed,
      proposed: document.level,
    })
  }
  return undefined
}

const provedAlready: Verify = () => true
