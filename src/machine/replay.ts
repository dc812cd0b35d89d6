/**
 * Exactly once: the first copy of a message has an effect and a result, every later one gets that
 * result. The replay set forgets a message when log time passes its `notAfter` (after that it is
 * refused anyway); the first result of a change's own messages stays with the change.
 */
import type { CommandResult } from './events.js'
import type { Admitted } from './message.js'
import { revisionRowId } from './records.js'
import type { FirstResult } from './records.js'
import type { State } from './state.js'

export function firstResultOf(state: State, admitted: Admitted): FirstResult | undefined {
  const { message, messageDigest } = admitted
  const seen = state.seen.get(messageDigest)
  if (seen !== undefined) return seen.result
  if (message.word === 'ack') return undefined
  const { changeId, revision } = message.body
  if (message.word === 'propose') {
    const row = state.revisions.get(revisionRowId(changeId, revision))
    return row?.contentDigest === messageDigest ? row.result : undefined
  }
  return state.decisionIndex.of(changeId).find((row) => row.messageDigest === messageDigest)?.result
}

export function repeatedResult(first: FirstResult): CommandResult {
  return { ...first, repeated: true }
}
