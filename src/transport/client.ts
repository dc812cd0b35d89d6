/**
 * A gRPC client for one peer. It has a pool of its own: one that has failed answers from its memory
 * for a while, without dialling.
 */
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { channelOptions } from './channel-options.js'
import { certificateName } from './hello.js'
import type { KnownPeer, PeersOptions, TransportTiming } from './options.js'
import type { HostPort } from './probe.js'

export function openClient(
  options: Pick<PeersOptions, 'tls'>,
  timing: TransportTiming,
  peer: Pick<KnownPeer, 'id'>,
  address: HostPort,
): Client {
  const { ca, certificate, key } = options.tls
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return new Client(
    `${host}:${String(address.port)}`,
    credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
    {
      ...channelOptions,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.ssl_target_name_override': certificateName(peer.id),
      'grpc.keepalive_time_ms': timing.keepaliveMs,
      'grpc.keepalive_timeout_ms': timing.keepaliveMs,
    },
  )
}

const codeTrailer = 'countersign-code'
const codesTold = [
  'NODE_REMOVED',
  'PEER_REFUSED',
  'FETCH_GONE',
  'BUSY',
  'NODE_STARTING',
  'NODE_STOPPING',
  'TRANSFER_FAILED',
  'INPUT_INVALID',
] as const

/** How a refusal travels: its code in a trailer, its sentence as the text of the status. */
export function refusalStatus(error: CountersignError): {
  readonly code: status
  readonly details: string
  readonly metadata: Metadata
} {
  const metadata = new Metadata()
  metadata.set(codeTrailer, error.code)
  return { code: statusOf(error), details: error.message, metadata }
}

export function refusalOf(error: ServiceError): CountersignError {
  const [told] = error.metadata.get(codeTrailer)
  const code = codesTold.find((candidate) => candidate === told) ?? 'UNREACHABLE'
  return new CountersignError(code, error.details, { cause: error })
}

function statusOf(error: CountersignError): status {
  switch (error.code) {
    case 'PEER_REFUSED':
    case 'NODE_REMOVED':
      return status.PERMISSION_DENIED
    case 'FETCH_GONE':
      return status.NOT_FOUND
    case 'BUSY':
    case 'NODE_STARTING':
    case 'NODE_STOPPING':
    case 'TRANSFER_FAILED':
      return status.ABORTED
    default:
      return status.INVALID_ARGUMENT
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function asBytes(bytes: Buffer): Uint8Array {
  return bytes
}
