/**
 * The words of approval: signed bodies, people, keys, groups, policies, genesis. Shapes are exact:
 * an absent optional field is left out, unknown fields are refused, sets are sorted by code units.
 *
 * Units: `Ms` is log time in milliseconds since the Unix epoch; `Revision` is a log index.
 */
import type { Json } from '../signing/index.js'

export type Ms = number
export type Revision = number
/** `[a-z0-9][a-z0-9-]{0,62}` */
export type Id = string
/** 32 bytes in lower-case hex. */
export type Hex32 = string
/** 16 bytes in lower-case hex. */
export type Hex16 = string
export type Path = string
export type Glob = string
/** `<integer><unit>` with d h m s in falling order, as written: `15m`, `8h30m`. */
export type Duration = string

// ---- signed bodies ------------------------------------------------------------------------

export type ChangeKind =
  'config' | 'policy' | 'identity' | 'schema' | 'node' | 'freeze' | 'rollback' | 'emergency'

interface Head {
  readonly v: 1
  readonly clusterId: Hex32
  readonly person: Id
  readonly keyId: Hex32
  readonly notAfter: Ms
}

export type Op =
  | { readonly action: 'put'; readonly path: Path; readonly value: Json; readonly schemaId?: Id }
  | {
      readonly action: 'put'
      readonly path: Path
      readonly detached: { readonly digest: Hex32; readonly size: number }
      readonly schemaId?: Id
    }
  | {
      readonly action: 'put'
      readonly path: Path
      readonly sealed: { readonly ciphertext: string; readonly keyReference: string }
    }
  | { readonly action: 'delete'; readonly path: Path }

export interface PathRevision {
  readonly path: Path
  readonly modRevision: Revision
}

export interface ProposeBody extends Head {
  readonly changeId: Hex16
  readonly revision: number
  readonly previousDigest?: Hex32
  readonly kind: ChangeKind
  readonly target?: { readonly changeId: Hex16; readonly contentDigest: Hex32 }
  readonly title: string
  readonly ops: readonly Op[]
  readonly base: readonly PathRevision[]
  readonly asserts?: readonly PathRevision[]
  readonly deploy?: {
    readonly repository: string
    readonly from: string
    readonly to: string
    readonly artifact?: Hex32
  }
  readonly stages?: readonly Json[]
  readonly dependsOn?: readonly Hex16[]
  readonly schedule?: { readonly notBefore: Ms }
  readonly activate?: 'auto' | 'manual'
  readonly open?: Duration
  readonly use?: Duration
  readonly rollback?: {
    readonly plan: 'inverse' | 'ops' | 'none'
    readonly ops?: readonly Op[]
    readonly triggers?: readonly Id[]
    readonly until?: Duration
  }
  readonly rationaleDigest?: Hex32
  readonly sponsor?: Id
  readonly provenance?: {
    readonly model: string
    readonly promptDigest: string
    readonly tool: string
  }
}

export type DecisionWord = 'approve' | 'reject' | 'revoke' | 'ratify'

export interface Seen {
  readonly size: number
  readonly root: Hex32
}

export interface DecisionBody extends Head {
  readonly decision: DecisionWord
  readonly changeId: Hex16
  readonly revision: number
  readonly contentDigest: Hex32
  readonly rulesDigest: Hex32
  readonly riskDigest: Hex32 | 'none'
  readonly seq: number
  readonly seen: Seen
  readonly commentDigest?: Hex32
}

/** Types `withdraw` and `activate`. */
export interface ActionBody extends Head {
  readonly changeId: Hex16
  readonly revision: number
  readonly contentDigest: Hex32
  readonly seq: number
  readonly commentDigest?: Hex32
}

export interface AckBody extends Head {
  readonly seen: Seen
}

/** Signed by a node key; `node` and the node's key stand where a person's would. */
export interface StampBody {
  readonly v: 1
  readonly clusterId: Hex32
  readonly node: Id
  readonly keyId: Hex32
  readonly notAfter: Ms
  readonly ms: Ms
  readonly lastIndex: Revision
}

// ---- governed documents -------------------------------------------------------------------

export type PersonKind = 'human' | 'agent' | 'service'

export interface Person {
  readonly id: Id
  readonly kind: PersonKind
  readonly displayName: string
  readonly status: 'active' | 'suspended' | 'removed'
  readonly sponsor?: Id
  readonly node?: Id
  readonly scope?: readonly Glob[]
  readonly quota?: { readonly open: number; readonly perDay: number }
}

export type KeyUse = 'propose' | 'approve' | 'detect' | 'analyse'

export interface PersonKey {
  readonly keyId: Hex32
  readonly person: Id
  readonly algorithm: 'ed25519'
  /** SPKI DER in standard base64. */
  readonly publicKey: string
  readonly uses: readonly KeyUse[]
  /** An `ack` by the key itself, as a DSSE JSON envelope: possession. Absent for genesis keys. */
  readonly proof?: Json
  readonly status: 'active' | 'revoked'
}

export interface Group {
  readonly name: Id
  readonly purpose: string
  readonly members: readonly Id[]
}

export type RuleKind = 'ordinary' | 'rollback' | 'emergency'
export type Tier = 'low' | 'medium' | 'high'

export interface Line {
  readonly count: number
  readonly group: Id
}

export interface Window {
  readonly days: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[]
  readonly from: Duration
  readonly to: Duration
}

export interface Rule {
  readonly id: Id
  readonly note?: string
  readonly kind?: RuleKind
  readonly paths: readonly Glob[]
  readonly propose?: { readonly groups: readonly Id[]; readonly agents?: 'never' | 'sponsored' }
  readonly need?: readonly Line[]
  readonly veto?: readonly Line[]
  readonly distinct?: 'rule' | 'global'
  readonly risk?: {
    readonly medium?: { readonly need: readonly Line[] }
    readonly high?: { readonly need: readonly Line[] }
  }
  readonly windows?: readonly Window[]
  readonly open?: Duration
  readonly use?: Duration
  readonly weakeningDelay?: Duration
  readonly bake?: { readonly for: Duration; readonly watch?: readonly Id[] }
  readonly rollback?:
    | { readonly plan: 'none' }
    | { readonly plan: 'inverse'; readonly by: readonly Line[]; readonly freeze?: Duration }
  readonly ttl?: Duration
  readonly ratify?: {
    readonly need: readonly Line[]
    readonly within: Duration
    readonly else: 'inverse'
  }
}

export interface PolicyDocument {
  readonly format: 1
  readonly rules: readonly Rule[]
}

export interface Freeze {
  readonly paths: readonly Glob[]
  readonly from: Ms
  readonly until: Ms
  readonly stops?: readonly RuleKind[]
  readonly reason: string
}

export interface GenesisNode {
  readonly id: Id
  readonly owner: string
  /** host:port of the peer protocol. */
  readonly address: string
  readonly role: 'voter' | 'learner'
  readonly incarnation: Hex16
  /** SPKI DER in base64, all three different and none a person's. */
  readonly nodeKey: string
  readonly logKey: string
  readonly cosignerKey: string
}

export interface Genesis {
  readonly format: 1
  readonly name: string
  readonly createdAt: Ms
  readonly featureLevel: number
  /** Documents by id or name, sorted by it. */
  readonly people: readonly Person[]
  readonly keys: readonly PersonKey[]
  readonly groups: readonly Group[]
  readonly policies: readonly { readonly name: Id; readonly document: PolicyDocument }[]
  readonly schemas: readonly Json[]
  readonly nodes: readonly GenesisNode[]
  readonly floor: {
    readonly config: number
    readonly sys: number
    readonly lowRisk: readonly Glob[]
  }
  readonly coolOff: Duration
  readonly riskTimeout: Duration
  readonly agreementWindow: Duration
  readonly defaults: { readonly open: Duration; readonly use: Duration }
  readonly lifeMax: Duration
  readonly limits: {
    readonly openChanges: number
    readonly openChangesPerPerson: number
    readonly revisionsPerChange: number
  }
}

/** A rule that binds a change, with the policy that holds it. */
export interface EffectiveRule {
  readonly policy: Id
  readonly rule: Rule
}

export type ChangeState =
  | 'OPEN'
  | 'APPROVED'
  | 'ACTIVE'
  | 'REJECTED'
  | 'WITHDRAWN'
  | 'EXPIRED'
  | 'STALE'
  | 'SUPERSEDED'
  | 'VOIDED'
