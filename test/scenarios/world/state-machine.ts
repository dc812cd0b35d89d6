/** The state machine of a scenario: the commands so far, and the committed configuration. */
import type { Configuration, Entry, LogIndex, SnapshotMeta } from '../../../src/raft/index.js'
import { decodeConfiguration } from '../../../src/raft/membership/codec.js'
import type { Disk } from './disk.js'

export interface StateMachine {
  applied: LogIndex
  commands: string[]
  /** The latest committed configuration, for the next snapshot. */
  configuration: Configuration
  configurationIndex: LogIndex
}

export function machineOf(disk: Disk): StateMachine {
  return machineFrom(disk.snapshot.meta, disk.snapshot.commands)
}

export function machineFrom(meta: SnapshotMeta, commands: readonly string[]): StateMachine {
  return {
    applied: meta.index,
    commands: [...commands],
    configuration: meta.configuration,
    configurationIndex: meta.configurationIndex,
  }
}

export function applyTo(machine: StateMachine, entry: Entry): void {
  machine.applied = entry.index
  if (entry.kind === 'command') machine.commands.push(new TextDecoder().decode(entry.payload))
  if (entry.kind === 'configuration') {
    const configuration = decodeConfiguration(entry.payload)
    if (configuration === null) throw new Error(`entry ${String(entry.index)} cannot be decoded`)
    machine.configuration = configuration
    machine.configurationIndex = entry.index
  }
}
