/**
 * What a signed message says, before anything is asked of the state: checks 1 to 3 of
 * docs/approval-model.md, its detached parts, its digest, and whether a key signed it. All of it
 * follows from the bytes and the feature level alone.
 *
 * The leader needs it twice, before it appends a command and when it applies it. So what the first
 * check found out is kept with the command object until apply asks; a follower, which decodes the
 * command anew, asks once. The answer is the same either way.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type {
  ActionBody,
  AckBody,
  DecisionBody,
  Hex32,
  Op,
  ProposeBody,
} from '../approval/index.js'
import { decodeBody, limits } from '../approval/index.js'
import type { Envelope, Json, Verify } from '../signing/index.js'
import { decodeDetached, detachedDigest, pae, sha256Hex } from '../signing/index.js'
import type { Command } from './commands.js'

export type Submit = Extract<Command, { kind: 'submit' }>

export type Message =
  | { readonly word: 'propose'; readonly body: ProposeBody }
  | { readonly word: 'approve' | 'reject' | 'revoke'; readonly body: DecisionBody }
  | { readonly word: 'withdraw' | 'activate'; readonly body: ActionBody }
  | { readonly word: 'ack'; readonly body: AckBody }

export type Read =
  | { readonly kind: 'ok'; readonly reading: Reading }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export class Reading {
  readonly message: Message
  readonly messageDigest: Hex32
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  /** Values of the detached parts by digest. */
  readonly parts: ReadonlyMap<Hex32, Json>
  private readonly signedBytes: Uint8Array
  private asked: {
    readonly publicKey: Uint8Array
    readonly verify: Verify
    readonly isSigned: boolean
  } | null = null

  constructor(command: Submit, message: Message, parts: ReadonlyMap<Hex32, Json>) {
    const { envelope, detached } = command
    this.message = message
    this.envelope = envelope
    this.detached = detached
    this.parts = parts
    this.signedBytes = pae(envelope.type, envelope.body)
    this.messageDigest = sha256Hex(this.signedBytes)
  }

  /** Asks `verify` once for each key in a row. */
  isSignedBy(publicKey: Uint8Array, verify: Verify): boolean {
    const { asked } = this
    if (asked !== null && asked.publicKey === publicKey && asked.verify === verify) {
      return asked.isSigned
    }
    const isSigned = verify(publicKey, this.signedBytes, this.envelope.signature)
    this.asked = { publicKey, verify, isSigned }
    return isSigned
  }
}

/** The readings of one machine. */
export class Readings {
  private readonly kept = new WeakMap<Submit, { readonly level: number; readonly read: Read }>()

  /** Reads, and remembers it for {@link take}. */
  keep(command: Submit, level: number): Read {
    const read = readMessage(command, level)
    this.kept.set(command, { level, read })
    return read
  }

  /** What was kept for this very command object at this feature level, else read now. */
  take(command: Submit, level: number): Read {
    const kept = this.kept.get(command)
    if (kept?.level === level) return kept.read
    return readMessage(command, level)
  }
}

function readMessage(command: Submit, level: number): Read {
  const { envelope, detached } = command
  const decoded = decodeMessage(envelope, level)
  if (decoded.kind === 'refused') return decoded
  const parts = decodeParts(decoded.message, envelope, detached)
  if (parts.kind === 'refused') return parts
  return { kind: 'ok', reading: new Reading(command, decoded.message, parts.values) }
}

type DecodedMessage =
  | { readonly kind: 'ok'; readonly message: Message }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Checks 1 to 3. A stamp is signed by a node and `ratify` has its level: neither is taken here. */
function decodeMessage(envelope: Envelope, level: number): DecodedMessage {
  const decoded = decodeBody(envelope, level)
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

function refuse(
  code: Refusal['code'],
  message: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: refusal(code, message) }
}
