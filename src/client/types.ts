/**
 * What the client offers. Views are those of the state machine, decoded from the wire; every digest
 * that a person signs is computed here from raw bytes (messages.ts), never taken from a server.
 *
 * Every call rejects with CountersignError: `code` is stable (src/errors.ts), `message` says what to
 * do, `details` are facts for machines. UNREACHABLE names every address that was tried.
 */
import type { ChangeState, Hex16, Path, Revision } from '../approval/index.js'
import type { CountersignError } from '../errors.js'
import type {
  ChangeSummary,
  ChangeView,
  EntryView,
  HistoryView,
  PreviewView,
  WrittenPath,
} from '../machine/index.js'
import type { Envelope } from '../signing/index.js'
import type { StatusView } from '../wire/index.js'

export interface ConnectOptions {
  /** `host:port` of the client port of some nodes, best of all. The order is where it starts. */
  readonly addresses: readonly string[]
  /** PEM of the cluster's CA (ca.pem). Required unless `plaintext`. */
  readonly ca?: Uint8Array | string
  /** Without TLS. Refused for anything but loopback addresses. */
  readonly plaintext?: boolean
  /** Time for one call, retries included, in ms. Default 10 000. */
  readonly deadlineMs?: number
  /** Backoff between attempts, in ms; jittered and doubled each time. Default 10 to 1 000. */
  readonly backoffMs?: { readonly min: number; readonly max: number }
  /** Silence after which a watch leaves its node for another one, in ms. Default 15 000. */
  readonly watchSilenceMs?: number
}

export interface CallOptions {
  /** In ms, retries included; instead of the client's. */
  readonly deadlineMs?: number
  /** Aborting rejects with CANCELLED. */
  readonly signal?: AbortSignal
}

/** A signed message with the detached parts that it names: what every write sends. */
export interface SignedMessage {
  readonly envelope: Envelope
  readonly detached: readonly Uint8Array[]
}

/**
 * A message that the cluster has committed and accepted. A refusal rejects instead, with its code;
 * so does an unknown outcome: `outcomeOfRejection` tells the two apart.
 */
export interface SubmitResult {
  readonly changeId?: Hex16
  readonly revision?: number
  readonly state?: ChangeState
  /** Log index of the entry that first carried this message. */
  readonly index: Revision
  /** Log index at which the change took effect through this very message. */
  readonly activatedAt?: Revision
  /** The cluster had this message already; this is its first result. */
  readonly repeated: boolean
}

/** An answer and the log index of the state that it was read from. */
export interface Read<T> {
  readonly value: T
  readonly revision: Revision
}

export interface ReadOptions extends CallOptions {
  /** Answer from whichever node is asked, without the leader: quick, may be old. */
  readonly local?: boolean
}

export interface ChangesQuery extends ReadOptions {
  readonly states?: readonly ChangeState[]
  /** Only changes that touch this path or something below it. */
  readonly prefix?: string
  readonly author?: string
  /** Stop after so many; default: all there are. */
  readonly limit?: number
}

export interface HistoryQuery extends ReadOptions {
  /** Stop after so many; default: all there are. */
  readonly limit?: number
}

export interface WatchOptions {
  /** A path, or a prefix ending in `/`: everything below it. */
  readonly prefix: string
  /** Deliver activations after this revision; absent: from now on. */
  readonly afterRevision?: Revision
  readonly signal?: AbortSignal
}

/** Every activation that touches the prefix arrives in log order, none twice, none left out. */
export type WatchEvent =
  /** The watch stands: everything after `revision` will come. Again after each `resuming`. */
  | { readonly kind: 'started'; readonly revision: Revision; readonly address: string }
  | {
      readonly kind: 'batch'
      /** Log index of the activation. */
      readonly revision: Revision
      readonly at: number
      readonly changeId: Hex16
      readonly written: readonly WrittenPath[]
      /**
       * Another activation of the same revision follows: one entry of the log may activate several
       * changes. A revision is complete, and may be kept to resume after, when this is false.
       */
      readonly more: boolean
    }
  /** Nothing under the prefix happened up to this revision. */
  | { readonly kind: 'progress'; readonly revision: Revision }
  /** The stream broke; the watch goes on by itself with another node. */
  | { readonly kind: 'resuming'; readonly error: CountersignError }
  /**
   * The nodes no longer keep what follows the last revision (COMPACTED): this is all that stands
   * under the prefix now. Replace what you hold; deletions in between show only as absence.
   */
  | {
      readonly kind: 'snapshot'
      readonly revision: Revision
      readonly entries: readonly EntryView[]
      readonly reason: CountersignError
    }

/** Many messages on one stream, answered as they come. */
export interface SubmitStream {
  /**
   * Sends one message. Waits while too many are unanswered. Settles like the single call; when a
   * node fails, the same bytes go to the next leader.
   */
  submit(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  /** Waits for all answers, then closes the stream. */
  end(): Promise<void>
}

export interface CountersignClient {
  propose(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  /** approve, reject, revoke. */
  decide(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  withdraw(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  activate(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  acknowledge(message: SignedMessage, options?: CallOptions): Promise<SubmitResult>
  /** Messages of any type. Nothing is sent before the first `submit`. */
  proposeStream(): SubmitStream

  /**
   * The same checks and the resulting diff, without a write. Of the events of the state machine
   * only `stateChanged` crosses the wire.
   */
  preview(message: SignedMessage, options?: CallOptions): Promise<Read<PreviewView>>

  /** Rejects with UNKNOWN_CHANGE. `asker`: fill `nextSeq` for this person. */
  getChange(
    changeId: Hex16,
    options?: ReadOptions & { readonly asker?: string },
  ): Promise<Read<ChangeView>>
  /** Newest first; asks for further pages by itself. */
  listChanges(query?: ChangesQuery): Promise<Read<readonly ChangeSummary[]>>

  /** Rejects with UNKNOWN_PATH when nothing is set. */
  get(path: Path, options?: ReadOptions): Promise<Read<EntryView>>
  /**
   * By path; asks for further pages by itself. `revision` is that of the *first* page: a watch after
   * it misses nothing. Later pages may show activations after it already.
   */
  list(prefix: string, options?: ReadOptions): Promise<Read<readonly EntryView[]>>
  /** Newest first; asks for further pages by itself. */
  history(path: Path, query?: HistoryQuery): Promise<Read<readonly HistoryView[]>>
  /**
   * Begins with the first `next`; runs until `return` (leaving the loop), the signal, or an error
   * that no node can mend.
   */
  watch(options: WatchOptions): AsyncIterableIterator<WatchEvent>

  /** The view of one node: of `address`, else of the first that answers. Needs no leader. */
  status(address?: string, options?: CallOptions): Promise<StatusView>
  /** The configured addresses; `status` of each shows the cluster. */
  readonly addresses: readonly string[]

  /** Cuts connections, watches and pending calls (CANCELLED). */
  close(): void
}
