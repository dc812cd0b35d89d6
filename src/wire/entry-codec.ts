/** One entry of the Raft log to its wire form and back. */
import type { Entry } from '../raft/index.js'
import { ownBytes } from './envelope-codec.js'
import { type countersign, malformed } from './protobuf.js'
import { indexFromWire, termFromWire } from './raft-values.js'

type WireEntry = countersign.peer.v1.RaftEntry.$Properties

const entryKindNumber = { noop: 1, command: 2, configuration: 3 } as const

export function entryToWire(entry: Entry): WireEntry {
  return {
    index: entry.index,
    term: entry.term,
    kind: entryKindNumber[entry.kind],
    payload: entry.payload,
  }
}

export function entryFromWire(wire: WireEntry): Entry {
  return {
    index: indexFromWire(wire.index, 'entry.index'),
    term: termFromWire(wire.term, 'entry.term'),
    kind: entryKind(wire.kind),
    payload: ownBytes(wire.payload),
  }
}

function entryKind(value: number | null | undefined): Entry['kind'] {
  switch (value) {
    case entryKindNumber.noop:
      return 'noop'
    case entryKindNumber.command:
      return 'command'
    case entryKindNumber.configuration:
      return 'configuration'
    default:
      throw malformed('The entry is of no known kind')
  }
}
