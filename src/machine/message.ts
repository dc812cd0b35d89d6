/**
 * Checks 1 to 6 of every signed message (docs/approval-model.md): what can be said without believing
 * the sender. A failure here is noise: it is counted, it changes nothing, and in the log it accuses
 * the leader.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type {
  AckBody,
  ActionBody,
  DecisionBody,
  Hex32,
  Op,
  Person,
  PersonKey,
  ProposeBody,
} from '../approval/index.js'
import { decodeBody, limits } from '../approval/index.js'
import type { Envelope, Json, Verify } from '../signing/index.js'
import { decodeDetached, detachedDigest, messageDigest, verifyEnvelope } from '../signing/index.js'
import type { Command } from './commands.js'
import type { Law } from './law.js'
import type { State } from './state.js'

export type Message =
  | { readonly word: 'propose'; readonly body: ProposeBody }
  | { readonly word: 'approve' | 'reject' | 'revoke'; readonly body: DecisionBody }
  | { readonly word: 'withdraw' | 'activate'; readonly body: ActionBody }
  | { readonly word: 'ack'; readonly body: AckBody }

/** A message whose bytes, cluster, key and signature are in order. */
export interface Admitted {
  readonly message: Message
  readonly messageDigest: Hex32
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  /** Values of the detached parts by digest. */
  readonly parts: ReadonlyMap<Hex32, Json>
  readonly person: Person
  readonly key: PersonKey
}

export type Admission =
  | { readonly kind: 'admitted'; readonly admitted: Admitted }
  | { readonly kind: 'noise'; readonly refusal: Refusal }

type Submit = Extract<Command, { kind: 'submit' }>

export function admit(law: Law, state: State, command: Submit, verify: Verify): Admission {
  const { envelope, detached } = command
  const decoded = decodeMessage(state, envelope)
  if (decoded.kind === 'refused') return noise(decoded.refusal)
  const { message } = decoded
  const parts = decodeParts(message, envelope, detached)
  if (parts.kind === 'refused') return noise(parts.refusal)

  const { clusterId, person: personId, keyId } = message.body
  if (clusterId !== law.clusterId) {
    return noise(
      refusal('WRONG_CLUSTER', `Signed for cluster ${clusterId}; this is ${law.clusterId}.`, {
        signedFor: clusterId,
        clusterId: law.clusterId,
      }),
    )
  }
  const key = state.governance.key(keyId)
  if (key === undefined) {
    return noise(refusal('UNKNOWN_KEY', `No person owns the key ${keyId}.`, { field: 'keyId' }))
  }
  const person = state.governance.person(key.person)
  if (person === undefined || key.person !== personId) {
    return noise(
      refusal('UNKNOWN_KEY', `The key ${keyId} does not belong to ${personId}.`, {
        field: 'person',
      }),
    )
  }
  if (!verifyEnvelope(envelope, state.governance.publicKey(keyId), verify)) {
    return noise(
      refusal('BAD_SIGNATURE', `The signature of ${personId} does not verify over these bytes.`, {
        field: 'signature',
        keyId,
      }),
    )
  }
  const digest = messageDigest(envelope.type, envelope.body)
  return {
    kind: 'admitted',
    admitted: {
      message,
      messageDigest: digest,
      envelope,
      detached,
      parts: parts.values,
      person,
      key,
    },
  }
}

type DecodedMessage =
  | { readonly kind: 'ok'; readonly message: Message }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Checks 1 to 3. A stamp is signed by a node and `ratify` has its level: neither is taken here. */
function decodeMessage(state: State, envelope: Envelope): DecodedMessage {
  const decoded = decodeBody(envelope, state.governance.featureLevel)
  if (decoded.kind === 'refused') return decoded
  const { signed } = decoded
  switch (signed.word) {
    case 'propose':
    case 'withdraw':
    case 'activate':
    case 'ack':
      return { kind: 'ok', message: signed }
    case 'approve':
    case 'reject':
    case 'revoke':
      return { kind: 'ok', message: { word: signed.word, body: signed.body } }
    case 'ratify':
    case 'stamp':
      return refuse('BAD_TYPE', `A message of type "${signed.word}" is not taken from a person.`)
  }
}

type DecodedParts =
  | { readonly kind: 'ok'; readonly values: ReadonlyMap<Hex32, Json> }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * The parts beside the envelope are not signed themselves: they must be exactly the ones that the
 * body names. A failure is noise, so that nobody can spoil a signed message with other parts.
 */
function decodeParts(
  message: Message,
  envelope: Envelope,
  detached: readonly Uint8Array[],
): DecodedParts {
  const bytes = detached.reduce((sum, part) => sum + part.length, envelope.body.length)
  if (bytes > limits.commandBytesMax) {
    return refuse(
      'TOO_LARGE',
      `Body and detached parts have ${String(bytes)} bytes; at most ${String(limits.commandBytesMax)} are taken.`,
    )
  }
  const named = namedParts(message)
  if (named === undefined) {
    return refuse('BODY_INVALID', 'The body names one detached part with two sizes.')
  }
  const values = new Map<Hex32, Json>()
  for (const part of detached) {
    const digest = detachedDigest(part)
    const size = named.get(digest)
    if (size === undefined || values.has(digest)) {
      return refuse('BODY_INVALID', `The body does not name the detached part ${digest}.`)
    }
    if (size !== 'any' && size !== part.length) {
      return refuse('BODY_INVALID', `The detached part ${digest} has not the signed size.`)
    }
    const decoded = decodeDetached(part)
    if (decoded.kind === 'refused') return decoded
    values.set(digest, decoded.value)
  }
  for (const digest of named.keys()) {
    if (!values.has(digest)) {
      return refuse('BODY_INVALID', `The detached part ${digest} is missing.`)
    }
  }
  return { kind: 'ok', values }
}

/** Undefined when one part is named with two sizes: one of them is not what will be read. */
function namedParts(message: Message): ReadonlyMap<Hex32, number | 'any'> | undefined {
  const named = new Map<Hex32, number | 'any'>()
  if (message.word === 'propose') {
    const { body } = message
    const ops: readonly Op[] = [...body.ops, ...(body.rollback?.ops ?? [])]
    for (const op of ops) {
      if (!('detached' in op)) continue
      const { digest, size } = op.detached
      if ((named.get(digest) ?? size) !== size) return undefined
      named.set(digest, size)
    }
    const { rationaleDigest } = body
    if (rationaleDigest !== undefined && !named.has(rationaleDigest)) {
      named.set(rationaleDigest, 'any')
    }
  } else if (message.word !== 'ack' && message.body.commentDigest !== undefined) {
    named.set(message.body.commentDigest, 'any')
  }
  return named
}

function noise(refused: Refusal): Admission {
  return { kind: 'noise', refusal: refused }
}

function refuse(
  code: Refusal['code'],
  message: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: refusal(code, message) }
}
