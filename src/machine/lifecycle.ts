/**
 * The moves of a change between its states (life cycle: docs/approval-model.md); whoever calls has
 * judged that the move is due.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { ChangeState } from '../approval/index.js'
import { later } from '../approval/index.js'
import { deadlineOf, earliestActivation } from './guard.js'
import { filledVeto, judgeApprovals, judgeAuthor, judgeReachable, missingOf } from './quorum.js'
import type { ChangeRow } from './records.js'
import type { Step } from './step.js'

/** Writes the new state and says so; what follows from it is for the caller. */
export function transition(
  step: Step,
  change: ChangeRow,
  to: ChangeState,
  move: { readonly reason?: Refusal } & Partial<ChangeRow> = {},
): ChangeRow {
  const { reason, ...fields } = move
  const { approvedIndex, approvedAt, useFrom, useDeadline, ...rest } = change
  const approved = { approvedIndex, approvedAt, useFrom, useDeadline }
  const kept = to === 'OPEN' ? rest : { ...rest, ...definedOf(approved) }
  const row: ChangeRow = {
    ...kept,
    ...fields,
    state: to,
    updatedIndex: step.index,
    ...(isClosed(to)
      ? {
          closed: {
            at: step.state.logTime,
            index: step.index,
            ...(reason === undefined ? {} : { reason }),
          },
        }
      : {}),
  }
  step.state.changes.put(row.changeId, row)
  step.events.push({
    kind: 'stateChanged',
    changeId: row.changeId,
    from: change.state,
    to,
    ...(reason === undefined ? {} : { code: reason.code, message: reason.message }),
  })
  return row
}

/** Moves an open change to APPROVED or back to OPEN, as its approvals count now. */
export function reconsider(step: Step, change: ChangeRow, why?: Refusal): ChangeRow {
  const verdict = judgeApprovals(step, change)
  if (verdict.reached && change.state === 'OPEN' && !isOverdue(step, change)) {
    const approved = transition(step, change, 'APPROVED', {
      approvedIndex: step.index,
      approvedAt: step.state.logTime,
    })
    return step.isTick ? startUse(step, approved) : approved
  }
  if (!verdict.reached && change.state === 'APPROVED') {
    return transition(step, change, 'OPEN', {
      reason: why ?? refusal('NOT_APPROVED', missingOf(verdict)),
    })
  }
  return change
}

/**
 * Its deadline has passed and the next Tick closes it. Else whoever revokes late and approves again
 * at once would start `use` anew.
 */
function isOverdue({ state }: Step, change: ChangeRow): boolean {
  const deadline = deadlineOf(change)
  return deadline !== undefined && deadline <= state.logTime
}

/** After a policy or identity change: VOIDED, REJECTED, or judged by the rules and people of now. */
export function rejudge(step: Step, change: ChangeRow): void {
  const body = step.reader.body(change)
  const binding = step.reader.binding(change)
  const voided = judgeAuthor(step, body, binding) ?? judgeReachable(step, change, binding)
  if (voided !== undefined) {
    transition(step, change, 'VOIDED', { reason: voided })
    return
  }
  // Rejects stand when rules and groups change, and may fill a veto line only now.
  const veto = filledVeto(step, change)
  if (veto !== undefined) {
    transition(step, change, 'REJECTED', { reason: veto })
    return
  }
  const { digest } = binding
  const timed = withOpenDeadline(step, change)
  if (timed !== change) step.state.changes.put(timed.changeId, timed)
  const outdated = [...step.state.decisionIndex.latest(change.changeId).values()].some(
    (row) => row.word === 'approve' && row.rulesDigest !== digest,
  )
  const why = outdated
    ? refusal('RULES_CHANGED', 'The rules that bind the change have changed.', {
        rulesDigest: digest,
      })
    : undefined
  reconsider(step, timed, why)
}

/** `open` counts from the first Tick; changed rules may give another deadline. */
export function withOpenDeadline(step: Step, change: ChangeRow): ChangeRow {
  if (change.openFrom === undefined) return change
  const openDeadline = later(change.openFrom, step.reader.binding(change).terms.openMs)
  return openDeadline === change.openDeadline ? change : { ...change, openDeadline }
}

/**
 * `use` counts from the first moment at which delay, schedule and windows allow activation, and
 * these count from the first Tick at or after APPROVED. Windows that never meet give no deadline;
 * `lifeMax` ends the change all the same.
 */
export function startUse(step: Step, change: ChangeRow): ChangeRow {
  const { logTime } = step.state
  const { useMs } = step.reader.binding(change).terms
  const earliest = earliestActivation(step, change, logTime)
  const row: ChangeRow = {
    ...change,
    useFrom: logTime,
    ...(earliest === undefined ? {} : { useDeadline: later(earliest, useMs) }),
  }
  step.state.changes.put(row.changeId, row)
  return row
}

function isClosed(state: ChangeState): boolean {
  return state !== 'OPEN' && state !== 'APPROVED' && state !== 'ACTIVE'
}

function definedOf<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>
  }
}
