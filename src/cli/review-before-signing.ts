import { badInput } from './failures.js'
import { unchangedPaths } from './present/diff.js'
import { reviewLines, type Reviewed } from './present/review.js'
import type { Session } from './session.js'

/** Shows what the signature will cover and waits for a yes. */
export async function reviewBeforeSigning(
  session: Session,
  reviewed: Reviewed,
  question: string,
): Promise<void> {
  const { output } = session
  const unchanged = unchangedPaths(reviewed.diff)
  if (unchanged.length === reviewed.diff.length && unchanged.length > 0) {
    throw badInput('Every path has this value already.', 'There is nothing to propose.')
  }
  output.note(...reviewLines(reviewed, output.remarkStyle), '')
  await session.confirm(question)
}
