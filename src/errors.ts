/**
 * The table of stable error codes. A code is API: it is never renamed, and a retired one stays
 * listed and is not used again. docs/errors.md mirrors this table and a test holds both together.
 *
 * Statuses are names, so that this file imports nothing; each adapter maps them to its library.
 * Exit codes of the CLI: 2 usage or input, 3 malformed message, 4 refused by the state of the
 * cluster, 5 not authenticated or not allowed, 6 not found, 7 limit reached, 8 not available now
 * (try again), 9 evidence of damage or fork, 70 internal, 130 cancelled.
 */
export type GrpcStatusName =
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'OUT_OF_RANGE'
  | 'CANCELLED'
  | 'INTERNAL'

export interface ErrorRow {
  readonly grpc: GrpcStatusName
  readonly http: number
  /** Exit code of the CLI. */
  readonly exit: number
  /** The same bytes may be sent again without another decision by a person. */
  readonly retryable: boolean
  /** What is wrong and what to do. */
  readonly sentence: string
}

export const errorTable = {
  NON_CANONICAL: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence:
      'The signed body is not canonical JSON (RFC 8785). Encode it canonically and sign again.',
  },
  BAD_TYPE: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence:
      'The payload type is unknown or does not fit the call. Use the type that belongs to this message.',
  },
  VALUE_NOT_CANONICAL: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence:
      'A value is outside I-JSON: numbers up to 2^53-1, no lone surrogates, no duplicate names, depth at most 32.',
  },
  TOO_LARGE: {
    grpc: 'INVALID_ARGUMENT',
    http: 413,
    exit: 3,
    retryable: false,
    sentence: 'The message is over a documented limit. Make it smaller or split the change.',
  },
  BODY_INVALID: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence:
      'A field is missing, unknown or out of range. Correct the named field and sign again.',
  },
  KIND_MISMATCH: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence: 'The paths belong to another kind, or to several kinds. Split the change by kind.',
  },
  WRONG_CLUSTER: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 3,
    retryable: false,
    sentence:
      'The message was signed for another cluster. Sign it for the cluster that you are talking to.',
  },
  FEATURE_LEVEL: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The cluster has not committed the feature level that this needs. Raise /sys/cluster/featureLevel first.',
  },
  LEVEL_UNSUPPORTED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'Not every member is known to know the feature level. Upgrade and start the nodes that the message names, or remove them, then send it again.',
  },
  UNKNOWN_KEY: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence:
      'No person of this cluster owns the signing key. Register the key with an identity change.',
  },
  KEY_REVOKED: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence: 'The signing key has been revoked. Sign with an active key.',
  },
  KEY_PENDING: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence: 'The key has not acknowledged the log yet. Run `countersign key ack` with it.',
  },
  KEY_TOO_NEW: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence:
      'The key was registered too late to approve this change. Approve with an older key, or propose again later.',
  },
  KEY_USE: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence: 'The key is not registered for this use. Sign with a key that has the use.',
  },
  BAD_SIGNATURE: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    exit: 5,
    retryable: false,
    sentence:
      'The signature does not verify over exactly these bytes. Sign the bytes that you send.',
  },
  PERSON_INACTIVE: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence: 'The person is suspended or removed. Another person must act.',
  },
  NOT_IN_GROUP: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence:
      'The person holds no group that this action asks for. Ask a member of the named groups.',
  },
  SELF_APPROVAL: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence: 'An author or sponsor of the change cannot approve it. Ask somebody else.',
  },
  AGENT_CANNOT_APPROVE: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence: 'Only humans approve. Ask a human approver.',
  },
  AUTHOR_NOT_ALLOWED: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence:
      'No rule lets this author propose on the named path. Ask somebody whom the policy names.',
  },
  UNKNOWN_CHANGE: {
    grpc: 'NOT_FOUND',
    http: 404,
    exit: 6,
    retryable: false,
    sentence: 'There is no such change. Check the id with `countersign changes`.',
  },
  UNKNOWN_PATH: {
    grpc: 'NOT_FOUND',
    http: 404,
    exit: 6,
    retryable: false,
    sentence: 'Nothing is set at this path. Check it with `countersign list`.',
  },
  REPLAYED: {
    grpc: 'ALREADY_EXISTS',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'An older or equal sequence number was used already. Sign again with the next one.',
  },
  WRONG_REVISION: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The change has a newer revision. Look at it and decide again.',
  },
  CONTENT_MISMATCH: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The content digest is not that of the revision. Look at the change again.',
  },
  RULES_CHANGED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The rules that bind this change have changed. Look again and sign the new rules digest.',
  },
  RISK_CHANGED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The risk report has changed. Look again and sign the new risk digest.',
  },
  SEEN_TOO_OLD: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The pinned log head is no longer kept. Refresh and sign again.',
  },
  SEEN_UNKNOWN: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The pinned log head is not certified here. Refresh and sign again.',
  },
  STALE_BASE: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'A path has moved since the change was written. Propose it anew on the current base: `countersign propose --like CHANGE`.',
  },
  NOTHING_TO_DELETE: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The change deletes a path that does not exist. Leave that operation out, or look at the path: `countersign list`.',
  },
  NODE_ID_USED: {
    grpc: 'ALREADY_EXISTS',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The node id was used before. Choose a new id: `countersign node add NEW` or `countersign node replace OLD --with NEW`.',
  },
  NODE_IDENTITY: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'Incarnation and keys of a node never change and are never used again. Replace the node: `countersign node replace OLD --with NEW`.',
  },
  NODE_KEY_USED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The key belongs to a person or to another node. Make new keys: `countersign node add`.',
  },
  VOTERS_UNSAFE: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The voters after this change could not go on. Keep 1 to 9 voters, most of them nodes of today; add others as learners first.',
  },
  ASSERT_FAILED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A path that the change relies on has moved. Look at it and revise the change.',
  },
  DEP_NOT_READY: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A change that this one depends on is not active yet. Wait for it.',
  },
  OVERLAPS_BAKE: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'An overlapping change is still in its bake. Wait until it is over.',
  },
  ROLLBACK_CONFLICT: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'A later write stands on the paths to roll back. Propose a change that says what is wanted now.',
  },
  GRANT_USED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The rollback grant has been used. Propose a rollback change.',
  },
  SCHEMA_INVALID: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A value does not pass the schema in force. Correct the value.',
  },
  POLICY_BELOW_FLOOR: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A rule asks for fewer approvers than the floor of genesis. Add seats.',
  },
  POLICY_UNSATISFIABLE: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'Nobody could satisfy the policy. Change the named rule or the members of its groups.',
  },
  WOULD_STRAND_QUORUM: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'After this change a rule could not be satisfied any more. Replace the person or key in the same change.',
  },
  OUTSIDE_WINDOW: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'No window of the matching rules is open. Wait for the next opening.',
  },
  FROZEN: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A freeze covers a path of this change. Wait until it ends.',
  },
  EXPIRED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'A deadline has passed. Sign again, or propose again.',
  },
  NOT_OPEN: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The change is closed. Propose a new one.',
  },
  TRANSFER_FAILED: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence: 'Leadership was not handed over in time. Look at `countersign status` and try again.',
  },
  NOT_APPROVED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'The change lacks approvals. `countersign show` names the missing seats.',
  },
  TRANSITION_NOT_ALLOWED: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    exit: 4,
    retryable: false,
    sentence:
      'The state of the change, or of the key, does not allow this. `countersign show` or `countersign people` says what is possible.',
  },
  RATE_LIMITED: {
    grpc: 'RESOURCE_EXHAUSTED',
    http: 429,
    exit: 7,
    retryable: true,
    sentence: 'Too many requests. Wait for the named time.',
  },
  QUOTA_EXCEEDED: {
    grpc: 'RESOURCE_EXHAUSTED',
    http: 429,
    exit: 7,
    retryable: false,
    sentence: 'A quota is used up. Close open changes, or wait.',
  },
  BUSY: {
    grpc: 'RESOURCE_EXHAUSTED',
    http: 429,
    exit: 7,
    retryable: true,
    sentence:
      'The node has too much work in flight; nothing was written. Send the same bytes again in a moment.',
  },
  SLOW_WATCHER: {
    grpc: 'RESOURCE_EXHAUSTED',
    http: 429,
    exit: 7,
    retryable: true,
    sentence:
      'The watcher did not read and was cut off. Resume after the last revision that you have.',
  },
  FORK_EVIDENCE: {
    grpc: 'DATA_LOSS',
    http: 500,
    exit: 9,
    retryable: false,
    sentence:
      'The pinned log head is not in this log: somebody has shown two histories. Stop and investigate.',
  },
  NOT_LEADER: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence: 'This node is not the leader. Follow the hint, or try another node.',
  },
  NO_QUORUM: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence:
      'No majority of nodes answers. Read again; of a command the outcome is unknown: send the same bytes again.',
  },
  UNKNOWN_OUTCOME: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence:
      'The answer was lost; the command may or may not be committed. Send the same bytes again: it is applied once.',
  },
  UNCERTIFIED: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence: 'No majority of nodes has cosigned this yet. Try again.',
  },
  UNWITNESSED: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence:
      'No external witness has cosigned this. Ask for the node-certified level, or try again.',
  },
  NODE_STOPPING: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence: 'The node is shutting down. Try another node.',
  },
  NODE_STARTING: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence: 'The node has not caught up yet. Try again in a moment, or try another node.',
  },
  NODES_ENDED: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: false,
    sentence: 'Every local node has ended by itself. Its log says why; mend that and start again.',
  },
  UNREACHABLE: {
    grpc: 'UNAVAILABLE',
    http: 503,
    exit: 8,
    retryable: true,
    sentence:
      'No node answered at the given addresses. Check that the cluster runs and the addresses are right.',
  },
  CERTIFICATE_MISFIT: {
    grpc: 'UNAUTHENTICATED',
    http: 502,
    exit: 5,
    retryable: false,
    sentence:
      'The certificate of the node does not fit: `ca.pem` is not of this cluster, or the port is not the client port. Check `--dir` and the addresses.',
  },
  COMPACTED: {
    grpc: 'OUT_OF_RANGE',
    http: 410,
    exit: 6,
    retryable: false,
    sentence:
      'The revision is no longer kept. Take a snapshot at the current revision and resume after it.',
  },
  MALFORMED_REQUEST: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 2,
    retryable: false,
    sentence: 'The request cannot be decoded. Check the client against proto/countersign/v1.',
  },
  UNKNOWN_ROUTE: {
    grpc: 'NOT_FOUND',
    http: 404,
    exit: 6,
    retryable: false,
    sentence: 'The status endpoint has no such resource. The answer lists those that exist.',
  },
  PEER_REFUSED: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    exit: 5,
    retryable: false,
    sentence:
      'The peer is not who it says it is. Check cluster id, node id, incarnation and certificate.',
  },
  FETCH_GONE: {
    grpc: 'NOT_FOUND',
    http: 404,
    exit: 6,
    retryable: true,
    sentence:
      'The peer does not hold what was fetched from it. Ask another peer, or for a newer one.',
  },
  NODE_REMOVED: {
    grpc: 'FAILED_PRECONDITION',
    http: 410,
    exit: 4,
    retryable: false,
    sentence:
      'The node was removed from the cluster and its id is not used again. Stop it; add a new node with a new id.',
  },
  CONFIG_INVALID: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 2,
    retryable: false,
    sentence:
      'The configuration is not valid. Correct the named key; docs/configuration.md lists them all.',
  },
  NO_IDENTITY: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence:
      'The data directory holds no node identity, and a node never makes one itself. Mount its own directory; a member whose disk is lost is replaced: `countersign node replace OLD --with NEW`. Only a new cluster begins with `countersign init`.',
  },
  IDENTITY_MISMATCH: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence:
      'The data directory belongs to another node, incarnation or cluster. Point the node at its own directory.',
  },
  FETCHED_DAMAGED: {
    grpc: 'DATA_LOSS',
    http: 500,
    exit: 9,
    retryable: true,
    sentence:
      'What a peer sent does not fit its digest. Nothing of it was kept; another peer is asked.',
  },
  GUARD_LOST: {
    grpc: 'DATA_LOSS',
    http: 500,
    exit: 9,
    retryable: false,
    sentence:
      'The node no longer knows what it voted, so it cannot take part under this identity again. Replace it with `countersign node replace`.',
  },
  STORE_DAMAGED: {
    grpc: 'DATA_LOSS',
    http: 500,
    exit: 9,
    retryable: false,
    sentence:
      'A stored record fails its check. The node does not start; keep the directory and see docs/operating.md.',
  },
  STORE_LOCKED: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence: 'Another process has the data directory open. Stop that process first.',
  },
  STORE_FAILED: {
    grpc: 'UNAVAILABLE',
    http: 500,
    exit: 8,
    retryable: false,
    sentence: 'A write to disk failed. The node stops; check disk and space, then start it again.',
  },
  DISK_FULL: {
    grpc: 'RESOURCE_EXHAUSTED',
    http: 507,
    exit: 7,
    retryable: false,
    sentence: 'The disk is full. Free space, then start the node again.',
  },
  VERSION_UNKNOWN: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence: 'The log was written by a newer build. Start this node with that build.',
  },
  ALREADY_INITIALISED: {
    grpc: 'ALREADY_EXISTS',
    http: 409,
    exit: 4,
    retryable: false,
    sentence: 'There is cluster material in this directory already. Choose another directory.',
  },
  GENESIS_INVALID: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence: 'The genesis document is not valid. Correct what the message names.',
  },
  KEY_FILE: {
    grpc: 'FAILED_PRECONDITION',
    http: 500,
    exit: 4,
    retryable: false,
    sentence: 'The key file cannot be used. Check its path, mode (0600) and passphrase.',
  },
  INPUT_INVALID: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 2,
    retryable: false,
    sentence: 'The input is not valid. Correct what the message names.',
  },
  USAGE: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    exit: 2,
    retryable: false,
    sentence: 'The command line is not valid. See `countersign help`.',
  },
  CANCELLED: {
    grpc: 'CANCELLED',
    http: 499,
    exit: 130,
    retryable: false,
    sentence: 'The call was cancelled before it ended.',
  },
  INTERNAL: {
    grpc: 'INTERNAL',
    http: 500,
    exit: 70,
    retryable: false,
    sentence: 'Something unexpected happened. The log of the node has the details.',
  },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

export const errorCodes: readonly ErrorCode[] = Object.keys(errorTable) as ErrorCode[]

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text)
}

/** Facts that travel with an error: JSON, shown to people and given to machines as they are. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** A refusal as data: an expected outcome of the state machine. Never thrown inside pure rooms. */
export interface Refusal {
  readonly code: ErrorCode
  /** One sentence with the particulars: which field, which path, who can help. */
  readonly message: string
  readonly details?: ErrorDetails
}

export function refusal(code: ErrorCode, message: string, details?: ErrorDetails): Refusal {
  return details === undefined ? { code, message } : { code, message, details }
}

/** An operating failure, or a refusal on its way out of an adapter. */
export class CountersignError extends Error {
  override readonly name = 'CountersignError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  /** Normalises anything that was thrown; an unknown value becomes INTERNAL with its cause kept. */
  static from(thrown: unknown): CountersignError {
    if (thrown instanceof CountersignError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new CountersignError('INTERNAL', message, { cause: thrown })
  }

  static fromRefusal(refused: Refusal): CountersignError {
    return new CountersignError(
      refused.code,
      refused.message,
      refused.details === undefined ? {} : { details: refused.details },
    )
  }
}
