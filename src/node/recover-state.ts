/**
 * The state machine as it stands after a restart: from the state store when that is whole, else
 * from genesis, and the log is applied again. The state store is not synced, so an older or torn
 * one is an ordinary thing after a power cut; its digest, worked out again, tells.
 */
import { CountersignError } from '../errors.js'
import type { Genesis } from '../approval/index.js'
import { createMachine, restoreMachine, type Machine } from '../machine/index.js'
import type { AppliedPoint, StateStore } from '../storage/index.js'

export interface RecoveredState {
  readonly machine: Machine
  readonly appliedIndex: number
  /** Why the stored state was thrown away; null when it was used, or there was none. */
  readonly rebuilt: string | null
}

export async function recoverState(options: {
  readonly genesis: Genesis
  readonly clusterId: string
  readonly stateStore: StateStore
  /** End of the durable log: nothing beyond it can have been applied. */
  readonly lastIndex: number
}): Promise<RecoveredState> {
  const { genesis, clusterId, stateStore, lastIndex } = options
  const stored = await readStored(options)
  if (stored.kind === 'whole') {
    return { machine: stored.machine, appliedIndex: stored.applied.index, rebuilt: null }
  }
  if (stored.kind === 'broken') await stateStore.clear()
  const machine = createMachine(genesis, clusterId)
  await stateStore.write(machine.genesisWrites(), {
    index: 0,
    term: 0,
    digest: machine.recomputeDigest(),
  })
  const rebuilt = stored.kind === 'broken' ? `${stored.why}; ${String(lastIndex)} entries` : null
  return { machine, appliedIndex: 0, rebuilt }
}

type Stored =
  | { readonly kind: 'whole'; readonly machine: Machine; readonly applied: AppliedPoint }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly why: string }

async function readStored(options: {
  readonly genesis: Genesis
  readonly clusterId: string
  readonly stateStore: StateStore
  readonly lastIndex: number
}): Promise<Stored> {
  const { genesis, clusterId, stateStore, lastIndex } = options
  try {
    const applied = await stateStore.readApplied()
    const records: (readonly [string, Uint8Array])[] = []
    for await (const record of stateStore.readAll()) records.push(record)
    if (applied === null) {
      if (records.length === 0) return { kind: 'none' }
      return { kind: 'broken', why: 'it has records but no applied point' }
    }
    if (applied.index > lastIndex) {
      return { kind: 'broken', why: 'it is ahead of the durable log' }
    }
    const machine = restoreMachine(genesis, clusterId, records)
    if (machine.recomputeDigest() !== applied.digest) {
      return { kind: 'broken', why: 'its digest does not fit its records' }
    }
    if (machine.status().appliedIndex !== applied.index) {
      return { kind: 'broken', why: 'its records are not those of its applied point' }
    }
    return { kind: 'whole', machine, applied }
  } catch (thrown) {
    // Rotten records fail in any way; whatever it was, the log makes the state again.
    return { kind: 'broken', why: CountersignError.from(thrown).message }
  }
}
