/**
 * A proposal: revision 1 opens a change, a later one supersedes the revision before it. The numbers
 * of checks are those of docs/approval-model.md.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { ProposeBody } from '../approval/index.js'
import { later } from '../approval/index.js'
import { judgeAfterState, judgeDeletions } from './after-state.js'
import { isOpen } from './change-index.js'
import { authorSetOf } from './change-reader.js'
import { judgeBase } from './guard.js'
import type { Admitted } from './message.js'
import { judgeAuthor, judgeReachable } from './quorum.js'
import { revisionRowId } from './records.js'
import type { ChangeRow, FirstResult } from './records.js'
import type { Step } from './step.js'

const dayMs = 86_400_000

/** Checks 9 to 15, then the effect. A refusal leaves nothing behind. */
export function propose(step: Step, admitted: Admitted, body: ProposeBody): Refusal | FirstResult {
  const { state } = step
  const before = state.changes.get(body.changeId)
  const binding = step.reader.bindingOf(body)
  const refused =
    judgeRevision(step, before, body) ??
    judgeAuthor(step, body, binding) ??
    judgeAgentQuota(step, admitted, before, body) ??
    judgeLimits(step, before, body) ??
    judgeDependencies(step, body) ??
    judgeBase(step, body) ??
    judgeDeletions(step, body.ops) ??
    judgeAfterState(step, body, step.verify)
  if (refused !== undefined) return refused
  const row = rowOf(step, admitted, before, body)
  const unreachable = judgeReachable(step, row, binding)
  if (unreachable !== undefined) return unreachable
  return open(step, admitted, { row, before, body })
}

/** Check 9 and, for a later revision, the digest that it follows. */
function judgeRevision(
  step: Step,
  before: ChangeRow | undefined,
  body: ProposeBody,
): Refusal | undefined {
  if (before === undefined) {
    if (body.revision === 1) return undefined
    return refusal('UNKNOWN_CHANGE', `There is no change ${body.changeId} to revise.`)
  }
  const { changeId, state, revision } = before
  if (!isOpen(before)) {
    return refusal('NOT_OPEN', `The change ${changeId} is ${state}.`, closingOf(before))
  }
  if (body.revision !== revision + 1) {
    return refusal(
      'WRONG_REVISION',
      `The change ${changeId} is at revision ${String(revision)}; the next one is ${String(revision + 1)}.`,
      { revision, contentDigest: before.contentDigest },
    )
  }
  if (body.previousDigest !== before.contentDigest) {
    return refusal('CONTENT_MISMATCH', 'The field `previousDigest` is not the current revision.', {
      contentDigest: before.contentDigest,
    })
  }
  if (body.kind !== before.kind) {
    return refusal('KIND_MISMATCH', `The change is of kind ${before.kind} and stays so.`)
  }
  const most = step.law.genesis.limits.revisionsPerChange
  if (body.revision > most) {
    return refusal('QUOTA_EXCEEDED', `A change has at most ${String(most)} revisions.`)
  }
  return undefined
}

/** An agent's own quota: open changes, and proposals on one day of log time. */
function judgeAgentQuota(
  { state }: Step,
  { person }: Admitted,
  before: ChangeRow | undefined,
  body: ProposeBody,
): Refusal | undefined {
  if (person.quota === undefined) return undefined
  const opens = before?.author === body.person ? 0 : 1
  if (state.changeIndex.openedBy(person.id) + opens > person.quota.open) {
    return refusal(
      'QUOTA_EXCEEDED',
      `${person.id} may have ${String(person.quota.open)} open changes.`,
      { quota: 'open', most: person.quota.open },
    )
  }
  const day = Math.floor(state.logTime / dayMs)
  const row = state.quotas.get(person.id)
  const used = row?.day === day ? row.used : 0
  if (used >= person.quota.perDay) {
    return refusal(
      'QUOTA_EXCEEDED',
      `${person.id} may propose ${String(person.quota.perDay)} times a day.`,
      { quota: 'perDay', most: person.quota.perDay, next: later(day * dayMs, dayMs) },
    )
  }
  return undefined
}

function judgeLimits(
  { state, law }: Step,
  before: ChangeRow | undefined,
  body: ProposeBody,
): Refusal | undefined {
  const { openChanges, openChangesPerPerson } = law.genesis.limits
  if (before === undefined && state.changeIndex.open.size >= openChanges) {
    return refusal('QUOTA_EXCEEDED', `The cluster has ${String(openChanges)} open changes.`)
  }
  if (before?.author === body.person) return undefined
  if (state.changeIndex.openedBy(body.person) < openChangesPerPerson) return undefined
  return refusal(
    'QUOTA_EXCEEDED',
    `${body.person} has ${String(openChangesPerPerson)} open changes.`,
  )
}

function judgeDependencies({ state }: Step, body: ProposeBody): Refusal | undefined {
  for (const id of body.dependsOn ?? []) {
    if (!state.changes.has(id)) {
      return refusal('UNKNOWN_CHANGE', `The change ${id} in \`dependsOn\` does not exist.`)
    }
  }
  return undefined
}

function rowOf(
  { state, index }: Step,
  { messageDigest }: Admitted,
  before: ChangeRow | undefined,
  body: ProposeBody,
): ChangeRow {
  return {
    changeId: body.changeId,
    kind: body.kind,
    state: 'OPEN',
    revision: body.revision,
    contentDigest: messageDigest,
    title: body.title,
    author: body.person,
    ...(body.sponsor === undefined ? {} : { sponsor: body.sponsor }),
    authorSet: authorSetOf(state, before?.authorSet ?? [], body.person, body.sponsor),
    paths: body.ops.map((op) => op.path),
    ...(body.asserts === undefined ? {} : { asserted: body.asserts.map(({ path }) => path) }),
    openedAt: before?.openedAt ?? state.logTime,
    openedIndex: before?.openedIndex ?? index,
    updatedIndex: index,
    ...(before?.lifeDeadline === undefined ? {} : { lifeDeadline: before.lifeDeadline }),
  }
}

function open(
  step: Step,
  admitted: Admitted,
  proposal: {
    readonly row: ChangeRow
    readonly before: ChangeRow | undefined
    readonly body: ProposeBody
  },
): FirstResult {
  const { state, index, events } = step
  const { row, before, body } = proposal
  const { changeId, revision } = body
  const result: FirstResult = { kind: 'accepted', changeId, revision, state: 'OPEN', index }
  state.revisions.put(revisionRowId(changeId, revision), {
    changeId,
    revision,
    contentDigest: row.contentDigest,
    author: body.person,
    index,
    at: state.logTime,
    envelope: admitted.envelope,
    detached: admitted.detached,
    result,
  })
  state.changes.put(changeId, row)
  if (admitted.person.quota !== undefined) countProposal(step, body.person)
  if (before !== undefined) {
    events.push({ kind: 'revisionSuperseded', changeId, revision: before.revision })
  }
  events.push({
    kind: 'proposed',
    changeId,
    revision,
    contentDigest: row.contentDigest,
    person: body.person,
    title: body.title,
  })
  if (before?.state === 'APPROVED') {
    events.push({ kind: 'stateChanged', changeId, from: 'APPROVED', to: 'OPEN' })
  }
  return result
}

function countProposal({ state }: Step, person: string): void {
  const day = Math.floor(state.logTime / dayMs)
  const row = state.quotas.get(person)
  state.quotas.put(person, { day, used: row?.day === day ? row.used + 1 : 1 })
}

/** What closed a change, for the refusal that says so. */
export function closingOf(change: ChangeRow): Readonly<Record<string, unknown>> {
  const { closed, state, activation } = change
  if (closed === undefined) return { state, ...(activation === undefined ? {} : { activation }) }
  const { index, reason } = closed
  return { state, closedIndex: index, ...(reason === undefined ? {} : { reason: reason.code }) }
}
