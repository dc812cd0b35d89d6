/**
 * What a peer may fetch from this node: snapshots, durable entries, and whether an entry was ever
 * held. It hands out only what is verified here, and the peer verifies all of it again.
 */
import { CountersignError } from '../errors.js'
import { logIndex, type Entry, type LogIndex, type Raft, type Term } from '../raft/index.js'
import type { SnapshotStore } from '../storage/index.js'
import { fetchedPartBytesMax, type FetchAnswer, type Holding, type Wanted } from '../wire/index.js'

/** Read at once from the log in memory, so that a long range does not hold up the loop. */
const portionBytesMax = 1024 * 1024

/** The log of the answering node, or what is sound of it. */
export interface HeldLog {
  /** Sound durable entries from `first` on, at least one when it is held; else none. */
  entries(first: LogIndex, bytesMax: number): Promise<readonly Entry[]>
  holding(index: LogIndex, term: Term | null): Holding
}

export async function* answerFetch(
  wanted: Wanted,
  sources: { readonly snapshots: SnapshotStore; readonly log: HeldLog },
): AsyncGenerator<FetchAnswer> {
  switch (wanted.kind) {
    case 'snapshot':
      yield* snapshotAnswers(sources.snapshots, wanted)
      return
    case 'entries':
      yield* entryAnswers(sources.log, wanted)
      return
    case 'holding':
      yield { kind: 'holding', holding: sources.log.holding(wanted.index, wanted.term) }
  }
}

async function* snapshotAnswers(
  snapshots: SnapshotStore,
  wanted: Extract<Wanted, { kind: 'snapshot' }>,
): AsyncGenerator<FetchAnswer> {
  const snapshot = wanted.index === 0 ? snapshots.latest() : snapshots.info(wanted.index)
  if (snapshot === null) throw gone(`the snapshot at ${String(wanted.index)}`)
  yield { kind: 'snapshot', snapshot }
  let { offset } = wanted
  while (offset < snapshot.size) {
    const length = Math.min(fetchedPartBytesMax, snapshot.size - offset)
    const part = await snapshots.read(snapshot.index, offset, length)
    if (part === null || part.byteLength === 0) throw gone('the rest of the snapshot')
    yield { kind: 'part', part }
    offset += part.byteLength
  }
}

async function* entryAnswers(
  log: HeldLog,
  wanted: Extract<Wanted, { kind: 'entries' }>,
): AsyncGenerator<FetchAnswer> {
  let next = wanted.from
  while (next <= wanted.to) {
    const portion = await log.entries(next, portionBytesMax)
    if (portion.length === 0) return
    for (const entry of portion) {
      if (entry.index > wanted.to) return
      yield { kind: 'entry', entry }
      next = logIndex(entry.index + 1)
    }
  }
}

/** An unbroken run from `first` on, as many as fit into `bytesMax`, at least one when it is there. */
export function heldEntries(
  entryAt: (index: LogIndex) => Entry | null,
  first: LogIndex,
  bytesMax: number,
): readonly Entry[] {
  const entries: Entry[] = []
  let bytes = 0
  for (let entry = entryAt(first); entry !== null;) {
    bytes += entry.payload.byteLength
    if (bytes > bytesMax && entries.length > 0) break
    entries.push(entry)
    entry = entryAt(logIndex(entry.index + 1))
  }
  return entries
}

/** The log of a node that runs: everything durable in it was verified when it was written or read. */
export function heldLogOf(raft: Raft): HeldLog {
  return {
    entries: (first, bytesMax) => Promise.resolve(raft.durableEntries(first, bytesMax)),
    /**
     * A place that another entry took, or that was never reached, cannot have been committed with
     * this entry on this node's word: what a sound log gave up was never committed.
     */
    holding: (index, term) => {
      const held = raft.termAt(index)
      if (held !== null) return term === null || held === term ? 'held' : 'never'
      return index > raft.status().lastIndex ? 'never' : 'unknown'
    },
  }
}

function gone(what: string): CountersignError {
  return new CountersignError('FETCH_GONE', `This node does not hold ${what} any more.`)
}
