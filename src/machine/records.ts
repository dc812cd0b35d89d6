/**
 * The rows of the replicated state. Each is stored as canonical JSON under `table/id`; absent
 * fields are left out. Times are log time in milliseconds, indexes are log indexes.
 */
import type { Refusal } from '../errors.js'
import type {
  ChangeKind,
  ChangeState,
  DecisionWord,
  Hex16,
  Hex32,
  Id,
  Ms,
  Path,
  Revision,
  UsedNode,
} from '../approval/index.js'
import type { Envelope, Json, JsonObject } from '../signing/index.js'
import { fromBase64, toBase64 } from '../signing/index.js'
import { invariant } from '../invariant.js'
import type { EntryContent } from './events.js'
import type { RowCodec } from './table.js'

/** `meta/state`: what belongs to the machine as a whole. */
export interface MetaRow {
  readonly appliedIndex: Revision
  readonly logTime: Ms
  /** 0 before the first Tick. */
  readonly lastTickIndex: Revision
  /** Authenticated attempts that were refused. */
  readonly refusals: number
  /** Entries that are noise (checks 1 to 6 of docs/approval-model.md) and yet stood in the log. */
  readonly noise: number
}

/** `entry/<path>`: the config tree. */
export interface EntryRow {
  readonly path: Path
  readonly content: EntryContent
  readonly createRevision: Revision
  readonly modRevision: Revision
  /** Empty for what genesis wrote. */
  readonly changeId: Hex16 | ''
}

/** `write/<path>@<modRevision>`: one past write, kept for history and watch. */
export interface WriteRow {
  readonly path: Path
  readonly modRevision: Revision
  readonly previousModRevision: Revision
  readonly createRevision: Revision
  readonly at: Ms
  readonly changeId: Hex16 | ''
  readonly content: EntryContent | { readonly kind: 'deleted' }
}

/** `change/<changeId>`: where a change stands; its signed bytes are in revision rows. */
export interface ChangeRow {
  readonly changeId: Hex16
  readonly kind: ChangeKind
  readonly state: ChangeState
  readonly revision: number
  readonly contentDigest: Hex32
  readonly title: string
  /** Proposer of the current revision. */
  readonly author: Id
  readonly sponsor?: Id
  /** Proposers of all revisions with their sponsors, named and registered; sorted. */
  readonly authorSet: readonly Id[]
  readonly paths: readonly Path[]
  /** Paths that were read, not written. */
  readonly asserted?: readonly Path[]
  /** Log time at revision 1's entry; never moves. The cool-off is judged against it. */
  readonly openedAt: Ms
  readonly openedIndex: Revision
  readonly updatedIndex: Revision
  /** `lifeMax` after the first Tick at or after revision 1's entry. */
  readonly lifeDeadline?: Ms
  /** First Tick at or after the current revision's entry: `open` and riskTimeout count from it. */
  readonly openFrom?: Ms
  readonly openDeadline?: Ms
  readonly approvedIndex?: Revision
  readonly approvedAt?: Ms
  /** First Tick at or after APPROVED was reached: delay and `use` count from it. */
  readonly useFrom?: Ms
  readonly useDeadline?: Ms
  readonly closed?: { readonly at: Ms; readonly index: Revision; readonly reason?: Refusal }
  /** Key of the activation row. */
  readonly activation?: string
  readonly bake?: { readonly forMs: number; readonly until?: Ms }
}

/** The answer that the first copy of a message got; retries get the same. */
export type FirstResult =
  | {
      readonly kind: 'accepted'
      readonly changeId?: Hex16
      readonly revision?: number
      readonly state?: ChangeState
      readonly index: Revision
      readonly activatedAt?: Revision
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly index: Revision }

/** `revision/<changeId>@<n>`: immutable. */
export interface RevisionRow {
  readonly changeId: Hex16
  readonly revision: number
  readonly contentDigest: Hex32
  readonly author: Id
  readonly index: Revision
  readonly at: Ms
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  readonly result: FirstResult
}

/** `decision/<changeId>@<index>`: immutable; withdrawals and activations stand here too. */
export interface DecisionRow {
  readonly changeId: Hex16
  readonly revision: number
  readonly word: DecisionWord | 'withdraw' | 'activate'
  readonly person: Id
  readonly keyId: Hex32
  readonly seq: number
  readonly contentDigest: Hex32
  readonly rulesDigest: Hex32 | ''
  readonly riskDigest: Hex32 | 'none'
  readonly index: Revision
  readonly at: Ms
  readonly messageDigest: Hex32
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  readonly result: FirstResult
}

/** `seen/<messageDigest>`: the replay set; forgotten once log time is past `notAfter`. */
export interface SeenRow {
  readonly notAfter: Ms
  readonly result: FirstResult
}

/** `key/<keyId>`: what apply knows of a key beside its signed document. */
export interface KeyRow {
  readonly person: Id
  /** Absent until the first Tick after the registration was activated. */
  readonly registeredAt?: Ms
  /** Absent while the key is pending. */
  readonly acknowledgedAt?: Ms
  readonly revokedAt?: Ms
}

/** `person/<id>` */
export interface PersonRow {
  readonly registeredAt: Ms
}

/** `node/<id>`: every node id that was ever given away (feature level 2). */
export type NodeRow = UsedNode

/** `quota/<agent>`: proposals on one day of log time. */
export interface QuotaRow {
  /** Days since the Unix epoch. */
  readonly day: number
  readonly used: number
}

const bytesToJson = (bytes: Uint8Array): Json => toBase64(bytes)

function bytesFromJson(json: Json | undefined): Uint8Array {
  const bytes = typeof json === 'string' ? fromBase64(json) : null
  invariant(bytes !== null, 'A stored record holds bytes that are not base64.')
  return bytes
}

/** Rows with an envelope and detached parts: bytes become base64 in the stored record. */
export function signedRows<
  Row extends { readonly envelope: Envelope; readonly detached: readonly Uint8Array[] },
>(): RowCodec<Row> {
  return {
    encode: (row) => ({
      ...(row as unknown as JsonObject),
      envelope: {
        type: row.envelope.type,
        body: bytesToJson(row.envelope.body),
        signature: bytesToJson(row.envelope.signature),
        keyId: row.envelope.keyId,
      },
      detached: row.detached.map(bytesToJson),
    }),
    decode: (json) => {
      const stored = json as JsonObject
      const envelope = stored['envelope'] as JsonObject
      return {
        ...stored,
        envelope: {
          type: envelope['type'],
          body: bytesFromJson(envelope['body']),
          signature: bytesFromJson(envelope['signature']),
          keyId: envelope['keyId'],
        },
        detached: (stored['detached'] as readonly Json[]).map(bytesFromJson),
      } as unknown as Row
    },
  }
}

export const revisionRowId = (changeId: Hex16, revision: number): string =>
  `${changeId}@${padded(revision, 4)}`

export const decisionRowId = (changeId: Hex16, index: Revision): string =>
  `${changeId}@${padded(index, 16)}`

/** The ids of the decisions of one change sort in log order. */
export const changeOfDecision = (id: string): Hex16 => id.slice(0, id.indexOf('@'))

export const writeRowId = (path: Path, modRevision: Revision): string =>
  `${path}@${padded(modRevision, 16)}`

/** The other way; a path may hold an `@` of its own. */
export function writeOfRowId(id: string): { readonly path: Path; readonly modRevision: Revision } {
  const at = id.lastIndexOf('@')
  return { path: id.slice(0, at), modRevision: Number(id.slice(at + 1)) }
}

/** Several changes may activate at one Tick; the changeId keeps them apart. */
export const activationRowId = (index: Revision, order: number): string =>
  `${padded(index, 16)}@${padded(order, 4)}`

/** Zeros in front, so that code-unit order is numeric order. */
function padded(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
