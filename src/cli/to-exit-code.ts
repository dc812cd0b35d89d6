import { errorTable, type CountersignError, type ErrorCode } from '../errors.js'

/** The process's exit code for a failure; 0 is success. docs/cli.md lists them. */
export function toExitCode(error: CountersignError): number {
  return exitCodeOf(error.code)
}

export function exitCodeOf(code: ErrorCode): number {
  return errorTable[code].exit
}
