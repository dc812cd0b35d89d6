/** Requests and answers of `countersign.v1` as plain data, where no view of the machine says it. */
import type {
  ChangeSummary,
  ChangeView,
  Command,
  EntryView,
  HistoryView,
  PreviewView,
  WrittenPath,
} from '../machine/index.js'
import type { Refusal } from '../errors.js'

type Submit = Extract<Command, { kind: 'submit' }>

/** A signed message with the detached parts that it names by digest. */
export interface SignedMessage {
  readonly envelope: Submit['envelope']
  readonly detached: Submit['detached']
}

export type ChangeState = ChangeSummary['state']

export interface Accepted {
  readonly changeId?: string
  readonly revision?: number
  readonly state?: ChangeState
  readonly index: number
  readonly activatedAt?: number
  readonly repeated: boolean
}

export interface NumberedMessage {
  readonly number: number
  readonly message: SignedMessage
}

export interface NumberedAnswer {
  readonly number: number
  readonly result:
    | { readonly kind: 'accepted'; readonly accepted: Accepted }
    | { readonly kind: 'refused'; readonly refusal: Refusal }
}

export interface GetChangeRequest {
  readonly changeId: string
  readonly local: boolean
  /** Empty: nobody in particular. */
  readonly asker: string
}

export interface GetChangeResponse {
  readonly change: ChangeView
  readonly revision: number
}

export interface ListChangesRequest {
  /** Empty: all. Not judged yet. */
  readonly states: readonly string[]
  readonly prefix: string
  readonly author: string
  /** 0: the server's default. */
  readonly limit: number
  /** 0: from the newest. */
  readonly before: number
  readonly local: boolean
}

export interface ListChangesResponse {
  readonly changes: readonly ChangeSummary[]
  readonly revision: number
  /** 0: no more. */
  readonly next: number
}

export interface PreviewResponse {
  /** Of the events only `stateChanged` crosses the wire. */
  readonly preview: PreviewView
  readonly revision: number
}

export interface GetEntryRequest {
  readonly path: string
  readonly local: boolean
}

export interface GetEntryResponse {
  readonly entry: EntryView
  readonly revision: number
}

export interface ListEntriesRequest {
  readonly prefix: string
  readonly local: boolean
  /** 0: the server's default. */
  readonly limit: number
  /** Empty: from the start. */
  readonly after: string
}

export interface ListEntriesResponse {
  readonly entries: readonly EntryView[]
  readonly revision: number
  /** Empty: no more. */
  readonly next: string
}

export interface HistoryRequest {
  readonly path: string
  readonly local: boolean
  /** 0: the server's default. */
  readonly limit: number
  /** 0: from the newest. */
  readonly before: number
}

export interface HistoryResponse {
  readonly items: readonly HistoryView[]
  readonly revision: number
}

export interface WatchRequest {
  readonly prefix: string
  readonly afterRevision?: number
}

export type WatchResponse =
  | { readonly kind: 'started'; readonly revision: number }
  | { readonly kind: 'progress'; readonly revision: number }
  | {
      readonly kind: 'batch'
      readonly revision: number
      readonly at: number
      readonly changeId: string
      readonly written: readonly WrittenPath[]
      /** Another activation of the same revision follows. */
      readonly more: boolean
    }

/** One node as it sees itself. */
export interface StatusView {
  readonly nodeId: string
  readonly incarnation: string
  readonly clusterId: string
  readonly clusterName: string
  readonly version: string
  readonly ready: boolean
  readonly role: 'follower' | 'preCandidate' | 'candidate' | 'leader'
  readonly term: number
  readonly leaderId: string | null
  readonly leaderClientAddress: string | null
  readonly clientAddress: string
  readonly lastIndex: number
  readonly durableIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  /** Equal on every node at an equal applied index. */
  readonly stateDigest: string
  /** Log time, ms since the Unix epoch. */
  readonly logTime: number
  readonly featureLevel: number
  readonly voters: readonly string[]
  /** Only of a leader; empty otherwise. */
  readonly peers: readonly PeerStatusView[]
  readonly changesByState: Readonly<Partial<Record<ChangeState, number>>>
  readonly watchers: number
  /** Authenticated attempts that were refused and recorded. */
  readonly refusals: number
  /** Entries of the log that are noise (docs/approval-model.md). */
  readonly noise: number
  /** Index of the newest snapshot; 0 before the first. */
  readonly snapshotIndex: number
  /** First index that the log still holds. */
  readonly firstIndex: number
  /** The consensus configuration in force. */
  readonly members: readonly MemberView[]
  readonly configurationIndex: number
  readonly configurationCommitted: boolean
  /** The cluster has given this node up. */
  readonly removed: boolean
}

export interface MemberView {
  readonly nodeId: string
  /** `outgoing`: a voter that is being left while the configuration is joint. */
  readonly role: 'voter' | 'outgoing' | 'learner'
  readonly address: string
}

export interface PeerStatusView {
  readonly nodeId: string
  readonly state: 'probe' | 'replicate' | 'snapshot'
  readonly matchIndex: number
  readonly nextIndex: number
  /** Entries of the leader's log that this peer is not known to hold. */
  readonly lag: number
  readonly silentMs: number
  readonly connected: boolean
  /** False: a learner. */
  readonly votes: boolean
  /** Of a learner that shall be promoted. */
  readonly catchUpRounds: number
  /** Why it is not promoted yet; null: nothing lacks, or it is no such learner. */
  readonly waitsFor: 'silent' | 'round' | 'slow' | 'others' | 'majority' | null
  /** 0 before the first round is over; a round has to be shorter than `roundMsMax`. */
  readonly lastRoundMs: number
  readonly roundMsMax: number
}
