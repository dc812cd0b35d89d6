/** Failures of the command line itself. `next` is the line that tells a person what to do. */
import { CountersignError } from '../errors.js'

export function usage(message: string, next?: string): CountersignError {
  return new CountersignError('USAGE', message, withNext(next))
}

export function badInput(message: string, next?: string): CountersignError {
  return new CountersignError('INPUT_INVALID', message, withNext(next))
}

export function cancelled(message: string): CountersignError {
  return new CountersignError('CANCELLED', message, withNext('Nothing was signed or sent.'))
}

function withNext(next: string | undefined): { details?: { next: string } } {
  return next === undefined ? {} : { details: { next } }
}
