import type { CountersignClient, SubmitResult } from '../client/index.js'
import type { ChangeView } from '../machine/index.js'
import { shortCode } from '../signing/index.js'
import { explanationLines } from './present/explanation.js'
import { stateText } from './present/state.js'
import type { Session } from './session.js'

/** What became of a message that was sent, and what can happen next. */
export async function reportSubmitted(
  session: Session,
  client: CountersignClient,
  result: SubmitResult,
  contentDigest: string,
  more: { readonly json?: object; readonly lines?: readonly string[] } = {},
): Promise<void> {
  const { output, world } = session
  const change = await changeAfter(client, result)
  output.result(
    {
      changeId: result.changeId ?? '',
      revision: result.revision ?? 0,
      state: result.state ?? '',
      contentDigest,
      shortCode: shortCode(contentDigest),
      index: result.index,
      ...(result.activatedAt === undefined ? {} : { activatedAt: result.activatedAt }),
      repeated: result.repeated,
      ...more.json,
    },
    () => [
      `change ${result.changeId ?? ''}  ${
        result.state === undefined ? '' : stateText(result.state, output.style)
      }${result.activatedAt === undefined ? '' : `  at revision ${String(result.activatedAt)}`}${
        result.repeated ? '  (sent before; this is its first result)' : ''
      }`,
      ...(more.lines ?? []),
    ],
  )
  if (change !== undefined) {
    output.note(...explanationLines(change, { style: output.remarkStyle, nowMs: world.wallMs() }))
  }
}

/** For people only; a cluster that has no leader just now must not turn a success into a failure. */
async function changeAfter(
  client: CountersignClient,
  result: SubmitResult,
): Promise<ChangeView | undefined> {
  if (result.changeId === undefined) return undefined
  try {
    return (await client.getChange(result.changeId, { deadlineMs: 2_000 })).value
  } catch {
    return undefined
  }
}
