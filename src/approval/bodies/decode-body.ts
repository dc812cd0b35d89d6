/**
 * From an envelope to a typed body: checks 1 to 3 of docs/approval-model.md (version known, canonical,
 * type and form). Signature, key and everything about state come after. Fields: docs/signing.md.
 */
import { refusal, type Refusal } from '../../errors.js'
import {
  decodeCanonical,
  payloadWord,
  type Envelope,
  type JsonObject,
  type PayloadWord,
} from '../../signing/index.js'
import { invalid, isObject, type Check } from '../forms/shape.js'
import { limits } from '../limits.js'
import type { AckBody, ActionBody, DecisionBody, ProposeBody, StampBody } from '../types.js'
import { ackBody, actionBody, decisionBody, stampBody } from './decisions.js'
import { laterProposeField, laterVersion, laterWord } from './features.js'
import { judgeKind } from './kinds.js'
import { proposeBody } from './propose.js'

export type SignedBody =
  | { readonly word: 'propose'; readonly body: ProposeBody }
  | { readonly word: 'approve' | 'reject' | 'revoke' | 'ratify'; readonly body: DecisionBody }
  | { readonly word: 'withdraw' | 'activate'; readonly body: ActionBody }
  | { readonly word: 'ack'; readonly body: AckBody }
  | { readonly word: 'stamp'; readonly body: StampBody }

export type DecodedBody =
  | { readonly kind: 'ok'; readonly signed: SignedBody }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const checks: Partial<Record<PayloadWord, Check>> = {
  propose: proposeBody,
  approve: decisionBody,
  reject: decisionBody,
  revoke: decisionBody,
  ratify: decisionBody,
  withdraw: actionBody,
  activate: actionBody,
  ack: ackBody,
  stamp: stampBody,
}

/** `level` is the feature level committed at the entry's index. */
export function decodeBody(
  envelope: Pick<Envelope, 'type' | 'body' | 'keyId'>,
  level: number,
): DecodedBody {
  if (envelope.body.length > limits.bodyBytesMax) {
    return refused(
      refusal('TOO_LARGE', `a signed body has at most ${limits.bodyBytesMax} bytes`, {
        bytes: envelope.body.length,
        max: limits.bodyBytesMax,
      }),
    )
  }
  const word = payloadWord(envelope.type)
  const later = word === null ? null : laterWord(word, level)
  if (later !== null) return refused(later)
  const decoded = decodeCanonical(envelope.body)
  if (decoded.kind === 'refused') return decoded
  const check = word === null ? undefined : checks[word]
  if (word === null || check === undefined) {
    return refused(refusal('BAD_TYPE', `${envelope.type} is not the type of a signed message`))
  }
  if (!isObject(decoded.value)) return refused(invalid('body', 'must be an object'))
  const fault = judgeBody(word, decoded.value, check, { level, keyId: envelope.keyId })
  if (fault !== null) return refused(fault)
  return { kind: 'ok', signed: { word, body: decoded.value } as unknown as SignedBody }
}

function judgeBody(
  word: PayloadWord,
  body: JsonObject,
  check: Check,
  { level, keyId }: { readonly level: number; readonly keyId: string },
): Refusal | null {
  const version = laterVersion(body, level)
  if (version !== null) return version
  const later = word === 'propose' ? laterProposeField(body, level) : null
  if (later !== null) return later
  const shape = check(body, '')
  if (shape !== null) return shape
  if (Object.hasOwn(body, 'decision') && body['decision'] !== word) {
    return refusal('BAD_TYPE', `the type says ${word}, the body says another decision`)
  }
  // DSSE calls the envelope's key id a hint; the signed one decides.
  if (body['keyId'] !== keyId) return invalid('keyId', 'differs from the key id of the envelope')
  if (word !== 'propose') return null
  const propose = body as unknown as ProposeBody
  const paths = propose.ops.map((op) => op.path)
  return judgeKind(propose.kind, paths, level)
}

function refused(fault: Refusal): DecodedBody {
  return { kind: 'refused', refusal: fault }
}
