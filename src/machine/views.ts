/**
 * What readers get to see: plain data, derived from the state, never a part of it. api/, status/
 * and cli/ show these; the client derives digests from the envelopes in them by itself.
 */
import type { Refusal } from '../errors.js'
import type {
  ChangeKind,
  ChangeState,
  DecisionWord,
  EffectiveRule,
  Hex16,
  Hex32,
  Id,
  Ms,
  Path,
  Revision,
} from '../approval/index.js'
import type { Envelope } from '../signing/index.js'
import type { Activation, EntryContent, MachineEvent } from './events.js'

export interface EntryView {
  readonly path: Path
  readonly content: EntryContent
  readonly createRevision: Revision
  readonly modRevision: Revision
  /** Empty for what genesis wrote. */
  readonly changeId: Hex16 | ''
  /** Of a path `/sys/keys/<keyId>`. */
  readonly key?: KeyStanding
}

/** What the state machine keeps of a key beside its document; times are log time. */
export interface KeyStanding {
  /** `pending`: it has not acknowledged the log. `waiting`: its cool-off is not over. */
  readonly state: 'pending' | 'waiting' | 'active' | 'revoked'
  /** Absent for a key of genesis, and until the first Tick after the registration. */
  readonly registeredAt?: Ms
  readonly acknowledgedAt?: Ms
  /** Its approvals count in changes opened from then on; absent as `registeredAt` is. */
  readonly countsFrom?: Ms
}

/** One past write of a path. */
export interface HistoryView {
  readonly path: Path
  readonly modRevision: Revision
  readonly previousModRevision: Revision
  readonly at: Ms
  readonly changeId: Hex16 | ''
  readonly title: string
  readonly author: Id | ''
  readonly approvers: readonly Id[]
  readonly content: EntryContent | { readonly kind: 'deleted' }
}

export interface RevisionView {
  readonly revision: number
  readonly contentDigest: Hex32
  readonly author: Id
  readonly index: Revision
  readonly at: Ms
  readonly superseded: boolean
  readonly envelope: Envelope
  /** Detached parts as they came: canonical JSON `{salt, value}`. */
  readonly detached: readonly Uint8Array[]
}

export interface DecisionView {
  readonly person: Id
  readonly decision: DecisionWord
  readonly revision: number
  readonly seq: number
  readonly index: Revision
  readonly at: Ms
  readonly messageDigest: Hex32
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
  /** It is the person's latest decision and fills, or may fill, a seat now. */
  readonly counts: boolean
  /** Why it does not count. */
  readonly whyNot?: Refusal
}

export interface SeatView {
  readonly policy: Id
  readonly rule: Id
  readonly line: number
  readonly group: Id
  readonly filledBy?: Id
  /** Who could fill an empty seat now; empty when filled. */
  readonly candidates: readonly Id[]
}

/** Why a change is where it is, and who can move it. */
export interface Explanation {
  /** In the order of the guard; empty when nothing stands in the way. */
  readonly blocked: readonly Refusal[]
  readonly seats: readonly SeatView[]
  readonly floor: { readonly need: number; readonly have: number; readonly by: readonly Id[] }
  /** Who may veto, withdraw; what happens next by itself and when (log time). */
  readonly mayWithdraw: readonly Id[]
  readonly next?: { readonly at: Ms; readonly what: 'opens' | 'expires' | 'activates' }
}

export interface ChangeSummary {
  readonly changeId: Hex16
  readonly kind: ChangeKind
  readonly state: ChangeState
  readonly title: string
  readonly author: Id
  readonly sponsor?: Id
  readonly revision: number
  readonly contentDigest: Hex32
  readonly paths: readonly Path[]
  readonly openedAt: Ms
  /** Log index of revision 1; orders and pages the list. */
  readonly openedIndex: Revision
  /** Log index of the last entry that touched it. */
  readonly updatedIndex: Revision
  readonly approvals: number
  readonly activatedIndex?: Revision
}

export interface ChangeView extends ChangeSummary {
  readonly rulesDigest: Hex32
  readonly rules: readonly EffectiveRule[]
  readonly riskDigest: Hex32 | 'none'
  readonly revisions: readonly RevisionView[]
  readonly decisions: readonly DecisionView[]
  readonly openDeadline?: Ms
  readonly useDeadline?: Ms
  readonly approvedAt?: Ms
  readonly closed?: { readonly at: Ms; readonly index: Revision; readonly reason?: Refusal }
  readonly activation?: Activation
  readonly explanation: Explanation
  /** Next `seq` that the asker may use on this change; for the person named in the query. */
  readonly nextSeq: number
}

export interface DiffView {
  readonly path: Path
  readonly modRevision: Revision
  readonly before?: EntryContent
  readonly after?: EntryContent
}

/** The same checks without a write (gRPC Preview). */
export interface PreviewView {
  readonly result:
    { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly refusal: Refusal }
  readonly diff: readonly DiffView[]
  readonly rules: readonly EffectiveRule[]
  readonly rulesDigest: Hex32
  readonly explanation?: Explanation
  readonly events: readonly MachineEvent[]
}

export interface MachineStatus {
  readonly clusterId: Hex32
  readonly clusterName: string
  readonly featureLevel: number
  readonly logTime: Ms
  readonly appliedIndex: Revision
  /** 32 bytes hex; equal on every node at an equal index. */
  readonly stateDigest: Hex32
  readonly changesByState: Readonly<Record<ChangeState, number>>
  readonly refusals: number
  readonly noise: number
}

/** A node as the governed documents have it. */
export interface NodeMember {
  readonly id: Id
  /** host:port of the peer protocol. */
  readonly address: string
  readonly role: 'voter' | 'learner'
  readonly incarnation: Hex16
  /** Raw Ed25519 key that signs stamps. */
  readonly nodeKey: Uint8Array
}

/** Who the cluster's nodes are by its approved documents; Raft follows with its configuration. */
export interface Membership {
  /** Log index of the last change under `/sys/nodes/`, deletions too; 1 for genesis. */
  readonly revision: Revision
  /** By id. */
  readonly nodes: readonly NodeMember[]
  /** Used ids that are gone, sorted; never given away again. Empty at feature level 1. */
  readonly removed: readonly Id[]
  /**
   * The same as their last documents had them, by id: Raft's configuration holds them for a while
   * longer, and a node that starts in between must find them.
   */
  readonly departed: readonly Pick<NodeMember, 'id' | 'address' | 'incarnation'>[]
}

/** What the clock needs to know: is anything timed pending, and when is the next deadline. */
export interface TimedPending {
  readonly pending: boolean
  /** A new key's age, or a deadline, starts at the next Tick. */
  readonly startsWait: boolean
  readonly next?: Ms
}
