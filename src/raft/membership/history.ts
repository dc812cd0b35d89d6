/**
 * The configurations of one log: the committed one, and those that are in the log above it. The
 * one in force is the last of them, committed or not (4.1). Kept as a list, so that a truncation
 * finds what was in force before, however many it takes away.
 */
import { invariant } from '../../invariant.js'
import type {
  ConfigurationInForce,
  Entry,
  LogIndex,
  NodeId,
  RaftOptions,
  SnapshotMeta,
} from '../types.js'
import { decodeConfiguration } from './codec.js'
import { membersOf, votersOf } from './configuration.js'

export class ConfigurationHistory {
  private latestCommitted: ConfigurationInForce
  /** Above the commit index, ascending. */
  private uncommitted: ConfigurationInForce[] = []
  private derived: Derived | null = null

  /** The snapshot's configuration is the committed one at its index; entries below add nothing. */
  constructor(snapshot: SnapshotMeta, entries: RaftOptions['entries'], commit: LogIndex) {
    this.latestCommitted = ofSnapshot(snapshot)
    this.appended(entries.filter((entry) => entry.index > snapshot.configurationIndex))
    this.committedTo(commit)
  }

  get inForce(): ConfigurationInForce {
    return this.uncommitted.at(-1) ?? this.latestCommitted
  }

  get committed(): ConfigurationInForce {
    return this.latestCommitted
  }

  get isCommitted(): boolean {
    return this.uncommitted.length === 0
  }

  /** Of the configuration in force: every voter of either half. */
  get voters(): readonly NodeId[] {
    return this.derive().voters
  }

  /** Of the configuration in force: everybody who receives the log. */
  get members(): readonly NodeId[] {
    return this.derive().members
  }

  /** Returns whether another configuration is in force now; so do the other verbs. */
  appended(entries: readonly Entry[]): boolean {
    const before = this.inForce
    for (const { kind, index, payload } of entries) {
      if (kind !== 'configuration') continue
      const configuration = decodeConfiguration(payload)
      invariant(configuration, 'a configuration in the log can be read', { index })
      invariant(index > this.inForce.index, 'configurations stand in the log in order', { index })
      this.uncommitted.push({ configuration, index })
    }
    return this.inForce !== before
  }

  truncatedAfter(index: LogIndex): boolean {
    const before = this.inForce
    while ((this.uncommitted.at(-1)?.index ?? 0) > index) this.uncommitted.pop()
    return this.inForce !== before
  }

  /** What is committed is never taken away again, so older ones are not needed. */
  committedTo(index: LogIndex): void {
    let next = this.uncommitted[0]
    while (next !== undefined && next.index <= index) {
      this.latestCommitted = next
      this.uncommitted.shift()
      next = this.uncommitted[0]
    }
  }

  /** The log restarts after this snapshot: its configuration replaces every other one. */
  restored(snapshot: SnapshotMeta): boolean {
    const before = this.inForce
    this.uncommitted = []
    if (this.latestCommitted.index !== snapshot.configurationIndex) {
      this.latestCommitted = ofSnapshot(snapshot)
    }
    return this.inForce !== before
  }

  private derive(): Derived {
    const { inForce } = this
    if (this.derived?.of !== inForce) {
      const { configuration } = inForce
      this.derived = {
        of: inForce,
        voters: votersOf(configuration),
        members: membersOf(configuration),
      }
    }
    return this.derived
  }
}

interface Derived {
  readonly of: ConfigurationInForce
  readonly voters: readonly NodeId[]
  readonly members: readonly NodeId[]
}

function ofSnapshot(snapshot: SnapshotMeta): ConfigurationInForce {
  return { configuration: snapshot.configuration, index: snapshot.configurationIndex }
}
