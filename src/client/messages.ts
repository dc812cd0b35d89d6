/**
 * Bodies that people sign, exact to the byte. Composing and signing are two steps, so that a key may
 * stand in hardware or on a machine without network: compose here, sign the bytes there.
 *
 * A digest that a server provides is never signed blind: content and rules digests are computed from
 * the raw revision and the raw rules, and a server that claims others is refused.
 */
import { randomBytes } from 'node:crypto'
import { rulesDigest } from '../approval/index.js'
import type {
  AckBody,
  ActionBody,
  ChangeKind,
  DecisionBody,
  Duration,
  Hex16,
  Hex32,
  Id,
  Ms,
  Op,
  Path,
  PathRevision,
  ProposeBody,
  Seen,
} from '../approval/index.js'
import { CountersignError } from '../errors.js'
import type { ChangeView } from '../machine/index.js'
import {
  compareCodeUnits,
  encodeCanonical,
  encodeDetached,
  messageDigest,
  pae,
  payloadType,
  sha256Hex,
  type Json,
  type Signer,
} from '../signing/index.js'
import { kindOfPaths, openRevision } from './raw.js'
import type { SignedMessage } from './types.js'

/** A body that is ready to be signed; `bytes` are what the signature will cover (inside the PAE). */
export interface Composed<Body> {
  /** Full payload type. */
  readonly type: string
  readonly body: Body
  /** Canonical JSON of `body`. */
  readonly bytes: Uint8Array
  /** Message digest; for a proposal this is the content digest. */
  readonly digest: Hex32
  readonly detached: readonly Uint8Array[]
}

interface Signatory {
  readonly clusterId: Hex32
  readonly person: Id
  readonly keyId: Hex32
  /** Refused once log time is past it; at most 30 days ahead. Default: a day from now. */
  readonly notAfter?: Ms
}

/** An op as people mean it; the value is detached when asked for, or when it is large. */
export type ProposedOp =
  | { readonly action: 'put'; readonly path: Path; readonly value: Json; readonly detach?: boolean }
  | {
      readonly action: 'put'
      readonly path: Path
      readonly sealed: { readonly ciphertext: string; readonly keyReference: string }
    }
  | { readonly action: 'delete'; readonly path: Path }

export interface ProposeInput extends Signatory {
  readonly title: string
  /** In any order; one op a path. */
  readonly ops: readonly ProposedOp[]
  /** One for each path of the ops, in any order: see `readCurrent`. */
  readonly base: readonly PathRevision[]
  /** Follows from the paths when absent. */
  readonly kind?: ChangeKind
  /** Default: a new one. With `revision` and `previousDigest`, see `nextRevisionOf`. */
  readonly changeId?: Hex16
  readonly revision?: number
  readonly previousDigest?: Hex32
  readonly asserts?: readonly PathRevision[]
  readonly dependsOn?: readonly Hex16[]
  readonly notBefore?: Ms
  readonly activate?: 'auto' | 'manual'
  readonly open?: Duration
  readonly use?: Duration
  readonly rollback?: ProposeBody['rollback']
  /** The whole reason; travels as a detached part. */
  readonly rationale?: string
  readonly sponsor?: Id
  readonly provenance?: ProposeBody['provenance']
}

export interface DecisionInput extends Signatory {
  readonly decision: 'approve' | 'reject' | 'revoke'
  /** As `getChange` gave it, asked with this person as `asker`. */
  readonly change: ChangeView
  /** Mandatory for `reject`; travels as a detached part. */
  readonly comment?: string
  /** Default: `change.nextSeq`. */
  readonly seq?: number
}

export interface ActionInput extends Signatory {
  readonly action: 'withdraw' | 'activate'
  readonly change: ChangeView
  readonly comment?: string
  readonly seq?: number
}

export type AckInput = Signatory

const dayMs = 24 * 60 * 60 * 1000

/** Above it a value outside /sys/ is detached: a signed body has room for 40 KiB in all. */
const inlineBytesMax = 8 * 1024

/** The head that everybody can pin before the first certified checkpoint: nothing, H(""). */
const genesisHead: Seen = { size: 0, root: sha256Hex(new Uint8Array(0)) }

/** Throws INPUT_INVALID, KIND_MISMATCH, VALUE_NOT_CANONICAL. The nodes judge the rest. */
export function composePropose(input: ProposeInput): Composed<ProposeBody> {
  const detached: Uint8Array[] = []
  const ops = sortedByPath(input.ops).map((op) => opOf(op, detached))
  const base = sortedByPath(input.base)
  if (base.length !== ops.length || base.some((item, i) => item.path !== ops[i]?.path)) {
    throw invalid('base must name exactly the paths of the ops')
  }
  const body: ProposeBody = {
    ...headOf(input),
    changeId: input.changeId ?? randomBytes(16).toString('hex'),
    revision: input.revision ?? 1,
    ...given('previousDigest', input.previousDigest),
    kind: input.kind ?? kindOfPaths(ops.map((op) => op.path)),
    title: input.title,
    ops,
    base,
    ...given('asserts', input.asserts === undefined ? undefined : sortedByPath(input.asserts)),
    ...given('dependsOn', input.dependsOn?.toSorted(compareCodeUnits)),
    ...(input.notBefore === undefined ? {} : { schedule: { notBefore: input.notBefore } }),
    ...given('activate', input.activate),
    ...given('open', input.open),
    ...given('use', input.use),
    ...given('rollback', input.rollback),
    ...given('rationaleDigest', detach(input.rationale, detached)),
    ...given('sponsor', input.sponsor),
    ...given('provenance', input.provenance),
  }
  return composed('propose', body, detached)
}

/**
 * A decision on the latest revision of the change, which is opened and checked first. Throws
 * CONTENT_MISMATCH, RULES_CHANGED or WRONG_CLUSTER when what the server claims is not what its raw
 * data says.
 */
export function composeDecision(input: DecisionInput): Composed<DecisionBody> {
  const { change, decision } = input
  if (decision === 'reject' && (input.comment ?? '') === '') {
    throw invalid('a reject needs a reason')
  }
  const opened = openRevision(change, { clusterId: input.clusterId })
  if (decision === 'approve' && opened.missing.length > 0) {
    throw new CountersignError(
      'CONTENT_MISMATCH',
      'A detached value of this revision is missing, so nobody can see what would be approved.',
      { details: { missing: opened.missing } },
    )
  }
  if (change.riskDigest !== 'none') {
    throw new CountersignError(
      'FEATURE_LEVEL',
      'The change carries a risk report, which this client cannot check. Use a newer client.',
    )
  }
  const detached: Uint8Array[] = []
  const body: DecisionBody = {
    ...headOf(input),
    decision,
    changeId: opened.body.changeId,
    revision: opened.body.revision,
    contentDigest: opened.contentDigest,
    rulesDigest: checkedRulesDigest(change),
    riskDigest: 'none',
    seq: input.seq ?? change.nextSeq,
    seen: genesisHead,
    ...given('commentDigest', detach(input.comment, detached)),
  }
  return composed(decision, body, detached)
}

/** Withdraw or activate the latest revision, which is opened and checked first. */
export function composeAction(input: ActionInput): Composed<ActionBody> {
  const opened = openRevision(input.change, { clusterId: input.clusterId })
  const detached: Uint8Array[] = []
  const body: ActionBody = {
    ...headOf(input),
    changeId: opened.body.changeId,
    revision: opened.body.revision,
    contentDigest: opened.contentDigest,
    seq: input.seq ?? input.change.nextSeq,
    ...given('commentDigest', detach(input.comment, detached)),
  }
  return composed(input.action, body, detached)
}

/** A key says that it has seen the log: its proof of possession, and its acknowledgement. */
export function composeAck(input: AckInput): Composed<AckBody> {
  return composed('ack', { ...headOf(input), seen: genesisHead }, [])
}

/** Signs exactly `composed.bytes`. Throws KEY_USE when the body names another key. */
export function sign<Body extends { readonly keyId: Hex32 }>(
  message: Composed<Body>,
  signer: Signer,
): SignedMessage {
  if (signer.keyId !== message.body.keyId) {
    throw new CountersignError('KEY_USE', 'The body names another key than the one that signs.', {
      details: { bodyKeyId: message.body.keyId, signerKeyId: signer.keyId },
    })
  }
  const { type, bytes, detached } = message
  const signature = signer.sign(pae(type, bytes))
  return { envelope: { type, body: bytes, signature, keyId: signer.keyId }, detached }
}

function composed<Body extends object>(
  word: Parameters<typeof payloadType>[0],
  body: Body,
  detached: readonly Uint8Array[],
): Composed<Body> {
  const type = payloadType(word)
  const bytes = encodeCanonical(body as unknown as Json)
  return { type, body, bytes, digest: messageDigest(type, bytes), detached }
}

function headOf(input: Signatory): {
  readonly v: 1
  readonly clusterId: Hex32
  readonly person: Id
  readonly keyId: Hex32
  readonly notAfter: Ms
} {
  const { clusterId, person, keyId, notAfter } = input
  return { v: 1, clusterId, person, keyId, notAfter: notAfter ?? Date.now() + dayMs }
}

function checkedRulesDigest(change: ChangeView): Hex32 {
  const computed = rulesDigest(change.rules)
  if (computed === change.rulesDigest) return computed
  throw new CountersignError(
    'RULES_CHANGED',
    'The server claims a rules digest that is not that of the rules it shows. Nothing was signed.',
    { details: { claimed: change.rulesDigest, computed } },
  )
}

function opOf(op: ProposedOp, detached: Uint8Array[]): Op {
  if (op.action === 'delete') return { action: 'delete', path: op.path }
  if ('sealed' in op) return { action: 'put', path: op.path, sealed: op.sealed }
  if (op.detach ?? isLarge(op)) {
    const part = encodeDetached(op.value, salt())
    detached.push(part.bytes)
    return {
      action: 'put',
      path: op.path,
      detached: { digest: part.digest, size: part.size },
    }
  }
  return { action: 'put', path: op.path, value: op.value }
}

function isLarge(op: { readonly path: Path; readonly value: Json }): boolean {
  return !op.path.startsWith('/sys/') && encodeCanonical(op.value).length > inlineBytesMax
}

function detach(text: string | undefined, detached: Uint8Array[]): Hex32 | undefined {
  if (text === undefined || text === '') return undefined
  const part = encodeDetached(text, salt())
  detached.push(part.bytes)
  return part.digest
}

function salt(): string {
  return randomBytes(16).toString('hex')
}

function sortedByPath<T extends { readonly path: Path }>(items: readonly T[]): readonly T[] {
  const sorted = items.toSorted((a, b) => compareCodeUnits(a.path, b.path))
  const twice = sorted.find((item, i) => i > 0 && item.path === sorted[i - 1]?.path)
  if (twice !== undefined) throw invalid(`${twice.path} stands twice in the change`)
  return sorted
}

function given<K extends string, V>(name: K, value: V | undefined): { readonly [k in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [k in K]: V })
}

function invalid(message: string): CountersignError {
  return new CountersignError('INPUT_INVALID', message)
}
