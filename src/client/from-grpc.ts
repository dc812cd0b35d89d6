/** What came back from grpc-js, as our errors: the Refusal of the trailer, or the transport's fate. */
import { status, type Metadata, type ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import { decodeRefusal, refusalTrailer } from '../wire/index.js'
import { misfitIn } from './misfit.js'

export type Failure =
  /** The node said so. */
  | { readonly kind: 'refused'; readonly error: CountersignError }
  /** No answer; `wasSent` unless it is certain that the node never saw the request. */
  | { readonly kind: 'lost'; readonly wasSent: boolean; readonly error: CountersignError }

export function failureOf(error: ServiceError, address: string): Failure {
  const refused = refusalIn(error.metadata)
  if (refused !== undefined) return { kind: 'refused', error: refused }
  const words = error.details === '' ? error.message : error.details
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.CANCELLED:
    case status.DEADLINE_EXCEEDED:
      return lost(address, words, !wasNeverSent(words))
    case status.RESOURCE_EXHAUSTED:
      return refusedAs('TOO_LARGE', `${address}: ${words}`, error)
    case status.UNIMPLEMENTED:
      return refusedAs('MALFORMED_REQUEST', `${address} does not know this call: ${words}`, error)
    case status.INTERNAL:
    case status.UNKNOWN:
      // A connection that breaks in the middle of a frame ends as INTERNAL too.
      return lost(address, words, true)
    default:
      return refusedAs('INTERNAL', `${address}: ${words}`, error)
  }
}

/** A node whose trailer cannot be read is not believed about the rest either. */
function refusalIn(metadata: Metadata | undefined): CountersignError | undefined {
  const [bytes] = metadata?.get(refusalTrailer) ?? []
  if (!(bytes instanceof Buffer)) return undefined
  try {
    return CountersignError.fromRefusal(decodeRefusal(bytes))
  } catch {
    return undefined
  }
}

function wasNeverSent(words: string): boolean {
  return /No connection established|Name resolution failed|Failed to connect|Waiting for LB pick/.test(
    words,
  )
}

function lost(address: string, words: string, wasSent: boolean): Failure {
  const misfit = wasSent ? null : misfitIn(words)
  const error =
    misfit === null
      ? new CountersignError('UNREACHABLE', `${address} did not answer: ${words}`)
      : new CountersignError(
          'CERTIFICATE_MISFIT',
          `${address} is not taken for a node of this cluster: ${misfit}. Check that ca.pem is of this cluster (--dir), and that the address is a client address.`,
          { cause: words },
        )
  return { kind: 'lost', wasSent, error }
}

function refusedAs(
  code: 'TOO_LARGE' | 'MALFORMED_REQUEST' | 'INTERNAL',
  message: string,
  cause: ServiceError,
): Failure {
  return { kind: 'refused', error: new CountersignError(code, message, { cause }) }
}
