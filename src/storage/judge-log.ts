/**
 * The checks on opening a Raft store: identity, guard, the whole log from the anchor on, its end
 * against hard state and guard. Whatever fails is damage; nothing is truncated, because a rotten
 * middle and a torn tail look alike once records are gone.
 */
import type { Entry } from '../raft/index.js'
import type { Damage, IndexRange, LogRemains, SoundEntry } from './damage.js'
import { guardLost } from './failure.js'
import {
  chainAfter,
  chainStart,
  decodeAnchor,
  decodeEntry,
  decodeHardState,
  decodeIdentity,
  type Anchor,
  type ChainPoint,
  type GuardRecord,
  type HardStateRecord,
  type Identity,
} from './record.js'
import type { StoredEntry, SurveyedLog } from './survey-log.js'

export interface LogJudgement {
  readonly damages: readonly Damage[]
  /** Null unless sound. */
  readonly log: {
    readonly hardState: HardStateRecord
    readonly anchor: Anchor
    readonly entries: readonly Entry[]
  } | null
  readonly remains: LogRemains
  readonly sound: readonly (IndexRange & { readonly chain: string })[]
}

/** Throws GUARD_LOST when the guard cannot be that of this store. */
export function judgeLog(options: {
  readonly surveyed: SurveyedLog
  readonly file: string
  readonly guardFile: string
  readonly identity: Identity
  readonly guard: GuardRecord
}): LogJudgement {
  const { surveyed, file, guardFile, identity, guard } = options
  if (guard.clusterId !== identity.clusterId || guard.incarnation !== identity.incarnation) {
    throw guardLost(guardFile, 'belongs to another node or cluster')
  }
  const damages: Damage[] = [...surveyed.damages]
  const report = (key: string, problem: string, range: IndexRange | null = null): void => {
    damages.push({ file, key, problem, range })
  }
  checkIdentity(surveyed.identity, identity, report)
  const hardState = sealed(surveyed.hardState, decodeHardState, 'hard state', report)
  const trusted = checkAgainstGuard(hardState, guard, guardFile, report)
  const anchor = checkAnchor(surveyed.anchor, trusted, identity, report)
  const head = trusted ?? guard
  const end: ChainPoint = { index: head.lastIndex, term: head.lastTerm, chain: head.lastChain }
  const checked = checkEntries({
    stored: surveyed.entries,
    anchor: anchor ?? { index: 0, term: 0, chain: chainStart(identity.clusterId) },
    end,
    term: head.term,
    endIsExact: trusted !== null,
    report,
  })
  // Of a store that went back the commit index is old, and true all the same.
  const committed = hardState?.commit ?? 0
  const commit = Math.min(end.index, Math.max(committed, anchor?.index ?? 0))
  const isSound = damages.length === 0 && trusted !== null && anchor !== null
  const entries = [...checked.sound.values()].map(({ entry }) => entry)
  return {
    damages,
    log: isSound ? { hardState: trusted, anchor, entries } : null,
    remains: {
      anchor,
      entries: checked.sound,
      end,
      commit,
      isTailOnly: trusted !== null && anchor !== null && isTailOnly(anchor, checked.runs, damages),
      term: head.term,
      votedFor: head.votedFor,
    },
    sound: checked.runs,
  }
}

type Report = (key: string, problem: string, range?: IndexRange | null) => void

function sealed<T>(
  bytes: Buffer | undefined,
  decode: (bytes: Uint8Array) => T | null,
  name: string,
  report: Report,
): T | null {
  const record = bytes === undefined ? null : decode(bytes)
  if (bytes === undefined) report(name, 'is missing')
  else if (record === null) report(name, 'does not fit its checksum')
  return record
}

function checkIdentity(bytes: Buffer | undefined, expected: Identity, report: Report): void {
  const stored = sealed(bytes, decodeIdentity, 'identity', report)
  if (
    stored !== null &&
    (stored.clusterId !== expected.clusterId ||
      stored.nodeId !== expected.nodeId ||
      stored.incarnation !== expected.incarnation)
  ) {
    report('identity', 'differs from the identity file beside it')
  }
}

/**
 * The hard state, when it is the newest word on term, vote and log end; null when the guard is.
 *
 * The guard is at most one batch behind: batch n+1 starts only after guard n is durable. With the
 * newer generation in the store, its log may be shorter than the guard's: that batch truncated.
 */
function checkAgainstGuard(
  hardState: HardStateRecord | null,
  guard: GuardRecord,
  guardFile: string,
  report: Report,
): HardStateRecord | null {
  if (hardState === null) return null
  if (hardState.generation < guard.generation) {
    report(
      `entries up to ${String(guard.lastIndex)} and the vote of term ${String(guard.term)}`,
      'have gone back to an older state: the guard file remembers a newer one',
    )
    return null
  }
  const details = {
    storeGeneration: hardState.generation,
    guardGeneration: guard.generation,
    storeLastIndex: hardState.lastIndex,
    guardLastIndex: guard.lastIndex,
    storeTerm: hardState.term,
    guardTerm: guard.term,
  }
  if (hardState.generation > guard.generation + 1 || guard.term > hardState.term) {
    throw guardLost(guardFile, 'is not the one written with this store', details)
  }
  if (hardState.generation === guard.generation && !isSameHead(hardState, guard)) {
    throw guardLost(guardFile, 'differs from the hard state of the same generation', details)
  }
  if (hardState.commit > hardState.lastIndex) {
    report('hard state', `says ${String(hardState.commit)} is committed, beyond the end of the log`)
  }
  return hardState
}

function isSameHead(hardState: HardStateRecord, guard: GuardRecord): boolean {
  return (
    hardState.term === guard.term &&
    hardState.votedFor === guard.votedFor &&
    hardState.lastIndex === guard.lastIndex &&
    hardState.lastTerm === guard.lastTerm &&
    hardState.lastChain.equals(guard.lastChain)
  )
}

function checkAnchor(
  bytes: Buffer | undefined,
  hardState: HardStateRecord | null,
  identity: Identity,
  report: Report,
): Anchor | null {
  const anchor = sealed(bytes, decodeAnchor, 'anchor', report)
  if (anchor === null) return null
  if (hardState !== null && hardState.firstIndex !== anchor.index + 1) {
    report('anchor', `at ${String(anchor.index)} does not fit the hard state`)
    return null
  }
  const isStart = anchor.chain.equals(chainStart(identity.clusterId))
  if ((anchor.index === 0) !== isStart || (anchor.index === 0) !== (anchor.snapshot === null)) {
    report('anchor', 'has the chain value of another log')
    return null
  }
  return anchor
}

function isTailOnly(
  anchor: Anchor,
  runs: readonly IndexRange[],
  damages: readonly Damage[],
): boolean {
  const [first, ...others] = runs
  const lastSound = first?.to ?? anchor.index
  return (
    others.length === 0 &&
    (first === undefined || first.from === anchor.index + 1) &&
    damages.every(({ range }) => range !== null && range.from > lastSound)
  )
}

interface CheckedEntries {
  readonly sound: ReadonlyMap<number, SoundEntry>
  readonly runs: readonly (IndexRange & { readonly chain: string })[]
}

/** Walks the entries as they are stored; after a hole the chain is taken up again where it is. */
function checkEntries(options: {
  readonly stored: readonly StoredEntry[]
  readonly anchor: ChainPoint
  readonly end: ChainPoint
  readonly term: number
  /** False when the hard state is lost: what lies beyond the guard's end was never acknowledged. */
  readonly endIsExact: boolean
  readonly report: Report
}): CheckedEntries {
  const { stored, anchor, end, report } = options
  const sound = new Map<number, SoundEntry>()
  const runs: { from: number; to: number; chain: Buffer }[] = []
  let at: ChainPoint = anchor
  /** Null after a hole: the chain value before the next entry is not known. */
  let chain: Buffer | null = anchor.chain
  for (const { index, value } of stored) {
    const key = `entry ${String(index)}`
    const range = { from: index, to: index }
    if (index <= anchor.index) {
      report(key, 'should have been removed', range)
      continue
    }
    if (index > end.index) {
      if (options.endIsExact) report(key, 'should have been removed', range)
      continue
    }
    if (index !== at.index + 1) {
      reportMissing(at.index + 1, index - 1, report)
      chain = null
    }
    const decoded = decodeEntry(index, value)
    if (decoded.kind === 'bad') {
      report(key, decoded.why, range)
      chain = null
      at = { ...at, index }
      continue
    }
    const { entry } = decoded
    const fits = chain === null || chainAfter(chain, decoded.digest).equals(decoded.chain)
    if (!fits) report(key, 'does not continue the chain of the entries before it', range)
    if (entry.term < at.term || entry.term > options.term) {
      report(key, `has the impossible term ${String(entry.term)}`, range)
    }
    sound.set(index, decoded)
    const run = runs.at(-1)
    if (run !== undefined && chain !== null && fits) {
      run.to = index
      run.chain = decoded.chain
    } else runs.push({ from: index, to: index, chain: decoded.chain })
    chain = decoded.chain
    at = { index, term: entry.term, chain }
  }
  if (at.index < end.index) reportMissing(at.index + 1, end.index, report)
  else if (chain !== null && (at.term !== end.term || !chain.equals(end.chain))) {
    const range = { from: end.index, to: end.index }
    report(`entry ${String(end.index)}`, 'is not the recorded end', range)
  }
  return {
    sound,
    runs: runs.map(({ from, to, chain: at }) => ({ from, to, chain: at.toString('hex') })),
  }
}

function reportMissing(from: number, to: number, report: Report): void {
  report(`entries ${String(from)} to ${String(to)}`, 'are missing', { from, to })
}
