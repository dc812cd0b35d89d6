/** Every metric of our own, by name. docs/metrics.md is made from this list. */
export interface MetricRow {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

const gauge = (name: string, help: string, labels: readonly string[] = []): MetricRow => ({
  name,
  type: 'gauge',
  help,
  labels,
})

const counter = (name: string, help: string, labels: readonly string[] = []): MetricRow => ({
  name,
  type: 'counter',
  help,
  labels,
})

const histogram = (name: string, help: string): MetricRow => ({
  name,
  type: 'histogram',
  help,
  labels: [],
})

/** Upper bounds of the buckets of every latency, in seconds: from a fast disk to a lost second. */
export const latencyBuckets = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
] as const

export const metricCatalogue = {
  buildInfo: gauge(
    'countersign_build_info',
    'Always 1; the labels say which build of which node.',
    ['version', 'node', 'cluster'],
  ),
  ready: gauge('countersign_ready', '1 when the node knows a leader and has caught up.'),
  loopBusy: counter(
    'countersign_loop_busy_seconds_total',
    'Time in which the loop of the process had work; its rate is the saturation, and 1 is full.',
  ),
  repairing: gauge(
    'countersign_repairing',
    '1 while the node repairs its log from the others; then only these, `ready` and the loop are told.',
  ),
  repairRounds: counter(
    'countersign_repair_rounds_total',
    'Rounds in which the others were asked for what is damaged.',
  ),
  repairMissing: gauge(
    'countersign_repair_missing_entries',
    'Entries that nobody could give in the latest round of the repair.',
  ),
  watchers: gauge('countersign_watchers', 'Clients that watch the configuration on this node.'),

  role: gauge('countersign_raft_role', '1 for the role that the node has, else 0.', ['role']),
  leaderKnown: gauge('countersign_raft_leader_known', '1 when a leader of this term is known.'),
  term: gauge('countersign_raft_term', 'Current term.'),
  lastIndex: gauge('countersign_raft_last_index', 'Last index of the log.'),
  firstIndex: gauge('countersign_raft_first_index', 'First index that the log still holds.'),
  logEntries: gauge('countersign_raft_log_entries', 'Entries that the log still holds.'),
  logBytes: gauge('countersign_raft_log_bytes', 'Payload bytes of the entries of the log.'),
  oldestLogAge: gauge(
    'countersign_raft_oldest_log_age_seconds',
    'How far back the log reaches at least, by the first Tick near its beginning; absent without one.',
  ),
  diskStalled: gauge(
    'countersign_disk_stalled',
    '1 while a write of the log has not come back for longer than an election timeout.',
  ),
  persist: histogram(
    'countersign_raft_persist_seconds',
    'Time of one write of the log, until it is durable on this disk.',
  ),
  commit: histogram(
    'countersign_raft_commit_seconds',
    'Time of an entry from the log of this leader until it is committed and durable here.',
  ),
  apply: histogram(
    'countersign_raft_apply_seconds',
    'Time of an entry from its commit until the state machine has applied it.',
  ),
  snapshotIndex: gauge('countersign_snapshot_index', 'Index of the newest snapshot; 0: none.'),
  snapshotBytes: gauge('countersign_snapshot_bytes', 'Bytes of the newest snapshot.'),
  snapshotFetched: gauge(
    'countersign_snapshot_fetched_bytes',
    'Bytes stored of the snapshot that is being fetched from a peer; 0 when none is.',
  ),
  snapshotSent: counter(
    'countersign_snapshot_sent_bytes_total',
    'Bytes of snapshots that peers fetched from this node.',
  ),
  lastRestore: gauge(
    'countersign_last_restore_seconds',
    'How long the last restore of the state from a snapshot took; 0 before the first.',
  ),
  members: gauge('countersign_raft_members', 'Members of the configuration in force.', ['role']),
  removed: gauge('countersign_removed', '1 when the cluster has given this node up.'),
  durableIndex: gauge('countersign_raft_durable_index', 'Last index that is safe on this disk.'),
  commitIndex: gauge('countersign_raft_commit_index', 'Last index known to be committed.'),
  appliedIndex: gauge(
    'countersign_raft_applied_index',
    'Last index that the state machine has applied.',
  ),
  uncommittedBytes: gauge(
    'countersign_raft_uncommitted_bytes',
    'Payload bytes that are not committed yet.',
  ),
  pendingReads: gauge(
    'countersign_raft_pending_reads',
    'Linearizable reads that wait for a majority.',
  ),
  electionsStarted: counter(
    'countersign_raft_elections_started_total',
    'Elections that this node started.',
  ),
  electionsWon: counter('countersign_raft_elections_won_total', 'Elections that this node won.'),
  electionsLost: counter(
    'countersign_raft_elections_lost_total',
    'Elections that this node started and did not win.',
  ),
  preVotesRefused: counter(
    'countersign_raft_pre_votes_refused_total',
    'Pre-votes that this node refused.',
  ),
  proposalsRefused: counter(
    'countersign_raft_proposals_refused_total',
    'Commands that this node did not put into the log: it did not lead, too many bytes or commands waited.',
    ['reason'],
  ),

  peerConnected: gauge('countersign_peer_connected', '1 when our stream to the peer stands.', [
    'peer',
  ]),
  peerLag: gauge(
    'countersign_peer_lag_entries',
    'Entries of the log that the peer is not known to hold. Only of a leader.',
    ['peer'],
  ),
  peerSilence: gauge(
    'countersign_peer_silent_seconds',
    'Time since the peer was last heard. Only of a leader.',
    ['peer'],
  ),
  peerState: gauge(
    'countersign_peer_state',
    '1 for how the log is sent to the peer: probe, replicate, or snapshot. Only of a leader.',
    ['peer', 'state'],
  ),
  peerMatch: gauge(
    'countersign_peer_match_index',
    'Last index that the peer is known to hold. Only of a leader.',
    ['peer'],
  ),
  peerNext: gauge(
    'countersign_peer_next_index',
    'Index of the entry that is sent to the peer next. Only of a leader.',
    ['peer'],
  ),
  peerCatchUpRounds: gauge(
    'countersign_peer_catch_up_rounds',
    'Catch-up rounds of a learner that shall be promoted. Only of a leader.',
    ['peer'],
  ),
  peerInflightMessages: gauge(
    'countersign_peer_inflight_messages',
    'Messages with entries sent to the peer and not acknowledged. Only of a leader.',
    ['peer'],
  ),
  peerInflightBytes: gauge(
    'countersign_peer_inflight_bytes',
    'Bytes sent to the peer and not acknowledged. Only of a leader.',
    ['peer'],
  ),

  changes: gauge('countersign_changes', 'Changes by state.', ['state']),
  featureLevel: gauge('countersign_feature_level', 'Feature level that the cluster has committed.'),
  logTime: gauge('countersign_log_time_seconds', 'Log time, seconds since the Unix epoch.'),
  refusals: counter(
    'countersign_refusals_total',
    'Authenticated attempts that were refused and recorded.',
  ),
  noise: counter(
    'countersign_noise_total',
    'Entries of the log that no known key has signed (noise); each accuses a leader.',
  ),
  appliedEntries: counter(
    'countersign_applied_entries_total',
    'Entries applied since the process started.',
  ),
  proposed: counter(
    'countersign_revisions_proposed_total',
    'Revisions proposed since the process started.',
  ),
  decided: counter('countersign_decisions_total', 'Decisions since the process started.', [
    'decision',
  ]),
  activated: counter(
    'countersign_activations_total',
    'Changes activated since the process started.',
  ),
  enteredState: counter(
    'countersign_changes_entered_total',
    'Changes that entered a state since the process started.',
    ['state'],
  ),
} as const satisfies Readonly<Record<string, MetricRow>>

export type MetricKey = keyof typeof metricCatalogue
