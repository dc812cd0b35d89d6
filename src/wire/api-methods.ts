/**
 * The RPCs of `countersign.v1` as plain data: path, directions, bytes <-> domain types. Decoders
 * throw MALFORMED_REQUEST on hostile bytes; whoever serves calls them in its own handler, so that
 * the caller gets our code instead of the library's words.
 */
import { statusRequest, statusResponse } from './api-codec-cluster.js'
import {
  getChangeRequest,
  getChangeResponse,
  listChangesRequest,
  listChangesResponse,
  previewResponse,
  streamRequest,
  streamResponse,
  submitRequest,
  submitResponse,
} from './api-codec-changes.js'
import {
  getEntryRequest,
  getEntryResponse,
  historyRequest,
  historyResponse,
  listEntriesRequest,
  listEntriesResponse,
  watchRequest,
  watchResponse,
} from './api-codec-config.js'

export interface Codec<T> {
  /** The bytes may lie in a shared pool: for sending at once, not for keeping. */
  readonly encode: (value: T) => Uint8Array
  readonly decode: (bytes: Uint8Array) => T
}

export interface Method<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly request: Codec<Request>
  readonly response: Codec<Response>
}

function unary<Request, Response>(
  path: string,
  request: Codec<Request>,
  response: Codec<Response>,
): Method<Request, Response> {
  return { path, requestStream: false, responseStream: false, request, response }
}

const changes = '/countersign.v1.Changes/'
const config = '/countersign.v1.Config/'

export const changesMethods = {
  propose: unary(`${changes}Propose`, submitRequest, submitResponse),
  proposeStream: {
    path: `${changes}ProposeStream`,
    requestStream: true,
    responseStream: true,
    request: streamRequest,
    response: streamResponse,
  },
  decide: unary(`${changes}Decide`, submitRequest, submitResponse),
  withdraw: unary(`${changes}Withdraw`, submitRequest, submitResponse),
  activate: unary(`${changes}Activate`, submitRequest, submitResponse),
  acknowledge: unary(`${changes}Acknowledge`, submitRequest, submitResponse),
  get: unary(`${changes}Get`, getChangeRequest, getChangeResponse),
  list: unary(`${changes}List`, listChangesRequest, listChangesResponse),
  preview: unary(`${changes}Preview`, submitRequest, previewResponse),
} as const

export const configMethods = {
  get: unary(`${config}Get`, getEntryRequest, getEntryResponse),
  list: unary(`${config}List`, listEntriesRequest, listEntriesResponse),
  watch: {
    path: `${config}Watch`,
    requestStream: false,
    responseStream: true,
    request: watchRequest,
    response: watchResponse,
  },
  history: unary(`${config}History`, historyRequest, historyResponse),
} as const

export const clusterMethods = {
  status: unary('/countersign.v1.Cluster/Status', statusRequest, statusResponse),
} as const

/** Trailer of a failed call: a `countersign.v1.Refusal`. */
export const refusalTrailer = 'countersign-refusal-bin'
