import type { Ms } from '../approval/index.js'
import { bakedUntil, deadlineOf, earliestActivation, frozenUntil } from './guard.js'
import type { ChangeRow } from './records.js'
import type { Sight } from './sight.js'
import type { TimedPending } from './views.js'

/** Whether anything waits for log time, and for which moment first. */
export function timedPendingOf(sight: Sight): TimedPending {
  const { changeIndex, governance, logTime, changes } = sight.state
  const startsWait = changeIndex.waiting.size > 0 || governance.waitingKeys.size > 0
  const pending = startsWait || changeIndex.open.size > 0
  let next: Ms | undefined
  const consider = (at: Ms | undefined): void => {
    if (at !== undefined && at > logTime && (next === undefined || at < next)) next = at
  }
  for (const changeId of changeIndex.open) {
    const change = changes.get(changeId)
    if (change === undefined) continue
    consider(deadlineOf(change))
    if (change.state === 'APPROVED') consider(mayActivateAt(sight, change))
  }
  return { pending, startsWait, ...(next === undefined ? {} : { next }) }
}

/** When the last obstacle of time is gone, as far as it is known now. */
export function mayActivateAt(sight: Sight, change: ChangeRow): Ms | undefined {
  if (change.useFrom === undefined) return undefined
  const baked = bakedUntil(sight, change)
  if (baked === 'unknown') return undefined
  const from = Math.max(frozenUntil(sight, change) ?? 0, baked ?? 0, sight.state.logTime)
  return earliestActivation(sight, change, change.useFrom, from)
}
