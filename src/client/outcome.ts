/** What became of a sent message when its call rejects. */
import { CountersignError, type ErrorCode } from '../errors.js'

/**
 * A call that resolves is `committed`: the message is in the log and took effect. A call that rejects
 * left the message without effect (`refused`), or nobody can say (`unknown`): then the same bytes
 * are sent again until the answer is one of the other two. They take effect once at most
 * (docs/decisions/015-client-sessions.md), so sending again is always safe; signing anew is not.
 */
export type SubmitOutcome = 'committed' | 'refused' | 'unknown'

/**
 * `refused` or `unknown`, of what a call that submits rejected with. Errors that are not ours say
 * nothing about the cluster, so they are `unknown`.
 */
export function outcomeOfRejection(thrown: unknown): Exclude<SubmitOutcome, 'committed'> {
  if (!(thrown instanceof CountersignError)) return 'unknown'
  return leavesUnknown.has(thrown.code) ? 'unknown' : 'refused'
}

/** CANCELLED: the caller gave up while the message may have been under way. */
const leavesUnknown: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNKNOWN_OUTCOME',
  'NO_QUORUM',
  'CANCELLED',
  'INTERNAL',
])
