/**
 * Checks 7 and later of a signed message (docs/approval-model.md), in order; the first failure is the
 * result. A refusal here is an authenticated attempt: it is recorded, and the same bytes get the same
 * answer.
 */
import type { Refusal } from '../errors.js'
import { acknowledge } from './acknowledge.js'
import { act, decide } from './decide.js'
import { judgeEntitled } from './entitle.js'
import type { CommandResult } from './events.js'
import { notAfterAheadMs } from './law.js'
import type { Admitted } from './message.js'
import { propose } from './propose.js'
import type { FirstResult } from './records.js'
import { firstResultOf, repeatedResult } from './replay.js'
import type { Step } from './step.js'

export function submit(step: Step, admitted: Admitted): CommandResult {
  const first = firstResultOf(step.state, admitted)
  if (first !== undefined) return repeatedResult(first)
  const outcome = judgeEntitled(step.state, admitted) ?? dispatch(step, admitted)
  const result = 'kind' in outcome ? outcome : refuse(step, admitted, outcome)
  remember(step, admitted, result)
  return { ...result, repeated: false }
}

/** Either the refusal, with nothing written, or the result with its effect written. */
function dispatch(step: Step, admitted: Admitted): Refusal | FirstResult {
  const { message } = admitted
  switch (message.word) {
    case 'propose':
      return propose(step, admitted, message.body)
    case 'approve':
    case 'reject':
    case 'revoke':
      return decide(step, admitted, message.word, message.body)
    case 'withdraw':
    case 'activate':
      return act(step, admitted, message.word, message.body)
    case 'ack':
      return acknowledge(step, admitted, message.body)
  }
}

function refuse(step: Step, { message, messageDigest }: Admitted, refused: Refusal): FirstResult {
  const { state, index, events } = step
  state.setMeta({ refusals: state.stored.refusals + 1 })
  events.push({
    kind: 'refused',
    person: message.body.person,
    messageDigest,
    ...('changeId' in message.body ? { changeId: message.body.changeId } : {}),
    refusal: refused,
  })
  return { kind: 'refused', refusal: refused, index }
}

/** A `notAfter` that is out of range was refused for it, and would be again: nothing to keep. */
function remember({ state }: Step, admitted: Admitted, result: FirstResult): void {
  const { notAfter } = admitted.message.body
  if (notAfter < state.logTime || notAfter > state.logTime + notAfterAheadMs) return
  state.seen.put(admitted.messageDigest, { notAfter, result })
}
