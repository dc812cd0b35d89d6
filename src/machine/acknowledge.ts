import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { AckBody } from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { FirstResult } from './records.js'
import type { Step } from './step.js'

/** A pending key says which history it joined and becomes able to act. */
export function acknowledge(step: Step, body: AckBody): Refusal | FirstResult {
  const { state, index } = step
  const key = state.keys.get(body.keyId)
  invariant(key !== undefined, 'A registered key has no key record.', { keyId: body.keyId })
  if (key.acknowledgedAt !== undefined) {
    return refusal('TRANSITION_NOT_ALLOWED', `The key ${body.keyId} is acknowledged already.`)
  }
  state.keys.put(body.keyId, { ...key, acknowledgedAt: state.logTime })
  step.events.push({ kind: 'acknowledged', person: body.person, keyId: body.keyId })
  return { kind: 'accepted', index }
}
