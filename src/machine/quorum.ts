/**
 * Which decisions count now, and what they add up to. Everything is judged live: people, keys,
 * groups and rules of this very index. The arithmetic of seats and floor is approval's.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { ApproverKey, DecisionBody, Id, ProposeBody, Quorum } from '../approval/index.js'
import {
  floorOf,
  isActiveHuman,
  isMember,
  isVetoed,
  judgeAuthor as judgeAdmission,
  judgeQuorum,
  limits,
  membersOf,
  whyNotCounted,
  whyRejectNotCounted,
} from '../approval/index.js'
import { invariant } from '../invariant.js'
import { compareCodeUnits } from '../signing/index.js'
import type { BindingRules } from './change-reader.js'
import type { CountedApproval } from './events.js'
import type { ChangeRow, DecisionRow } from './records.js'
import type { Sight } from './sight.js'

export interface Approvals extends Quorum {
  /** Approvals that fill a seat or help the floor, by person. */
  readonly counted: readonly CountedApproval[]
}

export function judgeApprovals(sight: Sight, change: ChangeRow): Approvals {
  const binding = sight.reader.binding(change)
  const counting = countingApprovals(sight, change, binding)
  const quorum = quorumOf(sight, change, binding, counting.keys())
  return {
    ...quorum,
    counted: quorum.reached ? countedOf(counting, quorum) : [],
  }
}

/** Why a decision does not count now; undefined: it does. */
export function whyDecisionFails(
  sight: Sight,
  change: ChangeRow,
  row: DecisionRow,
): Refusal | undefined {
  const latest = sight.state.decisionIndex.latest(change.changeId).get(row.person)
  if (row.contentDigest === change.contentDigest && latest !== row) {
    return refusal('REPLAYED', `${row.person} has decided again since.`)
  }
  return row.word === 'approve'
    ? whyApprovalFails(sight, change, row, sight.reader.binding(change))
    : whyRejectFails(sight, change, row)
}

/** Checks 10 to 12 of an approval (docs/approval-model.md). */
export function judgeApprover(
  sight: Sight,
  change: ChangeRow,
  body: DecisionBody,
): Refusal | undefined {
  return whyApprovalFails(sight, change, body, sight.reader.binding(change))
}

/** Default deny: every rule that opens the paths must admit the author. */
export function judgeAuthor(
  sight: Sight,
  body: ProposeBody,
  { rules }: Pick<BindingRules, 'rules'>,
): Refusal | undefined {
  const { governance } = sight.state
  const most = limits.rulesPerChangeMax
  if (rules.length > most) {
    return refusal(
      'TOO_LARGE',
      `${String(rules.length)} rules bind the change; at most ${String(most)} may. Split it.`,
      { rules: rules.length, most },
    )
  }
  const author = governance.person(body.person)
  invariant(author !== undefined, 'The author of a change is no person.', { person: body.person })
  if (author.status !== 'active') {
    return refusal('PERSON_INACTIVE', `The author ${author.id} is ${author.status}.`, {
      person: author.id,
    })
  }
  if (author.kind === 'agent') {
    const field = body.sponsor === undefined ? 'sponsor' : 'provenance'
    if (body[field] === undefined) {
      return refusal('BODY_INVALID', `The field \`${field}\` is mandatory for an agent.`, { field })
    }
  }
  const refused = judgeAdmission({
    rules,
    paths: body.ops.map((op) => op.path),
    author,
    ...(body.sponsor === undefined ? {} : { sponsor: body.sponsor }),
    governed: governance,
  })
  return refused ?? undefined
}

/** Whether those who may still approve can reach the quorum at all; else the change is VOIDED. */
export function judgeReachable(
  sight: Sight,
  change: ChangeRow,
  binding: BindingRules,
): Refusal | undefined {
  const quorum = quorumOf(sight, change, binding, eligible(sight, change, binding))
  if (quorum.reached) return undefined
  return refusal(
    'POLICY_UNSATISFIABLE',
    `Nobody could approve this change to the end: ${missingOf(quorum)}`,
    { floor: quorum.floor },
  )
}

/** Humans who may approve the change: in a group of a seat, no author, with an old enough key. */
export function eligible(
  sight: Sight,
  change: ChangeRow,
  { groups }: Pick<BindingRules, 'groups'>,
): readonly Id[] {
  const { governance } = sight.state
  const authors = authorSetNow(sight, change)
  const able = new Set<Id>()
  for (const group of groups) {
    for (const person of membersOf(governance, group)) {
      if (able.has(person) || authors.has(person)) continue
      if (!isActiveHuman(governance.person(person))) continue
      if (hasOldKey(sight, change, person)) able.add(person)
    }
  }
  return [...able].sort(compareCodeUnits)
}

/** A veto line that the standing rejects fill, as the reason of REJECTED. */
export function filledVeto(sight: Sight, change: ChangeRow): Refusal | undefined {
  const { rules } = sight.reader.binding(change)
  const rejecters: Id[] = []
  for (const [person, row] of sight.state.decisionIndex.latest(change.changeId)) {
    if (row.word !== 'reject') continue
    if (whyRejectFails(sight, change, row) === undefined) rejecters.push(person)
  }
  if (!isVetoed(rules, sight.state.governance, rejecters)) return undefined
  return refusal('NOT_APPROVED', `Rejected by ${rejecters.sort(compareCodeUnits).join(', ')}.`, {
    rejectedBy: rejecters,
  })
}

/**
 * Proposer, sponsor, or any human whom the rules let propose there. An agent withdraws its own
 * changes only: otherwise one stolen agent key could keep every change from passing.
 */
export function mayWithdraw(sight: Sight, change: ChangeRow, personId: Id): boolean {
  const person = sight.state.governance.person(personId)
  if (person === undefined) return false
  if (authorSetNow(sight, change).has(personId)) return true
  if (person.kind !== 'human') return false
  const refused = judgeAdmission({
    rules: sight.reader.binding(change).rules,
    paths: change.paths,
    author: person,
    governed: sight.state.governance,
  })
  return refused === null
}

function countingApprovals(
  sight: Sight,
  change: ChangeRow,
  binding: BindingRules,
): ReadonlyMap<Id, DecisionRow> {
  const counting = new Map<Id, DecisionRow>()
  const authors = authorSetNow(sight, change)
  for (const [person, row] of sight.state.decisionIndex.latest(change.changeId)) {
    if (row.word !== 'approve') continue
    if (whyApprovalFails(sight, change, row, binding, authors) === undefined)
      counting.set(person, row)
  }
  return counting
}

/** When an approval counts (docs/approval-model.md), but for being the person's latest decision. */
function whyApprovalFails(
  sight: Sight,
  change: ChangeRow,
  named: Pick<DecisionRow, 'person' | 'keyId' | 'contentDigest' | 'rulesDigest' | 'riskDigest'>,
  { digest, groups }: BindingRules,
  authorSet: ReadonlySet<Id> = authorSetNow(sight, change),
): Refusal | undefined {
  const { governance } = sight.state
  const fails = whyNotCounted({
    named,
    current: { contentDigest: change.contentDigest, rulesDigest: digest, riskDigest: 'none' },
    person: governance.person(named.person),
    key: approverKey(sight, named.keyId),
    openedAt: change.openedAt,
    coolOffMs: sight.law.coolOffMs,
    authorSet,
  })
  if (fails !== null) return fails
  if (groups.some((group) => isMember(governance, group, named.person))) return undefined
  return refusal('NOT_IN_GROUP', `${named.person} is in none of ${groups.join(', ')}.`, { groups })
}

function whyRejectFails(sight: Sight, change: ChangeRow, row: DecisionRow): Refusal | undefined {
  return (
    whyRejectNotCounted({
      named: row,
      current: change,
      person: sight.state.governance.person(row.person),
      key: approverKey(sight, row.keyId),
    }) ?? undefined
  )
}

function approverKey({ state }: Sight, keyId: string): ApproverKey | undefined {
  const key = state.governance.key(keyId)
  const row = state.keys.get(keyId)
  if (key === undefined || row === undefined) return undefined
  const acknowledged = row.acknowledgedAt !== undefined
  return row.registeredAt === undefined
    ? { key, acknowledged }
    : { key, acknowledged, registeredAt: row.registeredAt }
}

/** A sponsor who was registered for one of the agents later is as near to it as the first one. */
function authorSetNow({ state }: Sight, change: ChangeRow): ReadonlySet<Id> {
  const authors = new Set(change.authorSet)
  for (const author of change.authorSet) {
    const sponsor = state.governance.person(author)?.sponsor
    if (sponsor !== undefined) authors.add(sponsor)
  }
  return authors
}

function hasOldKey(sight: Sight, change: ChangeRow, person: Id): boolean {
  for (const keyId of sight.state.governance.keysOf(person)) {
    const key = sight.state.governance.key(keyId)
    if (key?.status !== 'active' || !key.uses.includes('approve')) continue
    const registeredAt = sight.state.keys.get(keyId)?.registeredAt
    if (registeredAt === undefined) continue
    if (registeredAt + sight.law.coolOffMs <= change.openedAt) return true
  }
  return false
}

function quorumOf(
  sight: Sight,
  change: ChangeRow,
  { rules, tier }: BindingRules,
  approvers: Iterable<Id>,
): Quorum {
  const { governance } = sight.state
  const author = governance.person(change.author)
  return judgeQuorum({
    rules,
    tier,
    governed: governance,
    approvers,
    floorNeed: floorOf(sight.law.genesis.floor, change, author?.kind ?? 'agent'),
  })
}

/** Those who fill a seat with their seats, then those who only count for the floor. */
function countedOf(
  counting: ReadonlyMap<Id, DecisionRow>,
  quorum: Quorum,
): readonly CountedApproval[] {
  return quorum.floor.by.flatMap((person) => {
    const row = counting.get(person)
    if (row === undefined) return []
    const seats = quorum.seats
      .filter((seat) => seat.filledBy === person)
      .map(({ policy, rule, line }) => ({ policy, rule, line }))
    return [{ person, keyId: row.keyId, messageDigest: row.messageDigest, seats }]
  })
}

/** One sentence about what is missing. */
export function missingOf({ seats, floor }: Quorum): string {
  const empty = new Map<string, number>()
  for (const { policy, rule, group, filledBy } of seats) {
    if (filledBy !== undefined) continue
    const name = `${group} (${policy}/${rule})`
    empty.set(name, (empty.get(name) ?? 0) + 1)
  }
  const missing = [...empty].map(([name, count]) => `${String(count)} of ${name}`)
  if (floor.have < floor.need) {
    missing.push(`${String(floor.need - floor.have)} more for the floor of ${String(floor.need)}`)
  }
  return `Missing: ${missing.join('; ')}.`
}
