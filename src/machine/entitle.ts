/**
 * Checks 7 and 8 (docs/approval-model.md): who may send this message at all, is it fresh, and which
 * log does it pin.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { KeyUse, Seen } from '../approval/index.js'
import { sha256Hex } from '../signing/index.js'
import { notAfterAheadMs } from './law.js'
import type { Admitted } from './message.js'
import type { Message } from './reading.js'
import type { State } from './state.js'

/** The empty log: before the first certified checkpoint it is what a signer pins. */
export const genesisHead: Seen = { size: 0, root: sha256Hex() }

const usesOf: Readonly<Record<Message['word'], readonly KeyUse[]>> = {
  propose: ['propose'],
  approve: ['approve'],
  reject: ['approve'],
  revoke: ['approve'],
  withdraw: ['propose', 'approve'],
  activate: ['propose', 'approve'],
  ack: [],
}

const decisions: ReadonlySet<Message['word']> = new Set(['approve', 'reject', 'revoke'])

export function judgeEntitled(state: State, admitted: Admitted): Refusal | undefined {
  const { message, person, key } = admitted
  const { word } = message
  if (person.status !== 'active') {
    return refusal('PERSON_INACTIVE', `${person.id} is ${person.status}.`, { person: person.id })
  }
  if (key.status === 'revoked') {
    return refusal('KEY_REVOKED', `The key ${key.keyId} of ${person.id} is revoked.`, {
      keyId: key.keyId,
    })
  }
  if (decisions.has(word) && person.kind !== 'human') {
    return refusal('AGENT_CANNOT_APPROVE', `${person.id} is no human but of kind ${person.kind}.`, {
      person: person.id,
      kind: person.kind,
    })
  }
  const uses = usesOf[word]
  if (uses.length > 0 && !uses.some((use) => key.uses.includes(use))) {
    return refusal(
      'KEY_USE',
      `The key ${key.keyId} is for ${key.uses.join(', ')}, not for ${uses.join(' or ')}.`,
      { keyId: key.keyId, uses: key.uses, needed: uses },
    )
  }
  if (word !== 'ack' && state.keys.get(key.keyId)?.acknowledgedAt === undefined) {
    return refusal('KEY_PENDING', `The key ${key.keyId} has not acknowledged the log yet.`, {
      keyId: key.keyId,
    })
  }
  return judgeFresh(state, admitted) ?? judgeSeen(message)
}

function judgeFresh(state: State, { message, person }: Admitted): Refusal | undefined {
  const { logTime } = state
  const { notAfter } = message.body
  if (notAfter < logTime) {
    return refusal('EXPIRED', 'The message is past its `notAfter`. Sign again.', {
      notAfter,
      logTime,
    })
  }
  if (notAfter > logTime + notAfterAheadMs) {
    return refusal('BODY_INVALID', 'The field `notAfter` is more than 30 days ahead of log time.', {
      field: 'notAfter',
      notAfter,
      logTime,
    })
  }
  if (message.word === 'propose' || message.word === 'ack') return undefined
  const { changeId, seq } = message.body
  const last = state.decisionIndex.lastSeq(changeId, person.id)
  if (last !== undefined && seq <= last) {
    return refusal(
      'REPLAYED',
      `${person.id} has used sequence number ${String(last)} on this change; ${String(seq)} is not above it.`,
      { seq, last, next: last + 1 },
    )
  }
  return undefined
}

/** No checkpoint is certified at feature level 1: only the genesis head can be pinned. */
function judgeSeen(message: Message): Refusal | undefined {
  if (!('seen' in message.body)) return undefined
  const { size, root } = message.body.seen
  if (size === genesisHead.size && root === genesisHead.root) return undefined
  return refusal(
    'SEEN_UNKNOWN',
    `No checkpoint of size ${String(size)} is certified here; pin the genesis head.`,
    { size, root, genesisHead },
  )
}
