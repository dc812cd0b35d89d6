/** The bodies that are not proposals: decisions, withdraw and activate, acknowledgements, stamps. */
import { integer, invalid, object, oneOf, optional, required } from '../forms/shape.js'
import { hex16, hex32, hex32OrNone, id } from '../forms/text.js'
import type { AckBody, ActionBody, DecisionBody, Seen, StampBody } from '../types.js'
import { head } from './propose.js'

const seen = object<Seen>({ size: required(integer()), root: required(hex32) })

const aboutRevision = {
  changeId: required(hex16),
  revision: required(integer({ min: 1 })),
  contentDigest: required(hex32),
  // There is always a next one: refusals name it.
  seq: required(integer({ max: Number.MAX_SAFE_INTEGER - 1 })),
  commentDigest: optional(hex32),
}

/** Types `approve`, `reject`, `revoke`, `ratify`. */
export const decisionBody = object<DecisionBody>(
  {
    ...head,
    person: required(id),
    ...aboutRevision,
    decision: required(oneOf('approve', 'reject', 'revoke', 'ratify')),
    rulesDigest: required(hex32),
    riskDigest: required(hex32OrNone),
    seen: required(seen),
  },
  (body) =>
    body.decision === 'reject' && body.commentDigest === undefined
      ? invalid('commentDigest', 'is mandatory: a rejection states its reason')
      : null,
)

/** Types `withdraw` and `activate`. */
export const actionBody = object<ActionBody>({ ...head, person: required(id), ...aboutRevision })

export const ackBody = object<AckBody>({ ...head, person: required(id), seen: required(seen) })

export const stampBody = object<StampBody>({
  ...head,
  node: required(id),
  ms: required(integer()),
  lastIndex: required(integer()),
})
