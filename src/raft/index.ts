/**
 * The consensus core: pure, synchronous, one event in, one batch of effects out.
 *
 * Numbers of sections and figures in this room are those of D. Ongaro's dissertation, "Consensus:
 * Bridging Theory and Practice" (2014).
 */
export { Raft } from './raft.js'
export { logIndex, term } from './types.js'
export { decodeConfiguration } from './membership/codec.js'
export {
  configurationOf,
  foundingSnapshot,
  isJoint,
  membersOf,
  origin,
  votersOf,
} from './membership/configuration.js'
export type {
  Append,
  AppendReply,
  Configuration,
  ConfigurationInForce,
  Entry,
  EntryKind,
  Event,
  HardState,
  Heartbeat,
  HeartbeatReply,
  Leadership,
  LogAnchor,
  LogIndex,
  MembershipOutcome,
  Message,
  NodeId,
  Output,
  PeerStatus,
  PersistEffect,
  PreVote,
  PreVoteReply,
  ProposalOutcome,
  RaftLimits,
  RaftOptions,
  RaftStatus,
  ReadOutcome,
  ReplyMessage,
  RequestMessage,
  Role,
  SnapshotMeta,
  SnapshotOffer,
  Term,
  TimeoutNow,
  TraceEvent,
  Vote,
  VoteReply,
} from './types.js'

// For whoever runs the safety checks beside the node: tests, and a tripwire in production.
export { InvariantChecker } from './invariants.js'
export type { RaftFacts } from './invariants.js'
