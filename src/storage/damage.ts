/** Damage as data: what is wrong with a data directory, and what of it can still be trusted. */
import type { Entry, LogIndex, Term } from '../raft/index.js'
import type { Anchor, ChainPoint, GuardRecord, Identity } from './record.js'
import type { SnapshotStore } from './snapshot-store.js'

export interface Damage {
  readonly file: string
  /** Which record, as a person reads it: `entries 4 to 9`, `hard state`. */
  readonly key: string
  /** Goes on after file and key: `does not fit its digest`. */
  readonly problem: string
  /** Entries that it concerns, both ends included; null when it concerns no entry. */
  readonly range: IndexRange | null
}

export interface IndexRange {
  readonly from: number
  readonly to: number
}

/** An entry that fits its own digest. Whether it is in its place, its chain value tells. */
export interface SoundEntry {
  readonly entry: Entry
  readonly digest: Buffer
  readonly chain: Buffer
}

/** What is left of a log, and what it has to come to again. */
export interface LogRemains {
  /** Null when the anchor is lost. */
  readonly anchor: Anchor | null
  readonly entries: ReadonlyMap<number, SoundEntry>
  /** Where the log ended when this node last told anybody: from the guard, or a sound newer store. */
  readonly end: ChainPoint
  /** At most what was committed here; the log is the cluster's up to there. */
  readonly commit: number
  /**
   * The newest hard state is there, and nothing is wrong but one run of entries up to the end: what
   * lies before it is this node's log. Of a log with other damage that is not known.
   */
  readonly isTailOnly: boolean
  /** Never older than the guard's. */
  readonly term: number
  readonly votedFor: string | null
}

export interface DamageReport {
  readonly directory: string
  readonly identity: Identity
  /** At least one. */
  readonly damages: readonly Damage[]
  readonly guard: GuardRecord
  readonly remains: LogRemains
  /** Runs of entries whose digests and chain values fit. */
  readonly sound: readonly (IndexRange & { readonly chain: string })[]
  /** The sound ones; a repair receives into it. */
  readonly snapshots: SnapshotStore
}

/** A sound entry, for a peer that repairs as well; null when this node cannot vouch for one. */
export function soundEntry(report: DamageReport, index: LogIndex): Entry | null {
  const isSound = report.sound.some(({ from, to }) => from <= index && index <= to)
  return isSound ? (report.remains.entries.get(index)?.entry ?? null) : null
}

/**
 * What a damaged node may say of an entry. It never says `never`: what it lost may have been it.
 */
export function holdingWithDamage(
  report: DamageReport,
  index: LogIndex,
  term: Term | null,
): 'held' | 'unknown' {
  const entry = soundEntry(report, index)
  return entry !== null && (term === null || entry.term === term) ? 'held' : 'unknown'
}
