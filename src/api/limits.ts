/** Bounds of the client port. Each has a reason; all may be set in tests. */
export interface ApiLimits {
  /** Connections at one time; further ones are closed at once. */
  readonly connectionsMax: number
  /** A connection on which no call has begun is closed after this; the oldest when all are taken. */
  readonly firstCallMs: number
  /** Requests that have begun and are not complete; above it the oldest connection is closed. */
  readonly unfinishedRequestsMax: number
  /** Time for one request to arrive whole. */
  readonly requestTimeoutMs: number
  /** Calls with a stream of requests (ProposeStream, reflection) at one time. */
  readonly requestStreamsMax: number
  readonly requestStreamsPerConnectionMax: number
  /** Calls at one time on one connection, watches among them. */
  readonly streamsPerConnectionMax: number
  /** Calls of any kind that wait for the node at one time; above it BUSY. */
  readonly callsInFlightMax: number
  /** Answers of one watch that wait for its reader, and those of all watches together. */
  readonly watchQueueBytesMax: number
  readonly watchQueuesBytesMax: number
  readonly watchQueueBatchesMax: number
  /** A watcher with a full queue that has not read anything for so long is cut. */
  readonly watchStallMs: number
  /** A silent watch says so often how far it has come. */
  readonly watchProgressMs: number
  /** Unanswered messages on one ProposeStream; then the node stops reading from it. */
  readonly submitStreamWindow: number
  /** Refused noise, which nobody is known to have said: tokens at once, and per second. */
  readonly noisePerConnection: Allowance
  readonly noisePerAddress: Allowance
  /** Refusals of messages that the person really signed. */
  readonly refusalsPerPerson: Allowance
  /** Bytes of entries in one page, so that an answer fits gRPC's default of 4 MiB. */
  readonly pageBytesMax: number
  /** Keepalive pings to clients, and how long an answer may take. */
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
  /** Connections are renewed, so that load spreads and nothing lives for ever. */
  readonly connectionAgeMs: number
  readonly connectionAgeGraceMs: number
  /** Time for running calls at a stop. */
  readonly stopGraceMs: number
}

export interface Allowance {
  readonly burst: number
  readonly perSecond: number
}

export const defaultLimits: ApiLimits = {
  connectionsMax: 2048,
  firstCallMs: 10_000,
  unfinishedRequestsMax: 64,
  requestTimeoutMs: 10_000,
  requestStreamsMax: 64,
  requestStreamsPerConnectionMax: 16,
  streamsPerConnectionMax: 512,
  callsInFlightMax: 4096,
  watchQueueBytesMax: 1024 * 1024,
  watchQueuesBytesMax: 64 * 1024 * 1024,
  watchQueueBatchesMax: 256,
  watchStallMs: 10_000,
  watchProgressMs: 3_000,
  submitStreamWindow: 256,
  noisePerConnection: { burst: 100, perSecond: 10 },
  noisePerAddress: { burst: 1000, perSecond: 50 },
  refusalsPerPerson: { burst: 200, perSecond: 5 },
  pageBytesMax: 2 * 1024 * 1024,
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  connectionAgeMs: 60 * 60 * 1000,
  connectionAgeGraceMs: 60_000,
  stopGraceMs: 2_000,
}

/** Largest gRPC message that is read at all; what is above is refused before it is decoded. */
export const receiveBytesMax = 1.5 * 1024 * 1024

/** A signed body, and a command with its detached parts: the numbers of src/approval/limits.ts. */
export const bodyBytesMax = 40 * 1024
export const commandBytesMax = 1024 * 1024
/** 256 ops with a detached value each, the rationale, and room for one more. */
export const detachedPartsMax = 258
export const payloadTypeBytesMax = 128
export const keyIdLength = 64
export const signatureBytes = 64

export const listLimitMax = 1000
/** Words in the filter of a list of changes: there are fewer states. */
export const listStatesMax = 16
