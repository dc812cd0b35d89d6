export { decodeCommand, encodeCommand, logFormat } from './log-codec.js'
export { decodeFrame, encodeFrame } from './frame-codec.js'
export type { Frame, Hello } from './frame.js'
export { frameBytesTarget, frameMessagesMax, messageBytesMax, wordLengthMax } from './limits.js'
export { exchange } from './peer-methods.js'

// The API half: what api/ and client/ speak.
export {
  changesMethods,
  clusterMethods,
  configMethods,
  refusalTrailer,
  type Codec,
  type Method,
} from './api-methods.js'
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
  NumberedAnswer,
  NumberedMessage,
  PeerStatusView,
  PreviewResponse,
  SignedMessage,
  StatusView,
  WatchRequest,
  WatchResponse,
} from './api-codec-types.js'
