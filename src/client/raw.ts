/**
 * Reading a change from its raw bytes: what is shown to a person is taken from here, not from what a
 * server says about it.
 */
import {
  decodeBody,
  featureLevelMax,
  kindOfPath,
  type ChangeKind,
  type Hex16,
  type Hex32,
  type Op,
  type Path,
  type PathRevision,
  type ProposeBody,
  type SignedBody,
} from '../approval/index.js'
import { CountersignError } from '../errors.js'
import type {
  ChangeView,
  DecisionView,
  DiffView,
  EntryContent,
  EntryView,
} from '../machine/index.js'
import {
  decodeDetached,
  detachedDigest,
  messageDigest,
  type Envelope,
  type Json,
} from '../signing/index.js'
import type { CountersignClient, ReadOptions } from './types.js'

/** A revision whose bytes agree with everything that was claimed about it. */
export interface OpenedRevision {
  readonly body: ProposeBody
  /** Computed from the envelope. */
  readonly contentDigest: Hex32
  /** Detached values of the ops, by digest. */
  readonly values: ReadonlyMap<Hex32, Json>
  /** The detached rationale, while it is kept. */
  readonly rationale?: string
  /** Digests of values that the ops name and the server did not hand over. */
  readonly missing: readonly Hex32[]
}

/** What stands now at some paths, and the base that a change on them names. */
export interface CurrentEntries {
  readonly entries: ReadonlyMap<Path, EntryView>
  readonly base: readonly PathRevision[]
}

/**
 * Decodes the raw envelope of a revision (default: the latest) and compares it with the view. Throws
 * CONTENT_MISMATCH with the field that differs, WRONG_CLUSTER, NON_CANONICAL.
 */
export function openRevision(
  change: ChangeView,
  options: { readonly clusterId: Hex32; readonly revision?: number },
): OpenedRevision {
  const number = options.revision ?? change.revision
  const view = change.revisions.find(({ revision }) => revision === number)
  if (view === undefined) {
    throw mismatch(`The server handed over no revision ${String(number)}.`, {})
  }
  const signed = signedIn(view.envelope)
  if (signed.word !== 'propose') throw mismatch('The revision is no proposal.', {})
  const { body } = signed
  if (body.clusterId !== options.clusterId) {
    throw new CountersignError('WRONG_CLUSTER', 'The revision was signed for another cluster.', {
      details: { ours: options.clusterId, theirs: body.clusterId },
    })
  }
  const contentDigest = messageDigest(view.envelope.type, view.envelope.body)
  agree('contentDigest', view.contentDigest, contentDigest)
  agree('changeId', change.changeId, body.changeId)
  agree('revision', number, body.revision)
  agree('author', view.author, body.person)
  if (number === change.revision) {
    agree('contentDigest', change.contentDigest, contentDigest)
    agree('title', change.title, body.title)
    agree('kind', change.kind, body.kind)
    agree('paths', change.paths.join(' '), body.ops.map((op) => op.path).join(' '))
  }
  return { body, contentDigest, ...partsOf(body, view.detached) }
}

/** What a next revision of this change must name; the digest is computed, not believed. */
export function nextRevisionOf(
  change: ChangeView,
  options: { readonly clusterId: Hex32 },
): { readonly changeId: Hex16; readonly revision: number; readonly previousDigest: Hex32 } {
  const { body, contentDigest } = openRevision(change, options)
  return {
    changeId: body.changeId,
    revision: body.revision + 1,
    previousDigest: contentDigest,
  }
}

/** The detached comment of a decision, while it is kept. Throws CONTENT_MISMATCH on another text. */
export function openComment(decision: DecisionView): string | undefined {
  const { word, body } = signedIn(decision.envelope)
  agree('decision', decision.decision, word)
  const digest = 'commentDigest' in body ? body.commentDigest : undefined
  if (digest === undefined) return undefined
  const value = openParts(decision.detached).get(digest)
  return typeof value === 'string' ? value : undefined
}

/** What the ops would do to what stands now. A value that is missing shows as no content. */
export function diffOps(
  opened: Pick<OpenedRevision, 'values'> & { readonly ops: readonly Op[] },
  current: Pick<CurrentEntries, 'entries'>,
): readonly DiffView[] {
  return opened.ops.map((op) => {
    const entry = current.entries.get(op.path)
    const after = contentOf(op, opened.values)
    return {
      path: op.path,
      modRevision: entry?.modRevision ?? 0,
      ...(entry === undefined ? {} : { before: entry.content }),
      ...(after === undefined ? {} : { after }),
    }
  })
}

/** Asks for each path what stands there now. */
export async function readCurrent(
  client: Pick<CountersignClient, 'get'>,
  paths: readonly Path[],
  options: ReadOptions = {},
): Promise<CurrentEntries> {
  const entries = new Map<Path, EntryView>()
  const base: PathRevision[] = []
  // A few at a time: a change has up to 256 paths, and a node bounds what one caller may ask.
  for (let from = 0; from < paths.length; from += 16) {
    const some = paths.slice(from, from + 16)
    const found = await Promise.all(some.map((path) => entryAt(client, path, options)))
    for (const [i, entry] of found.entries()) {
      const path = some[i] ?? ''
      if (entry !== undefined) entries.set(path, entry)
      base.push({ path, modRevision: entry?.modRevision ?? 0 })
    }
  }
  return { entries, base }
}

/** The kind that these paths belong to. Throws KIND_MISMATCH when they belong to several or none. */
export function kindOfPaths(paths: readonly Path[]): ChangeKind {
  const kinds = new Set(paths.map(kindOf))
  const [kind] = kinds
  if (kinds.size !== 1 || kind === undefined) {
    throw new CountersignError(
      'KIND_MISMATCH',
      'The paths belong to several kinds of change. Split the change by kind.',
      { details: { kinds: [...kinds] } },
    )
  }
  return kind
}

function kindOf(path: Path): ChangeKind {
  const kind = kindOfPath(path)
  if (kind !== null) return kind
  throw new CountersignError('KIND_MISMATCH', `${path} belongs to no kind of change.`, {
    details: { path },
  })
}

async function entryAt(
  client: Pick<CountersignClient, 'get'>,
  path: Path,
  options: ReadOptions,
): Promise<EntryView | undefined> {
  try {
    return (await client.get(path, options)).value
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'UNKNOWN_PATH') return undefined
    throw error
  }
}

function contentOf(op: Op, values: ReadonlyMap<Hex32, Json>): EntryContent | undefined {
  if (op.action === 'delete') return undefined
  if ('value' in op) return { kind: 'value', value: op.value }
  if ('sealed' in op) return { kind: 'sealed', ...op.sealed }
  const value = values.get(op.detached.digest)
  return value === undefined ? undefined : { kind: 'detached', ...op.detached, value }
}

/** The body inside an envelope, with every field judged; the signature is the nodes' business. */
function signedIn(envelope: Envelope): SignedBody {
  const decoded = decodeBody(envelope, featureLevelMax)
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  return decoded.signed
}

function partsOf(
  body: ProposeBody,
  detached: readonly Uint8Array[],
): Pick<OpenedRevision, 'values' | 'rationale' | 'missing'> {
  const parts = openParts(detached)
  const values = new Map<Hex32, Json>()
  const missing: Hex32[] = []
  for (const op of body.ops) {
    if (op.action === 'delete' || !('detached' in op)) continue
    const value = parts.get(op.detached.digest)
    if (value === undefined) missing.push(op.detached.digest)
    else values.set(op.detached.digest, value)
  }
  const rationale = body.rationaleDigest === undefined ? undefined : parts.get(body.rationaleDigest)
  return { values, missing, ...(typeof rationale === 'string' ? { rationale } : {}) }
}

/** By digest computed from the bytes: a part that the body does not name is simply never found. */
function openParts(detached: readonly Uint8Array[]): ReadonlyMap<Hex32, Json> {
  const parts = new Map<Hex32, Json>()
  for (const bytes of detached) {
    const decoded = decodeDetached(bytes)
    if (decoded.kind === 'ok') parts.set(detachedDigest(bytes), decoded.value)
  }
  return parts
}

function agree(field: string, claimed: unknown, signed: unknown): void {
  if (claimed === signed) return
  throw mismatch(
    `The server claims another ${field} than the signed bytes say. Nothing was signed.`,
    { field, claimed, signed },
  )
}

function mismatch(message: string, details: Record<string, unknown>): CountersignError {
  return new CountersignError('CONTENT_MISMATCH', message, { details })
}
