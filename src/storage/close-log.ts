/** Puts a damaged log together again from what is left of it and what peers give (repair.ts). */
import type { Entry, LogIndex, Term } from '../raft/index.js'
import type { IndexRange, LogRemains } from './damage.js'
import { chainAfter, chainStart, entryDigest, type Anchor, type ChainPoint } from './record.js'
import type { RepairSources } from './repair-sources.js'
import type { SnapshotInfo, SnapshotStore } from './snapshot-store.js'

/** A log without a hole. */
export interface ClosedLog {
  readonly anchor: Anchor
  readonly entries: readonly Entry[]
  readonly end: ChainPoint
}

export type Closing =
  | {
      readonly kind: 'closed'
      readonly log: ClosedLog
      /** Count of entries that came from peers. */
      readonly fetched: number
      readonly dropped: IndexRange | null
      /** The snapshot from a peer that covered what no peer had as entries. */
      readonly snapshot: SnapshotInfo | null
    }
  | { readonly kind: 'waiting'; readonly missing: IndexRange }

export async function closeLog(options: {
  readonly remains: LogRemains
  readonly clusterId: string
  readonly snapshots: SnapshotStore
  readonly sources: RepairSources
}): Promise<Closing> {
  const { remains, clusterId, snapshots, sources } = options
  let anchor = firstAnchor(remains, snapshots.latest(), clusterId)
  let snapshot: SnapshotInfo | null = null
  // Ends: the anchor rises with each turn.
  for (;;) {
    const walk = new Walk(remains, anchor, sources)
    const missing = await walk.run()
    if (missing === null) {
      return { kind: 'closed', log: walk.log(), fetched: walk.fetched, dropped: null, snapshot }
    }
    const own = covering(snapshots.latest(), missing.from)
    const covered =
      own ?? covering(await sources.snapshot(missing.from as LogIndex, snapshots), missing.from)
    if (covered !== null) {
      if (own === null) snapshot = covered
      anchor = anchorAt(covered)
      continue
    }
    if (await mayDrop(missing, remains, sources)) {
      return { kind: 'closed', log: walk.log(), fetched: walk.fetched, dropped: missing, snapshot }
    }
    return { kind: 'waiting', missing }
  }
}

/**
 * The lowest point to go on from: the log's own anchor as long as a sound snapshot stands behind
 * it, else what the newest snapshot covers, else the beginning of all.
 */
function firstAnchor(
  { anchor }: LogRemains,
  newest: SnapshotInfo | null,
  clusterId: string,
): Anchor {
  if (anchor !== null && anchor.index <= (newest?.index ?? 0)) return anchor
  if (newest !== null) return anchorAt(newest)
  return { index: 0, term: 0, chain: chainStart(clusterId), snapshot: null }
}

export function anchorAt(info: SnapshotInfo): Anchor {
  const { index, term, digest } = info
  return { index, term, chain: Buffer.from(info.chain, 'hex'), snapshot: { index, digest } }
}

function covering(snapshot: SnapshotInfo | null, index: number): SnapshotInfo | null {
  return snapshot !== null && snapshot.index >= index ? snapshot : null
}

/** Only a tail of a log that is certain before it, and nothing that was known as committed here. */
async function mayDrop(
  missing: IndexRange,
  { end, commit, isTailOnly }: LogRemains,
  sources: RepairSources,
): Promise<boolean> {
  if (!isTailOnly || missing.to !== end.index || missing.from <= commit) return false
  // The term is known of the very last entry only.
  const term = missing.from === end.index ? (end.term as Term) : null
  return sources.neverHeld(missing.from as LogIndex, term)
}

/** From an anchor to the end, taking what is sound and filling what is not. */
class Walk {
  readonly #remains: LogRemains
  readonly #anchor: Anchor
  readonly #sources: RepairSources
  #entries: Entry[] = []
  /** The position after the anchor and after each entry. */
  #points: ChainPoint[]
  fetched = 0

  constructor(remains: LogRemains, anchor: Anchor, sources: RepairSources) {
    this.#remains = remains
    this.#anchor = anchor
    this.#sources = sources
    this.#points = [anchor]
  }

  log(): ClosedLog {
    const { index, term, chain } = this.#at
    return { anchor: this.#anchor, entries: this.#entries, end: { index, term, chain } }
  }

  /** Null when the log is closed; else what nobody could give. */
  async run(): Promise<IndexRange | null> {
    const { end } = this.#remains
    while (this.#at.index < end.index) {
      if (this.#takeOwn()) continue
      const hole = this.#hole()
      if (await this.#fill(hole)) continue
      // What lies before the hole may be of another log than the lost end: its batches, lost with
      // the end, could have replaced it. Only what is committed is certain.
      const certain = Math.max(this.#remains.commit, this.#anchor.index)
      const from = certain + 1
      if (from >= hole.from || !(await this.#fill({ from, to: end.index }))) return hole
    }
    return null
  }

  get #at(): ChainPoint {
    return this.#points.at(-1) ?? this.#anchor
  }

  #takeOwn(): boolean {
    const own = this.#remains.entries.get(this.#at.index + 1)
    if (own === undefined) return false
    const next = this.#after(this.#at, own.entry)
    if (next?.chain.equals(own.chain) !== true || !this.#fitsEnd(next)) return false
    this.#push(own.entry, next)
    return true
  }

  /** From the next position up to the next entry that is sound in itself, or to the end. */
  #hole(): IndexRange {
    const { end, entries } = this.#remains
    const from = this.#at.index + 1
    let to = from
    while (to < end.index && !entries.has(to + 1)) to += 1
    return { from, to }
  }

  async #fill({ from, to }: IndexRange): Promise<boolean> {
    if (await this.#fillOnto(from, to)) return true
    const { end } = this.#remains
    return to < end.index && (await this.#fillOnto(from, end.index))
  }

  async #fillOnto(from: number, to: number): Promise<boolean> {
    const before = this.#points[from - 1 - this.#anchor.index]
    if (before === undefined) return false
    const answers: (readonly Entry[])[] = []
    for await (const answer of this.#sources.entries(from as LogIndex, to as LogIndex)) {
      answers.push(answer)
      for (const entries of [answer, merged([answer, ...answers]), merged(answers)]) {
        const points = this.#pointsOf(before, entries)
        const last = points?.at(-1)
        if (points === null || last?.index !== to || !this.#closes(last)) continue
        const kept = from - 1 - this.#anchor.index
        this.#entries = [...this.#entries.slice(0, kept), ...entries]
        this.#points = [...this.#points.slice(0, kept + 1), ...points]
        this.fetched += entries.length
        return true
      }
    }
    return false
  }

  #pointsOf(before: ChainPoint, entries: readonly Entry[]): readonly ChainPoint[] | null {
    const points: ChainPoint[] = []
    let at = before
    for (const entry of entries) {
      const next = entry.index === at.index + 1 ? this.#after(at, entry) : null
      if (next === null) return null
      points.push(next)
      at = next
    }
    return points
  }

  /** Null when the term is impossible there. */
  #after(at: ChainPoint, entry: Entry): ChainPoint | null {
    if (entry.term < at.term || entry.term > this.#remains.term) return null
    const chain = chainAfter(at.chain, entryDigest(entry))
    return { index: entry.index, term: entry.term, chain }
  }

  /** The chain goes on from here with the entry after it, or ends here as it should. */
  #closes(point: ChainPoint): boolean {
    if (point.index === this.#remains.end.index) return this.#fitsEnd(point)
    const next = this.#remains.entries.get(point.index + 1)
    return next !== undefined && chainAfter(point.chain, next.digest).equals(next.chain)
  }

  #fitsEnd(point: ChainPoint): boolean {
    const { end } = this.#remains
    if (point.index !== end.index) return true
    return point.term === end.term && point.chain.equals(end.chain)
  }

  #push(entry: Entry, point: ChainPoint): void {
    this.#entries.push(entry)
    this.#points.push(point)
  }
}

/** Of each index the first that any answer has: peers may have different damage of their own. */
function merged(answers: readonly (readonly Entry[])[]): readonly Entry[] {
  const byIndex = new Map<number, Entry>()
  for (const entry of answers.flat()) {
    if (!byIndex.has(entry.index)) byIndex.set(entry.index, entry)
  }
  return [...byIndex.values()].sort((a, b) => a.index - b.index)
}
