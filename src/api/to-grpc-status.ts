/** Errors on their way out: gRPC status, one sentence, and trailers for machines. */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js'
import { CountersignError, errorTable, refusal, type Refusal } from '../errors.js'
import {
  encodeRefusal,
  encodeStatusDetails,
  refusalTrailer,
  statusDetailsTrailer,
} from '../wire/index.js'

/**
 * Some gRPC libraries refuse more than 8 KiB of headers in all, binary ones count in base64, and the
 * sentence is in three of them; facts that do not fit are left out, never the code.
 */
const trailerBytesMax = 3 * 1024
const messageLengthMax = 1024

export type GrpcFailure = Pick<StatusObject, 'code' | 'details'> & { readonly metadata: Metadata }

/** Normalises anything that was thrown; the unknown becomes INTERNAL and keeps its words inside. */
export function toGrpcStatus(thrown: unknown): GrpcFailure {
  return refusalToGrpcStatus(toRefusal(thrown))
}

export function toRefusal(thrown: unknown): Refusal {
  const error = CountersignError.from(thrown)
  if (error.code === 'INTERNAL') return refusal('INTERNAL', errorTable.INTERNAL.sentence)
  return Object.keys(error.details).length === 0
    ? refusal(error.code, error.message)
    : refusal(error.code, error.message, error.details)
}

export function refusalToGrpcStatus(refused: Refusal): GrpcFailure {
  const fitting = fitted(refused)
  const code = status[errorTable[fitting.code].grpc]
  const details = `${fitting.code}: ${fitting.message}`
  const metadata = new Metadata()
  metadata.set(refusalTrailer, Buffer.from(encodeRefusal(fitting)))
  metadata.set(statusDetailsTrailer, Buffer.from(encodeStatusDetails(code, details, fitting)))
  return { code, details, metadata }
}

/** Inside the bound, and well-formed: grpc-js throws on a lone surrogate in the details. */
export function fitted(refused: Refusal): Refusal {
  const message = Buffer.from(refused.message.slice(0, messageLengthMax)).toString()
  const whole = { ...refused, message }
  if (refused.details === undefined || encodeRefusal(whole).length <= trailerBytesMax) return whole
  return refusal(refused.code, message, { truncated: true, ...smallFacts(refused.details) })
}

/** Numbers and short words survive; lists and texts go. */
function smallFacts(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const small = Object.entries(details).filter(
    ([name, value]) =>
      name.length <= 64 &&
      (typeof value === 'number' ||
        typeof value === 'boolean' ||
        (typeof value === 'string' && value.length <= 128)),
  )
  return Object.fromEntries(small.slice(0, 10))
}
