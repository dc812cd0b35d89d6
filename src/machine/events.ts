/** What one entry did, in order. Step by step the same on every node; refusals among them. */
import type { ErrorCode, Refusal } from '../errors.js'
import type {
  ChangeState,
  DecisionWord,
  Hex16,
  Hex32,
  Id,
  Ms,
  Path,
  Revision,
} from '../approval/index.js'
import type { Json } from '../signing/index.js'

/** One path of an activation, as watchers get it. */
export interface WrittenPath {
  readonly path: Path
  readonly modRevision: Revision
  /** 0: the path did not exist before. */
  readonly previousModRevision: Revision
  readonly createRevision: Revision
  readonly content: EntryContent | { readonly kind: 'deleted' }
}

/** What stands at a path. A detached value is held by digest; `value` is there while it is kept. */
export type EntryContent =
  | { readonly kind: 'value'; readonly value: Json }
  | {
      readonly kind: 'detached'
      readonly digest: Hex32
      readonly size: number
      readonly value: Json
    }
  | { readonly kind: 'sealed'; readonly ciphertext: string; readonly keyReference: string }

export interface CountedApproval {
  readonly person: Id
  readonly keyId: Hex32
  readonly messageDigest: Hex32
  readonly seats: readonly { readonly policy: Id; readonly rule: Id; readonly line: number }[]
}

export interface Activation {
  readonly changeId: Hex16
  readonly revision: number
  readonly contentDigest: Hex32
  readonly index: Revision
  readonly at: Ms
  readonly mode: 'auto' | 'manual' | 'tick'
  readonly rulesDigest: Hex32
  readonly riskDigest: Hex32 | 'none'
  readonly tier: 'low' | 'medium' | 'high' | 'none'
  readonly weakening: 'yes' | 'no'
  readonly counted: readonly CountedApproval[]
  readonly written: readonly {
    readonly path: Path
    readonly modRevision: Revision
    readonly previousModRevision: Revision
  }[]
}

export type MachineEvent =
  | {
      readonly kind: 'proposed'
      readonly changeId: Hex16
      readonly revision: number
      readonly contentDigest: Hex32
      readonly person: Id
      readonly title: string
    }
  | { readonly kind: 'revisionSuperseded'; readonly changeId: Hex16; readonly revision: number }
  | {
      readonly kind: 'decided'
      readonly changeId: Hex16
      readonly revision: number
      readonly decision: DecisionWord
      readonly person: Id
    }
  | {
      readonly kind: 'stateChanged'
      readonly changeId: Hex16
      readonly from: ChangeState
      readonly to: ChangeState
      /** Why, where a code says it: STALE_BASE, EXPIRED, RULES_CHANGED, ... */
      readonly code?: ErrorCode
      readonly message?: string
    }
  | {
      readonly kind: 'activated'
      readonly activation: Activation
      readonly written: readonly WrittenPath[]
    }
  | { readonly kind: 'acknowledged'; readonly person: Id; readonly keyId: Hex32 }
  | { readonly kind: 'timeAdvanced'; readonly ms: Ms }
  /** An attempt that was really signed and was refused: check 7 or a later one. Audited. */
  | {
      readonly kind: 'refused'
      readonly person: Id
      readonly messageDigest: Hex32
      readonly changeId?: Hex16
      readonly refusal: Refusal
    }
  /** Noise that stands in the log all the same: counted, and the leader stands accused. */
  | { readonly kind: 'noise'; readonly refusal: Refusal; readonly accusedTerm: number }

/** Answer to the caller. Refused noise and a refused attempt look the same here. */
export type CommandResult =
  | {
      readonly kind: 'accepted'
      readonly changeId?: Hex16
      readonly revision?: number
      readonly state?: ChangeState
      /** Index of the entry that first carried this message. */
      readonly index: Revision
      /** Set when this very entry (or, for a retry, the first one) activated the change. */
      readonly activatedAt?: Revision
      /** The same message was seen before; this is its first result. */
      readonly repeated: boolean
    }
  | {
      readonly kind: 'refused'
      readonly refusal: Refusal
      readonly index: Revision
      readonly repeated: boolean
    }
