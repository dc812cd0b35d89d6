/**
 * The checks on opening a Raft store: identity, guard, the whole log from the anchor on, and the
 * end of the log against hard state and guard. Whatever fails is damage; nothing is truncated or
 * repaired here, because a rotten middle and a torn tail look alike once records are dropped.
 */
import type { Level } from 'level'
import { CountersignError } from '../errors.js'
import type { Entry } from '../raft/index.js'
import { damaged, openFailure } from './failure.js'
import { describeRaftKey, entryIndexOf } from './keys.js'
import {
  chainAfter,
  chainStart,
  decodeAnchor,
  decodeEntry,
  decodeHardState,
  decodeIdentity,
  type Anchor,
  type GuardRecord,
  type HardStateRecord,
  type Identity,
} from './record.js'

export type BinaryLevel = Level<Buffer, Buffer>

export interface CheckedLog {
  readonly hardState: HardStateRecord
  readonly entries: readonly Entry[]
}

export async function recoverLog(options: {
  readonly db: BinaryLevel
  readonly file: string
  readonly guardFile: string
  readonly identity: Identity
  readonly guard: GuardRecord
}): Promise<CheckedLog> {
  const { db, file, guardFile, identity, guard } = options
  const records = await readRecords(db, file)
  checkIdentity(records, file, identity)
  if (guard.clusterId !== identity.clusterId || guard.incarnation !== identity.incarnation) {
    throw damaged(guardFile, 'the guard', 'belongs to another node or cluster')
  }
  const hardState = sealed(records.hardState, decodeHardState, file, 'hard state')
  const anchor = sealed(records.anchor, decodeAnchor, file, 'anchor')
  checkAgainstGuard(hardState, guard, file, guardFile)
  if (hardState.firstIndex !== anchor.index + 1 || anchor.index !== 0) {
    throw damaged(file, 'anchor', `at ${String(anchor.index)} does not fit the hard state`)
  }
  if (!anchor.chain.equals(chainStart(identity.clusterId))) {
    throw damaged(file, 'anchor', 'has the chain value of another log')
  }
  const entries = checkEntries(records.entries, anchor, hardState, file)
  return { hardState, entries }
}

interface RaftRecords {
  readonly identity: Buffer | undefined
  readonly hardState: Buffer | undefined
  readonly anchor: Buffer | undefined
  readonly entries: readonly { readonly index: number; readonly value: Buffer }[]
}

async function readRecords(db: BinaryLevel, file: string): Promise<RaftRecords> {
  const single = new Map<string, Buffer>()
  const entries: { index: number; value: Buffer }[] = []
  let last = 'the first key'
  try {
    for await (const [key, value] of db.iterator({ fillCache: false })) {
      last = describeRaftKey(key)
      const index = entryIndexOf(key)
      if (index !== null) entries.push({ index, value })
      else if (last.startsWith('unknown key')) throw damaged(file, last, 'does not belong here')
      else single.set(last, value)
    }
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown
    const failure = openFailure(file, thrown)
    if (failure.code !== 'STORE_DAMAGED') throw failure
    throw damaged(file, `what follows ${last}`, 'cannot be read', failure.details)
  }
  return {
    identity: single.get('identity'),
    hardState: single.get('hardState'),
    anchor: single.get('anchor'),
    entries,
  }
}

function sealed<T>(
  bytes: Buffer | undefined,
  decode: (bytes: Uint8Array) => T | null,
  file: string,
  name: string,
): T {
  if (bytes === undefined) throw damaged(file, name, 'is missing')
  const record = decode(bytes)
  if (record === null) throw damaged(file, name, 'does not fit its checksum')
  return record
}

function checkIdentity(records: RaftRecords, file: string, expected: Identity): void {
  const stored = sealed(records.identity, decodeIdentity, file, 'identity')
  if (
    stored.clusterId !== expected.clusterId ||
    stored.nodeId !== expected.nodeId ||
    stored.incarnation !== expected.incarnation
  ) {
    throw damaged(file, 'identity', 'differs from the identity file beside it')
  }
}

/**
 * The guard is at most one batch behind: batch n+1 starts only after guard n is durable. With the
 * newer generation in the store, its log may be shorter than the guard's: that batch truncated.
 */
function checkAgainstGuard(
  hardState: HardStateRecord,
  guard: GuardRecord,
  file: string,
  guardFile: string,
): void {
  const details = {
    storeGeneration: hardState.generation,
    guardGeneration: guard.generation,
    storeLastIndex: hardState.lastIndex,
    guardLastIndex: guard.lastIndex,
    storeTerm: hardState.term,
    guardTerm: guard.term,
  }
  if (hardState.generation < guard.generation) {
    throw damaged(
      file,
      `entries up to ${String(guard.lastIndex)} and the vote of term ${String(guard.term)}`,
      'have gone back to an older state: the guard file remembers a newer one',
      details,
    )
  }
  if (hardState.generation > guard.generation + 1 || guard.term > hardState.term) {
    throw damaged(guardFile, 'the guard', 'is not the one written with this store', details)
  }
  if (
    hardState.generation === guard.generation &&
    !(
      hardState.term === guard.term &&
      hardState.votedFor === guard.votedFor &&
      hardState.lastIndex === guard.lastIndex &&
      hardState.lastTerm === guard.lastTerm &&
      hardState.lastChain.equals(guard.lastChain)
    )
  ) {
    throw damaged(file, 'hard state', 'differs from the guard of the same generation', details)
  }
}

function checkEntries(
  stored: RaftRecords['entries'],
  anchor: Anchor,
  hardState: HardStateRecord,
  file: string,
): readonly Entry[] {
  const entries: Entry[] = []
  let chain = anchor.chain
  let term = anchor.term
  let expected = anchor.index + 1
  for (const { index, value } of stored) {
    const key = `entry ${String(index)}`
    if (index !== expected) {
      const range = `entries ${String(expected)} to ${String(index - 1)}`
      throw damaged(file, range, 'are missing', { from: expected, to: index - 1 })
    }
    const decoded = decodeEntry(index, value)
    if (decoded.kind === 'bad') throw damaged(file, key, decoded.why, { index })
    chain = chainAfter(chain, decoded.digest)
    if (!chain.equals(decoded.chain)) {
      throw damaged(file, key, 'does not continue the chain of the entries before it', { index })
    }
    if (decoded.entry.term < term || decoded.entry.term > hardState.term) {
      throw damaged(file, key, `has the impossible term ${String(decoded.entry.term)}`, { index })
    }
    term = decoded.entry.term
    entries.push(decoded.entry)
    expected = index + 1
  }
  checkEnd({ lastIndex: expected - 1, lastTerm: term, chain }, hardState, file)
  return entries
}

function checkEnd(
  log: { readonly lastIndex: number; readonly lastTerm: number; readonly chain: Buffer },
  hardState: HardStateRecord,
  file: string,
): void {
  const details = { lastIndex: log.lastIndex, expectedLastIndex: hardState.lastIndex }
  if (log.lastIndex < hardState.lastIndex) {
    const range = `entries ${String(log.lastIndex + 1)} to ${String(hardState.lastIndex)}`
    throw damaged(file, range, 'are missing', details)
  }
  if (log.lastIndex > hardState.lastIndex) {
    const range = `entries ${String(hardState.lastIndex + 1)} to ${String(log.lastIndex)}`
    throw damaged(file, range, 'should have been removed', details)
  }
  if (log.lastTerm !== hardState.lastTerm || !log.chain.equals(hardState.lastChain)) {
    throw damaged(file, `entry ${String(log.lastIndex)}`, 'is not the recorded end', details)
  }
  if (hardState.commit > hardState.lastIndex) {
    throw damaged(
      file,
      'hard state',
      `says ${String(hardState.commit)} is committed, beyond the end of the log`,
      details,
    )
  }
}
