/**
 * NOT_OPEN in words for people. The nodes' refusal is a recorded result: it names its own record of
 * the activation and cannot be worded anew, so what became of the change is read beside it.
 */
import type { CountersignClient } from '../client/index.js'
import { CountersignError } from '../errors.js'
import type { ChangeSummary } from '../machine/index.js'

export async function throwClosed(
  client: CountersignClient,
  changeId: string,
  word: string,
  thrown: unknown,
): Promise<never> {
  if (!(thrown instanceof CountersignError) || thrown.code !== 'NOT_OPEN') throw thrown
  const change = await client.getChange(changeId, { deadlineMs: 2_000 }).then(
    ({ value }) => value,
    () => undefined,
  )
  if (change === undefined) throw thrown
  const { activation: _record, ...details } = thrown.details
  const { activatedIndex } = change
  throw new CountersignError('NOT_OPEN', thrown.message, {
    cause: thrown,
    details: {
      ...details,
      ...(activatedIndex === undefined ? {} : { activatedIndex }),
      next: nextStep(change, word),
    },
  })
}

function nextStep({ changeId, activatedIndex }: ChangeSummary, word: string): string {
  const id = changeId.slice(0, 8)
  if (activatedIndex === undefined) {
    return `Propose it anew on the current base: countersign propose --like ${id}`
  }
  const since = `It is already in effect, since revision ${String(activatedIndex)}`
  return word === 'approve' || word === 'activate'
    ? `${since}; there is nothing left to do.`
    : `${since}, and stays. To undo it, propose a change that writes what is wanted now.`
}
