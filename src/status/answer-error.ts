/** Every failure of the status endpoint in one shape, with the stable codes of errors.ts. */
import type { FastifyReply } from 'fastify'
import { CountersignError, errorTable, type ErrorCode } from '../errors.js'

export interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly retryable: boolean
    readonly details: Readonly<Record<string, unknown>>
  }
}

export function answerError(reply: FastifyReply, error: CountersignError): ErrorAnswer {
  const row = errorTable[error.code]
  void reply.code(row.http)
  return {
    error: {
      code: error.code,
      // The particulars of what nobody expected are for the log of the node, not for a stranger.
      message: error.code === 'INTERNAL' ? row.sentence : error.message,
      retryable: row.retryable,
      details: error.code === 'INTERNAL' ? {} : error.details,
    },
  }
}

/** What fastify itself refuses (a bad URL, a query) is an input that is not valid, or too large. */
export function fromThrown(thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown
  const status = statusCodeOf(thrown)
  if (status !== null && status >= 400 && status < 500) {
    const message = thrown instanceof Error ? thrown.message : 'The request is not valid.'
    const code = status === 413 ? 'TOO_LARGE' : 'INPUT_INVALID'
    return new CountersignError(code, message, { cause: thrown })
  }
  return CountersignError.from(thrown)
}

function statusCodeOf(thrown: unknown): number | null {
  if (typeof thrown !== 'object' || thrown === null) return null
  if ('validation' in thrown) return 400
  return 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : null
}
