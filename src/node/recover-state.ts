/**
 * The state machine as it stands after a restart: from the state store when that is whole, else
 * from the newest snapshot or from genesis, and the log is applied again. The state store is not
 * synced, so an older or torn one is an ordinary thing after a power cut; its digest, worked out
 * again, tells.
 */
import { CountersignError } from '../errors.js'
import type { Genesis } from '../approval/index.js'
import {
  createMachine,
  restoreMachine,
  restoreMachineAfter,
  type Machine,
} from '../machine/index.js'
import type { AppliedPoint, SnapshotStore, StateStore } from '../storage/index.js'
import { replaceStore } from './replace-store.js'

export interface RecoveredState {
  readonly machine: Machine
  readonly appliedIndex: number
  /** Why the stored state was thrown away; null when it was used, or there was none. */
  readonly rebuilt: string | null
}

export interface RecoverStateOptions {
  readonly genesis: Genesis
  readonly clusterId: string
  readonly stateStore: StateStore
  readonly snapshotStore: SnapshotStore
  /** First index that the log still holds: an older state cannot be brought up to date by it. */
  readonly firstIndex: number
  /** End of the durable log: nothing beyond it can have been applied. */
  readonly lastIndex: number
}

/** Throws STORE_DAMAGED when the snapshot that is needed is missing or broken. */
export async function recoverState(options: RecoverStateOptions): Promise<RecoveredState> {
  const { genesis, clusterId, stateStore, snapshotStore, firstIndex, lastIndex } = options
  const stored = (await readFromSnapshot(options)) ?? (await readStored(options))
  if (stored.kind === 'whole') {
    return { machine: stored.machine, appliedIndex: stored.applied.index, rebuilt: null }
  }
  const snapshot = snapshotStore.latest()
  const from = snapshot?.index ?? 0
  const rebuilt =
    stored.kind === 'broken' ? `${stored.why}; ${String(lastIndex - from)} entries` : null
  if (snapshot !== null) {
    const machine = await fromSnapshot(options, snapshot.index, snapshot)
    return { machine, appliedIndex: snapshot.index, rebuilt }
  }
  if (firstIndex > 1) throw missingSnapshot(firstIndex)
  if (stored.kind === 'broken') await stateStore.clear()
  const machine = createMachine(genesis, clusterId)
  await stateStore.write(machine.genesisWrites(), {
    index: 0,
    term: 0,
    digest: machine.recomputeDigest(),
  })
  return { machine, appliedIndex: 0, rebuilt }
}

async function fromSnapshot(
  { genesis, clusterId, stateStore, snapshotStore }: RecoverStateOptions,
  index: number,
  snapshot: { readonly term: number; readonly stateDigest: string },
): Promise<Machine> {
  const records = await recordsOf(snapshotStore, index)
  const machine = restoreMachine(genesis, clusterId, records)
  if (machine.status().stateDigest !== snapshot.stateDigest) {
    throw new CountersignError(
      'STORE_DAMAGED',
      `The records of the snapshot at ${String(index)} do not make the state that it names.`,
      { details: { index } },
    )
  }
  const { term, stateDigest: digest } = snapshot
  await replaceStore(stateStore, records, { index, term, digest })
  return machine
}

async function recordsOf(
  snapshotStore: SnapshotStore,
  index: number,
): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
  const records = []
  for await (const portion of snapshotStore.records(index)) {
    for (const record of portion) records.push(record)
  }
  return records
}

function missingSnapshot(firstIndex: number): CountersignError {
  return new CountersignError(
    'STORE_DAMAGED',
    `The log begins at ${String(firstIndex)}, and the snapshot that covers what is before it is missing.`,
    { details: { firstIndex } },
  )
}

type Stored =
  | { readonly kind: 'whole'; readonly machine: Machine; readonly applied: AppliedPoint }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly why: string }

/**
 * Most of the state stands in the newest snapshot, which was verified when it was opened; the state
 * store says what changed since. Null when it cannot, or when that does not come to the digest of
 * the applied point: then everything is read.
 */
async function readFromSnapshot(options: RecoverStateOptions): Promise<Stored | null> {
  const { genesis, clusterId, stateStore, snapshotStore, lastIndex } = options
  try {
    const snapshot = snapshotStore.latest()
    const applied = await stateStore.readApplied()
    if (snapshot === null || applied === null) return null
    if (applied.index < snapshot.index || applied.index > lastIndex) return null
    const changes = await stateStore.readSince(snapshot.index)
    if (changes === null) return null
    const records = await recordsOf(snapshotStore, snapshot.index)
    const known = { records, digest: snapshot.stateDigest }
    const machine = restoreMachineAfter(genesis, clusterId, known, changes)
    const { stateDigest, appliedIndex } = machine.status()
    if (stateDigest !== applied.digest || appliedIndex !== applied.index) return null
    return { kind: 'whole', machine, applied }
  } catch {
    // Whatever it was, reading everything meets it again and names it.
    return null
  }
}

async function readStored(options: RecoverStateOptions): Promise<Stored> {
  const { genesis, clusterId, stateStore, firstIndex, lastIndex } = options
  try {
    const applied = await stateStore.readApplied()
    const records: (readonly [string, Uint8Array])[] = []
    for await (const record of stateStore.readAll()) records.push(record)
    if (applied === null) {
      const { thrownAway } = stateStore
      if (thrownAway !== undefined) return { kind: 'broken', why: thrownAway }
      if (records.length === 0) return { kind: 'none' }
      return { kind: 'broken', why: 'it has records but no applied point' }
    }
    if (applied.index > lastIndex) {
      return { kind: 'broken', why: 'it is ahead of the durable log' }
    }
    if (applied.index + 1 < firstIndex) {
      return { kind: 'broken', why: 'it is older than what the log still holds' }
    }
    const machine = restoreMachine(genesis, clusterId, records)
    if (machine.status().stateDigest !== applied.digest) {
      return { kind: 'broken', why: 'its digest does not fit its records' }
    }
    if (machine.status().appliedIndex !== applied.index) {
      return { kind: 'broken', why: 'its records are not those of its applied point' }
    }
    return { kind: 'whole', machine, applied }
  } catch (thrown) {
    // Rotten records fail in any way; whatever it was, snapshot and log make the state again.
    return { kind: 'broken', why: CountersignError.from(thrown).message }
  }
}
