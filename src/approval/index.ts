/** People and their quorum: pure functions over signed bodies and governed documents. */
export type * from './types.js'
export { limits, defaultChangeLimits } from './limits.js'

// Signed bodies.
export { decodeBody, type SignedBody, type DecodedBody } from './bodies/decode-body.js'
export { featureLevelMax } from './bodies/features.js'
export { judgeKind, kindOfPath, systemPlace, type SystemPlace } from './bodies/kinds.js'

// Governed documents.
export { decodePolicy, type DecodedPolicy } from './documents/policy.js'
export {
  decodeDocument,
  decodeDocuments,
  type DecodedDocument,
  type GovernedDocument,
} from './documents/decode-document.js'
export {
  governedBy,
  overlay,
  holdsKey,
  isActiveHuman,
  isMember,
  membersOf,
  possibleApprovers,
  possibleAuthors,
  type Governed,
  type NamedPolicy,
} from './governed.js'

// Rules.
export {
  effectiveRules,
  matchPolicies,
  matchPolicy,
  rulesThatBind,
  rulesDigest,
  ruleKindOf,
  ruleMatches,
  type ChangeScope,
  type MatchedPolicies,
} from './rules/effective.js'
export { linesAt, seatsOf, type Seat } from './rules/seats.js'
export { matchRules, matchSeats, allFilled, type FilledSeat, type Holds } from './rules/matching.js'
export {
  floorOf,
  judgeQuorum,
  seatGroups,
  isVetoed,
  type Floor,
  type Quorum,
  type QuorumInput,
} from './rules/quorum.js'
export { judgeAuthor, authorSetOf, type AuthorInput } from './rules/author.js'

// Strings that are parsed.
export { isPath, isAtOrBelow, isSystemPath } from './forms/path.js'
export { isId } from './forms/text.js'
export { isAddress } from './forms/address.js'
export { parseGlob, globMatches, globsOverlap, type ParsedGlob } from './forms/glob.js'
export { parseDuration, durationMs, later } from './forms/duration.js'

// Genesis and the state after a change.
export { decodeGenesis, clusterIdOf, type DecodedGenesis } from './genesis.js'
export { judgeAfterState, type AfterWhat } from './rules/satisfiable.js'
export { judgeSuccession, type SuccessionInput } from './documents/succession.js'
export { isWeakening } from './rules/weakening.js'
export { judgeMembership, type MembershipInput, type UsedNode } from './documents/membership.js'
export { nodeKeyFields } from './documents/node.js'

// Time, and when a decision counts.
export { termsOf, type Terms } from './rules/terms.js'
export { nextOpening } from './rules/windows.js'
export { isFrozenBy } from './rules/freezes.js'
export {
  whyNotCounted,
  whyRejectNotCounted,
  whyNotEntitled,
  type ApprovalInput,
  type ApproverKey,
  type Current,
} from './rules/approvals.js'

// For editors and the CLI. Apply never asks the schema: the decoder above is what counts there.
export { policySchema, schemaFaults } from './documents/schema.js'
