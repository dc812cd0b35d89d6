/**
 * The log of a simulated disk as the bytes that the real store writes, so that it can rot: bits
 * flip, values are cut short, records and whole files vanish, a store falls back to an older one.
 * What a start makes of it is the real judgement (storage/judge-log.ts).
 */
import type { Damage, DamageReport, Identity } from '../../../src/storage/index.js'
import { judgeLog } from '../../../src/storage/judge-log.js'
import type { MemoryLogDisk } from '../../../src/storage/memory-log-store.js'
import {
  encodeAnchor,
  encodeEntry,
  encodeHardState,
  encodeIdentity,
  type GuardRecord,
} from '../../../src/storage/record.js'
import type { SnapshotInfo, SnapshotStore } from '../../../src/storage/snapshot-store.js'
import type { StoredEntry, SurveyedLog } from '../../../src/storage/survey-log.js'
import type { SeededRandom } from '../random.js'

/** Any number does: the guard is as new as the store, until the store falls back. */
const generation = 2

export const rots = [
  'an entry rots',
  'entries vanish',
  'the end vanishes',
  'a value is cut short',
  'the hard state rots',
  'the anchor rots',
  'the store falls back',
  'the store is missing',
] as const

export type Rot = (typeof rots)[number]

export interface StoredLog {
  readonly surveyed: SurveyedLog
  readonly guard: GuardRecord
  readonly identity: Identity
}

/** `newest`: the snapshot that covers what was cut off. */
export function storedLogOf(
  log: MemoryLogDisk,
  identity: Identity,
  newest: SnapshotInfo | null,
): StoredLog {
  const { hardState, anchor, entries } = log.open().recovered
  const chainAt = (index: number): Buffer =>
    Buffer.from(log.chainAt(index as typeof anchor.index) ?? '', 'hex')
  const stored: StoredEntry[] = []
  let chain = chainAt(anchor.index)
  for (const entry of entries) {
    const encoded = encodeEntry(entry, chain)
    chain = encoded.chain
    stored.push({ index: entry.index, value: encoded.value })
  }
  const { index: lastIndex, term: lastTerm } = entries.at(-1) ?? anchor
  const { term, votedFor, commit } = hardState
  const head = { generation, term, votedFor, lastIndex, lastTerm, lastChain: chain }
  const snapshot =
    anchor.index === 0 || newest === null ? null : { index: newest.index, digest: newest.digest }
  return {
    identity,
    guard: { ...head, clusterId: identity.clusterId, incarnation: identity.incarnation },
    surveyed: {
      identity: encodeIdentity(identity),
      hardState: encodeHardState({ ...head, commit, firstIndex: anchor.index + 1 }),
      anchor: encodeAnchor({ ...anchor, chain: chainAt(anchor.index), snapshot }),
      entries: stored,
      damages: [],
    },
  }
}

/** Null when there is nothing that could rot in this way. */
export function rotten(sound: StoredLog, rot: Rot, random: SeededRandom): StoredLog | null {
  const { surveyed } = sound
  const { entries } = surveyed
  const at = random.int(0, Math.max(0, entries.length - 1))
  const withEntries = (next: readonly StoredEntry[]): StoredLog | null =>
    entries.length === 0 ? null : { ...sound, surveyed: { ...surveyed, entries: next } }
  const replaced = (change: (value: Buffer) => Buffer): StoredLog | null =>
    withEntries(
      entries.map((entry, index) =>
        index === at ? { ...entry, value: change(entry.value) } : entry,
      ),
    )
  switch (rot) {
    case 'an entry rots':
      return replaced((value) => flipped(value, random))
    case 'a value is cut short':
      return replaced((value) => value.subarray(0, random.int(0, value.length - 1)))
    case 'entries vanish': {
      const count = random.int(1, 8)
      return withEntries(entries.filter((_, index) => index < at || index >= at + count))
    }
    case 'the end vanishes':
      return withEntries(entries.slice(0, at))
    case 'the hard state rots':
      return { ...sound, surveyed: { ...surveyed, hardState: rottenRecord(surveyed.hardState) } }
    case 'the anchor rots':
      return { ...sound, surveyed: { ...surveyed, anchor: rottenRecord(surveyed.anchor) } }
    case 'the store falls back':
      // Everything in it fits; only the guard remembers that there was more.
      return withEntries(entries.slice(0, at)) && fallenBack(sound, at)
    case 'the store is missing':
      return {
        ...sound,
        surveyed: {
          identity: undefined,
          hardState: undefined,
          anchor: undefined,
          entries: [],
          damages: [{ file: 'raft', key: 'the store', problem: 'is missing', range: null }],
        },
      }
  }

  function rottenRecord(bytes: Buffer | undefined): Buffer | undefined {
    return bytes === undefined || random.chance(0.3) ? undefined : flipped(bytes, random)
  }
}

/** What a start finds; null when nothing is wrong. `spoilt`: snapshot files that were found rotten. */
export function examined(
  { surveyed, guard, identity }: StoredLog,
  snapshots: SnapshotStore,
  spoilt: readonly string[],
): DamageReport | null {
  const judged = judgeLog({ surveyed, file: 'raft', guardFile: 'guard', identity, guard })
  const damages: Damage[] = [
    ...judged.damages,
    ...spoilt.map((file) => ({ file, key: 'the snapshot', problem: 'is rotten', range: null })),
  ]
  const cutAt = judged.remains.anchor?.index ?? 0
  if (cutAt > (snapshots.latest()?.index ?? 0)) {
    const key = `a snapshot at ${String(cutAt)} or above`
    damages.push({ file: 'snapshots', key, problem: 'is missing', range: null })
  }
  if (damages.length === 0) return null
  const { remains, sound } = judged
  return { directory: 'simulated', identity, damages, guard, remains, sound, snapshots }
}

/** The store as it was when `count` entries stood in it, one generation ago. */
function fallenBack(sound: StoredLog, count: number): StoredLog {
  const { surveyed, guard } = sound
  const entries = surveyed.entries.slice(0, count)
  const last = entries.at(-1)
  const firstIndex = surveyed.entries[0]?.index ?? guard.lastIndex + 1
  const hardState = encodeHardState({
    generation: generation - 1,
    term: guard.term,
    votedFor: null,
    commit: firstIndex - 1,
    firstIndex,
    lastIndex: last?.index ?? firstIndex - 1,
    lastTerm: 0,
    lastChain: last?.value.subarray(-32) ?? guard.lastChain,
  })
  return { ...sound, surveyed: { ...surveyed, entries, hardState } }
}

function flipped(bytes: Buffer, random: SeededRandom): Buffer {
  const next = Buffer.from(bytes)
  const at = random.int(0, next.length - 1)
  next[at] = (next[at] ?? 0) ^ (1 << random.int(0, 7))
  return next
}
