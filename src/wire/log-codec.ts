/**
 * What is stored in a Raft entry of kind `command`: proto/countersign/v1/log.proto, format 1.
 *
 * Three outcomes, the same on every node: a command; bytes that are no command of format 1, which
 * change nothing and accuse the leader; and a format, or a field, of a newer build, on which the
 * node halts, because another node may understand it.
 */
import { CountersignError } from '../errors.js'
import type { Command } from '../machine/index.js'
import { envelopeFromWire, envelopeToWire, ownBytes } from './envelope-codec.js'
import { countersign, decodeBytes, encodeBytes, malformed, peekVarint } from './protobuf.js'

const { LogCommand } = countersign.v1

export const logFormat = 1

export function encodeCommand(command: Command): Uint8Array {
  switch (command.kind) {
    case 'submit':
      return encodeBytes(LogCommand, {
        format: logFormat,
        submit: {
          envelope: envelopeToWire(command.envelope),
          detached: [...command.detached],
        },
      })
    case 'tick':
      return encodeBytes(LogCommand, {
        format: logFormat,
        tick: { stamps: command.stamps.map(envelopeToWire) },
      })
    case 'undecodable':
      throw new CountersignError('INTERNAL', 'A command that was not decoded is never written.')
  }
}

/** Throws VERSION_UNKNOWN for a newer format; malformed bytes are the command `undecodable`. */
export function decodeCommand(bytes: Uint8Array): Command {
  // First, since a newer format may give the other fields another meaning.
  const format = peekVarint(bytes, 1)
  if (format !== undefined && format > logFormat) throw newerBuild(`format ${String(format)}`)
  try {
    return decodeFormat1(bytes)
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'MALFORMED_REQUEST') {
      return { kind: 'undecodable', reason: error.message }
    }
    throw error
  }
}

function decodeFormat1(bytes: Uint8Array): Command {
  const wire: countersign.v1.LogCommand.$Shape = decodeBytes(LogCommand, bytes, 'The log entry', {
    keepUnknown: true,
  })
  if (wire.format !== logFormat) throw malformed('The log entry has no format')
  if (hasUnknownField(wire)) throw newerBuild('an unknown field')
  switch (wire.command) {
    case 'submit':
      return {
        kind: 'submit',
        envelope: envelopeFromWire(wire.submit.envelope, 'The submitted message'),
        detached: (wire.submit.detached ?? []).map(ownBytes),
      }
    case 'tick': {
      const stamps = (wire.tick.stamps ?? []).map((stamp) => envelopeFromWire(stamp, 'The stamp'))
      return { kind: 'tick', stamps }
    }
    case undefined:
      throw malformed('The log entry holds no command')
  }
}

/** Fields are only ever added, so an unknown one was written by a newer build. */
function hasUnknownField(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (Array.isArray(value)) return value.some(hasUnknownField)
  if ('$unknowns' in value && value.$unknowns !== undefined) return true
  return Object.values(value).some(hasUnknownField)
}

function newerBuild(what: string): CountersignError {
  return new CountersignError(
    'VERSION_UNKNOWN',
    `The log holds an entry with ${what}, which a newer build wrote. Start that build.`,
    { details: { logFormat } },
  )
}
