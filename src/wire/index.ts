export { decodeCommand, encodeCommand, logFormat } from './log-codec.js'
export { decodeFrame, encodeFrame } from './frame-codec.js'
export type { Frame, Hello } from './frame.js'
export {
  fetchedPartBytesMax,
  frameBytesTarget,
  frameMessagesMax,
  messageBytesMax,
  wordLengthMax,
} from './limits.js'
export { exchange, fetchPath, transferPath } from './peer-methods.js'
export {
  decodeTransferAnswer,
  decodeTransferRequest,
  encodeTransferAnswer,
  encodeTransferRequest,
  type TransferOutcome,
  type TransferWish,
} from './transfer-codec.js'
export {
  decodeFetchAnswer,
  decodeFetchRequest,
  encodeFetchAnswer,
  encodeFetchRequest,
  type FetchAnswer,
  type Holding,
  type Wanted,
} from './fetch-codec.js'
export type { SnapshotDescription } from './snapshot-codec.js'

// The API half: what api/ and client/ speak.
export {
  changesMethods,
  clusterMethods,
  configMethods,
  refusalTrailer,
  type Codec,
  type Method,
} from './api-methods.js'
export { encodeStatusDetails, statusDetailsTrailer } from './status-details.js'
export { decodeRefusal, encodeRefusal, isChangeState } from './api-codec-values.js'
export { entryBytes, historyItemBytes } from './api-codec-config.js'
export type {
  Accepted,
  GetChangeRequest,
  GetChangeResponse,
  GetEntryRequest,
  GetEntryResponse,
  HistoryRequest,
  HistoryResponse,
  ListChangesRequest,
  ListChangesResponse,
  ListEntriesRequest,
  ListEntriesResponse,
  MemberView,
  NumberedAnswer,
  NumberedMessage,
  PeerStatusView,
  PreviewResponse,
  SignedMessage,
  StatusView,
  WatchRequest,
  WatchResponse,
} from './api-codec-types.js'
