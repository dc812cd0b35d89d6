/**
 * The effect of a change, and everything that follows from it at the same index: overlapping
 * changes go STALE, after a policy or identity change all open ones are judged again, and what
 * waited for this becomes active in turn.
 */
import { CountersignError } from '../errors.js'
import type { Hex16 } from '../approval/index.js'
import { later } from '../approval/index.js'
import { invariant } from '../invariant.js'
import { compareCodeUnits } from '../signing/index.js'
import { isWeakening } from './after-state.js'
import { isOpen } from './change-index.js'
import { changesGovernance, contentAfter, writeOp } from './config-tree.js'
import type { Activation, WrittenPath } from './events.js'
import { featureLevelMax } from './features.js'
import { firstObstacle, judgeBase } from './guard.js'
import { rejudge, transition } from './lifecycle.js'
import { judgeApprovals } from './quorum.js'
import { activationRowId } from './records.js'
import type { ChangeRow } from './records.js'
import type { Step } from './step.js'
import { takeGovernance } from './registration.js'

/**
 * Activates what can be activated, in the order of (index at which APPROVED was reached, changeId),
 * each judged against the state that the one before left, until nothing more follows.
 */
export function activateReady(step: Step, first: Iterable<Hex16>, mode: 'auto' | 'tick'): void {
  let ids: readonly Hex16[] = [...first]
  while (ids.length > 0) {
    const followers = new Set<Hex16>()
    for (const change of inApprovalOrder(step, ids)) {
      // An earlier one of this pass may have moved it.
      const now = step.state.changes.get(change.changeId)
      if (now?.state !== 'APPROVED') continue
      if (firstObstacle(step, now) !== undefined) continue
      activate(step, now, mode)
      for (const id of waitingFor(step, now)) followers.add(id)
    }
    ids = [...followers]
  }
}

/** By hand, with all that follows by itself. */
export function activateByHand(step: Step, change: ChangeRow): void {
  activate(step, change, 'manual')
  activateReady(step, waitingFor(step, change), 'auto')
}

function activate(step: Step, change: ChangeRow, mode: Activation['mode']): void {
  const { state, reader, index } = step
  const { logTime } = state
  const { digest, terms } = reader.binding(change)
  const verdict = judgeApprovals(step, change)
  invariant(verdict.reached, 'A change is activated without its approver quorum.', {
    changeId: change.changeId,
  })
  const weakening = isWeakening(step, change) ? 'yes' : 'no'
  const body = reader.body(change)
  const parts = reader.parts(change)
  const written: WrittenPath[] = body.ops.map((op) =>
    writeOp(state, op, {
      content: contentAfter(op, parts),
      index,
      at: logTime,
      changeId: change.changeId,
    }),
  )
  const activation: Activation = {
    changeId: change.changeId,
    revision: change.revision,
    contentDigest: change.contentDigest,
    index,
    at: logTime,
    mode,
    rulesDigest: digest,
    riskDigest: 'none',
    tier: terms.asksRisk ? 'high' : 'none',
    weakening,
    counted: verdict.counted,
    written: written.map(({ path, modRevision, previousModRevision }) => ({
      path,
      modRevision,
      previousModRevision,
    })),
  }
  const id = activationRowId(index, step.activated)
  step.activated++
  state.activations.put(id, activation)
  const { bakeMs } = terms
  const bake = step.isTick ? { forMs: bakeMs, until: later(logTime, bakeMs) } : { forMs: bakeMs }
  transition(step, change, 'ACTIVE', {
    activation: id,
    ...(bakeMs > 0 ? { bake } : {}),
  })
  step.events.push({ kind: 'activated', activation, written })
  takeGovernance(step, body.ops)
  haltAboveBuild(step)
  judgeOthers(step, change)
}

/** Open changes that this activation touches, each by changeId: STALE, or judged again. */
function judgeOthers(step: Step, activated: ChangeRow): void {
  const { state, reader } = step
  const overlapping = state.changeIndex.openOn(activated.paths)
  const again = changesGovernance(activated.kind) ? state.changeIndex.open : overlapping
  for (const changeId of [...again].sort(compareCodeUnits)) {
    const change = state.changes.get(changeId)
    if (change === undefined || !isOpen(change)) continue
    if (overlapping.has(changeId)) {
      const reason = judgeBase(step, reader.body(change))
      invariant(reason !== undefined, 'An open change overlaps an activation and is not stale.')
      transition(step, change, 'STALE', { reason })
    } else {
      rejudge(step, change)
    }
  }
}

/** Approved changes for which this activation may have been the last obstacle. */
function waitingFor(step: Step, activated: ChangeRow): readonly Hex16[] {
  const { state, reader } = step
  const ids = [...state.changeIndex.approved]
  if (activated.kind !== 'config') return ids
  return ids.filter((id) => {
    const change = state.changes.get(id)
    if (change === undefined) return false
    return reader.body(change).dependsOn?.includes(activated.changeId) === true
  })
}

function inApprovalOrder(step: Step, ids: readonly Hex16[]): readonly ChangeRow[] {
  const approved: ChangeRow[] = []
  for (const id of ids) {
    const change = step.state.changes.get(id)
    if (change?.state !== 'APPROVED') continue
    if (step.reader.body(change).activate === 'manual') continue
    approved.push(change)
  }
  const at = (change: ChangeRow): number => change.approvedIndex ?? 0
  return approved.sort((a, b) => at(a) - at(b) || compareCodeUnits(a.changeId, b.changeId))
}

/** A node that does not know the committed level cannot judge the next entry: it stops. */
function haltAboveBuild({ state }: Step): void {
  const level = state.governance.featureLevel
  if (level <= featureLevelMax) return
  throw new CountersignError(
    'VERSION_UNKNOWN',
    `The cluster has committed feature level ${String(level)}; this build knows ${String(featureLevelMax)}.`,
    { details: { committed: level, known: featureLevelMax } },
  )
}
