/**
 * Approve, reject and revoke; withdraw and activate. Checks 9 to 12 (docs/approval-model.md), then the
 * effect.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { ActionBody, DecisionBody } from '../approval/index.js'
import { activateByHand, activateReady } from './activation.js'
import { isOpen } from './change-index.js'
import { firstObstacle } from './guard.js'
import { reconsider, transition } from './lifecycle.js'
import type { Admitted } from './message.js'
import { closingOf } from './propose.js'
import { filledVeto, judgeApprover, mayWithdraw } from './quorum.js'
import { decisionRowId } from './records.js'
import type { ChangeRow, DecisionRow, FirstResult } from './records.js'
import type { Step } from './step.js'

type DecisionMessage = 'approve' | 'reject' | 'revoke'
type ActionMessage = 'withdraw' | 'activate'

export function decide(
  step: Step,
  admitted: Admitted,
  word: DecisionMessage,
  body: DecisionBody,
): Refusal | FirstResult {
  const found = openChange(step, body)
  if (found.kind === 'refused') return found.refusal
  const { change } = found
  const refused =
    word === 'approve'
      ? judgeApprover(step, change, body)
      : (judgeContent(change, body) ?? judgeStandpoint(step, change, word, body))
  if (refused !== undefined) return refused
  const row = record(step, admitted, {
    word,
    body,
    rulesDigest: body.rulesDigest,
    riskDigest: body.riskDigest,
  })
  step.events.push({
    kind: 'decided',
    changeId: change.changeId,
    revision: change.revision,
    decision: word,
    person: body.person,
  })
  const touched = touch(step, change)
  const veto = word === 'reject' ? filledVeto(step, touched) : undefined
  if (veto !== undefined) {
    transition(step, touched, 'REJECTED', { reason: veto })
  } else {
    reconsider(step, touched, standingDown(word, body))
    if (word === 'approve') activateReady(step, [change.changeId], 'auto')
  }
  return finish(step, row)
}

export function act(
  step: Step,
  admitted: Admitted,
  word: ActionMessage,
  body: ActionBody,
): Refusal | FirstResult {
  const found = openChange(step, body)
  if (found.kind === 'refused') return found.refusal
  const { change } = found
  const refused =
    judgeContent(change, body) ??
    (word === 'withdraw' ? judgeWithdrawal(step, change, body) : judgeActivation(step, change))
  if (refused !== undefined) return refused
  const row = record(step, admitted, { word, body, rulesDigest: '', riskDigest: 'none' })
  const touched = touch(step, change)
  if (word === 'withdraw') transition(step, touched, 'WITHDRAWN')
  else activateByHand(step, touched)
  return finish(step, row)
}

/** Check 9: there is such a change, it is open, and the message is about its current revision. */
function openChange(
  { state }: Step,
  body: DecisionBody | ActionBody,
):
  | { readonly kind: 'open'; readonly change: ChangeRow }
  | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const change = state.changes.get(body.changeId)
  if (change === undefined) {
    return {
      kind: 'refused',
      refusal: refusal('UNKNOWN_CHANGE', `There is no change ${body.changeId}.`),
    }
  }
  if (!isOpen(change)) {
    return {
      kind: 'refused',
      refusal: refusal(
        'NOT_OPEN',
        `The change ${change.changeId} is ${change.state}.`,
        closingOf(change),
      ),
    }
  }
  if (body.revision !== change.revision) {
    return {
      kind: 'refused',
      refusal: refusal(
        'WRONG_REVISION',
        `The change is at revision ${String(change.revision)}, not ${String(body.revision)}.`,
        { revision: change.revision, contentDigest: change.contentDigest },
      ),
    }
  }
  return { kind: 'open', change }
}

/** Check 11, the part that binds every message about a change. */
function judgeContent(change: ChangeRow, body: DecisionBody | ActionBody): Refusal | undefined {
  if (body.contentDigest === change.contentDigest) return undefined
  return refusal('CONTENT_MISMATCH', 'The content digest is not that of the current revision.', {
    contentDigest: change.contentDigest,
  })
}

/** A reject needs its reason, a revoke an approval of its own to take back. */
function judgeStandpoint(
  { state }: Step,
  change: ChangeRow,
  word: DecisionMessage,
  body: DecisionBody,
): Refusal | undefined {
  if (word === 'reject') return undefined
  const latest = state.decisionIndex.latest(change.changeId).get(body.person)
  if (latest?.word === 'approve' && latest.revision === change.revision) return undefined
  return refusal(
    'TRANSITION_NOT_ALLOWED',
    `${body.person} has no approval of revision ${String(change.revision)} to revoke.`,
  )
}

function judgeWithdrawal(step: Step, change: ChangeRow, body: ActionBody): Refusal | undefined {
  if (mayWithdraw(step, change, body.person)) return undefined
  return refusal(
    'NOT_IN_GROUP',
    `${body.person} is neither author nor sponsor, nor a human whom the rules let propose there.`,
  )
}

/** Any active person may send it; the guard decides. */
function judgeActivation(step: Step, change: ChangeRow): Refusal | undefined {
  if (step.reader.body(change).activate !== 'manual') {
    return refusal('TRANSITION_NOT_ALLOWED', 'The change activates by itself, not by hand.')
  }
  return firstObstacle(step, change)
}

function standingDown(word: DecisionMessage, body: DecisionBody): Refusal | undefined {
  if (word === 'approve') return undefined
  const did = word === 'reject' ? 'rejected it' : 'revoked the approval'
  return refusal('NOT_APPROVED', `${body.person} ${did}.`)
}

function touch({ state, index }: Step, change: ChangeRow): ChangeRow {
  const row = { ...change, updatedIndex: index }
  state.changes.put(row.changeId, row)
  return row
}

function record(
  { state, index }: Step,
  admitted: Admitted,
  what: {
    readonly word: DecisionRow['word']
    readonly body: DecisionBody | ActionBody
    readonly rulesDigest: DecisionRow['rulesDigest']
    readonly riskDigest: DecisionRow['riskDigest']
  },
): DecisionRow {
  const { word, body, rulesDigest, riskDigest } = what
  const row: DecisionRow = {
    changeId: body.changeId,
    revision: body.revision,
    word,
    person: body.person,
    keyId: body.keyId,
    seq: body.seq,
    contentDigest: body.contentDigest,
    rulesDigest,
    riskDigest,
    index,
    at: state.logTime,
    messageDigest: admitted.messageDigest,
    envelope: admitted.envelope,
    detached: admitted.detached,
    result: { kind: 'accepted', index },
  }
  state.decisions.put(decisionRowId(body.changeId, index), row)
  return row
}

/** The result is known only after everything that followed; the retry of the message gets it. */
function finish({ state, index }: Step, row: DecisionRow): FirstResult {
  const change = state.changes.get(row.changeId)
  const activated = change?.activation !== undefined
  const result: FirstResult = {
    kind: 'accepted',
    changeId: row.changeId,
    revision: row.revision,
    ...(change === undefined ? {} : { state: change.state }),
    index,
    ...(activated ? { activatedAt: index } : {}),
  }
  state.decisions.put(decisionRowId(row.changeId, index), { ...row, result })
  return result
}
