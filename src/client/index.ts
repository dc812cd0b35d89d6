export { connect } from './client.js'
export {
  composeAck,
  composeAction,
  composeDecision,
  composePropose,
  sign,
  type AckInput,
  type ActionInput,
  type Composed,
  type DecisionInput,
  type ProposedOp,
  type ProposeInput,
} from './messages.js'
export { outcomeOfRejection, type SubmitOutcome } from './outcome.js'
export {
  diffOps,
  kindOfPaths,
  nextRevisionOf,
  openComment,
  openRevision,
  readCurrent,
  type CurrentEntries,
  type OpenedRevision,
} from './raw.js'
export type {
  CallOptions,
  ChangesQuery,
  ConnectOptions,
  CountersignClient,
  HistoryQuery,
  Read,
  ReadOptions,
  SignedMessage,
  SubmitResult,
  SubmitStream,
  WatchEvent,
  WatchOptions,
} from './types.js'
export { featureLevelMax } from '../approval/index.js'
export type { PeerStatusView, StatusView } from '../wire/index.js'
