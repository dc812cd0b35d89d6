/**
 * Which part of the own log may go (5.1): what a synced snapshot covers, less a tail for followers
 * that are a little behind, and less what a follower needs that is being fed a snapshot. Without
 * that pin a transfer slower than the retention would find the log behind it cut each time, and
 * begin anew for ever; the pin ends with time and bytes, so that no peer holds the log for ever.
 */
import { invariant } from '../invariant.js'
import type { Core } from './core.js'
import { decodeConfiguration } from './membership/codec.js'
import { areEqual } from './membership/configuration.js'
import type { Progress } from './progress/progress.js'
import { trace } from './trace.js'
import {
  logIndex,
  type ConfigurationInForce,
  type Event,
  type LogIndex,
  type SnapshotMeta,
} from './types.js'

/** A snapshot of the own state machine is synced and verified. An older one changes nothing. */
export function snapshotSaved(core: Core, snapshot: SnapshotMeta): void {
  if (snapshot.index <= core.snapshot.index) return
  invariant(
    snapshot.index <= core.commitIndex && core.log.matches(snapshot),
    'a snapshot of the own state is of the committed log',
    { index: snapshot.index, term: snapshot.term, commitIndex: core.commitIndex },
  )
  const committed = committedAt(core, snapshot.index)
  invariant(
    snapshot.configurationIndex === committed.index &&
      areEqual(snapshot.configuration, committed.configuration),
    'a snapshot of the own state names the configuration that was committed there',
    { index: snapshot.index, named: snapshot.configurationIndex, committed: committed.index },
  )
  core.snapshot = snapshot
  trace(core, 'SnapshotSaved', { index: snapshot.index, term: snapshot.term })
}

/** A transfer that gets on keeps its pin, however long it takes. */
export function snapshotServed(
  core: Core,
  { peer, index, bytes }: Omit<Extract<Event, { kind: 'snapshotServed' }>, 'kind'>,
): void {
  if (core.role.kind !== 'leader') return
  core.role.peers.get(peer)?.fed({ index, bytes }, core.now)
}

/** The committed configuration at an index after the latest snapshot; the log between is kept. */
function committedAt(core: Core, index: LogIndex): ConfigurationInForce {
  const { snapshot, log, configurations } = core
  if (configurations.committed.index <= index) return configurations.committed
  const entry = log
    .range(logIndex(snapshot.index + 1), index)
    .findLast(({ kind }) => kind === 'configuration')
  const configuration = entry === undefined ? null : decodeConfiguration(entry.payload)
  return entry === undefined || configuration === null
    ? { configuration: snapshot.configuration, index: snapshot.configurationIndex }
    : { configuration, index: entry.index }
}

/**
 * Cuts the log in memory and asks for the same on disk, with the next write. Memory need not wait
 * for the disk: what goes is durable, applied, and in a snapshot; a crash before the write brings
 * back a log that is merely longer. Once a drain, after the messages of the drain are formed.
 */
export function compact(core: Core): void {
  const { snapshot, log, appliedIndex } = core
  const covered = snapshot.index - core.options.limits.keptEntries
  // While a restore is under way, applied lies below the anchor.
  const target = unpinned(core, logIndex(Math.min(covered, appliedIndex)))
  if (target <= log.anchor.index) return
  log.purge(target)
  core.output.purgeTo = target
  trace(core, 'Compact', { index: target, term: log.anchor.term })
}

/** How far below `target` the pins allow to cut; those that have lasted too long end here. */
function unpinned(core: Core, target: LogIndex): LogIndex {
  if (core.role.kind !== 'leader') return target
  let allowed = target
  for (const progress of core.role.peers.values()) {
    if (progress.pin === null) continue
    if (isWornOut(core, progress.pin, target)) progress.unpin()
    else allowed = logIndex(Math.min(allowed, progress.pin.index))
  }
  return allowed
}

function isWornOut(core: Core, pin: NonNullable<Progress['pin']>, target: LogIndex): boolean {
  const { pinTicksMax, pinnedBytesMax } = core.options.limits
  if (core.now - pin.sinceTicks > pinTicksMax) return true
  return core.log.payloadBytes(pin.index, target) > pinnedBytesMax
}
