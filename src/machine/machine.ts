/**
 * The replicated state machine: a pure function of state and entry, the same on every node. Each
 * entry runs in a draft of the state that is committed at its end; Preview and the leader's check
 * run the same code on a draft that is dropped.
 */
import { refusal } from '../errors.js'
import type { Refusal } from '../errors.js'
import type { Genesis, Hex32, Ms, Path, Revision } from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { Verify } from '../signing/index.js'
import { ChangeReader } from './change-reader.js'
import type { Command, CommittedCommand } from './commands.js'
import { MultisetDigest, recordHash } from './digest.js'
import type { CommandResult, MachineEvent } from './events.js'
import { writeGenesis } from './genesis-state.js'
import { lawOf } from './law.js'
import type { Law } from './law.js'
import { advance, judgeStamps } from './log-time.js'
import { admit } from './message.js'
import { judgeBuilds, type MemberBuild } from './member-builds.js'
import { Readings } from './reading.js'
import { MembershipView } from './membership.js'
import { createReads } from './reads.js'
import type { MachineReads } from './reads.js'
import { firstResultOf, repeatedResult } from './replay.js'
import { judgeState, stateAfter, stateFrom, type KnownState } from './restore.js'
import { State } from './state.js'
import type { Step } from './step.js'
import { statusOf } from './status.js'
import { submit } from './submit.js'
import type { StateWrite } from './table.js'
import { timedPendingOf } from './timed-pending.js'
import type { MachineStatus, Membership, TimedPending } from './views.js'
import { writtenSince } from './watch.js'
import type { WrittenBatch } from './watch.js'

export interface Applied {
  /** Null for a no-op, and for an entry to which nobody waits for an answer. */
  readonly result: CommandResult | null
  readonly events: readonly MachineEvent[]
  /** All records that changed. */
  readonly writes: readonly StateWrite[]
  /** State digest after this index, hex. */
  readonly digest: Hex32
}

export type Check =
  /** Nobody is known to have said it (checks 1 to 6): refuse, do not append. */
  | { readonly kind: 'noise'; readonly refusal: Refusal }
  /** The same message was applied already; this is its first result. */
  | { readonly kind: 'known'; readonly result: CommandResult }
  | { readonly kind: 'append' }

export interface Machine {
  readonly logTime: Ms
  /** 0 before the first Tick. */
  readonly lastTickIndex: Revision
  readonly reads: MachineReads
  /** Throws VERSION_UNKNOWN when the entry takes the cluster above what this build knows. */
  apply(committed: CommittedCommand, verify: Verify): Applied
  /** A no-op or a configuration entry of Raft: moves the applied index and nothing else. */
  skip(index: Revision, term: number): Applied
  /**
   * What the leader finds out before it appends; no effect. `builds`: of every member of the
   * consensus configuration, itself among them.
   */
  check(command: Command, verify: Verify, builds?: readonly MemberBuild[]): Check
  /** Activations after `revision` that wrote below `prefix`, in log order. */
  writtenSince(revision: Revision, prefix: Path): Iterable<WrittenBatch>
  timedPending(): TimedPending
  status(): MachineStatus
  /** The same object until a change under `/sys/nodes/` is active. */
  membership(): Membership
  /**
   * Puts the state of a snapshot in the place of this one; the machine and its `reads` stay the
   * same objects. `records` in any order. Throws STORE_DAMAGED, and then nothing has changed.
   */
  replaceState(
    records: Iterable<readonly [key: string, value: Uint8Array]>,
    applied: { readonly index: Revision; readonly digest: Hex32 },
  ): void
  /** The records of a new state store. */
  genesisWrites(): readonly StateWrite[]
  /** The digest worked out from all records again; equal to the incremental one. */
  recomputeDigest(): Hex32
}

export function createMachine(genesis: Genesis, clusterId: Hex32): Machine {
  const state = new State()
  state.journal.begin()
  writeGenesis(state, genesis)
  state.journal.commit()
  return new ReplicatedMachine(lawOf(genesis, clusterId), state)
}

/** From the records of a state store, in any order. Throws STORE_DAMAGED. */
export function restoreMachine(
  genesis: Genesis,
  clusterId: Hex32,
  records: Iterable<readonly [key: string, value: Uint8Array]>,
): Machine {
  return new ReplicatedMachine(lawOf(genesis, clusterId), stateFrom(records))
}

/** The same from a state that is known, and what has changed since. Throws STORE_DAMAGED. */
export function restoreMachineAfter(
  genesis: Genesis,
  clusterId: Hex32,
  known: KnownState,
  changes: Iterable<StateWrite>,
): Machine {
  return new ReplicatedMachine(lawOf(genesis, clusterId), stateAfter(known, changes))
}

class ReplicatedMachine implements Machine {
  readonly reads: MachineReads
  private readonly law: Law
  private state: State
  private reader: ChangeReader
  private nodes = new MembershipView()
  private readonly readings = new Readings()

  constructor(law: Law, state: State) {
    this.law = law
    this.state = state
    this.reader = new ChangeReader(state, law)
    this.reads = createReads(
      () => ({ law, state: this.state, reader: this.reader }),
      (command, verify, look) => this.attempt(command, verify, look),
    )
  }

  get logTime(): Ms {
    return this.state.logTime
  }

  get lastTickIndex(): Revision {
    return this.state.stored.lastTickIndex
  }

  apply({ index, term, command }: CommittedCommand, verify: Verify): Applied {
    return this.commit(index, verify, (step) => this.run(step, command, term))
  }

  skip(index: Revision): Applied {
    return this.commit(index, neverVerify, () => null)
  }

  check(command: Command, verify: Verify, builds: readonly MemberBuild[] = []): Check {
    switch (command.kind) {
      case 'undecodable':
        return { kind: 'noise', refusal: undecodable(command.reason) }
      case 'tick': {
        const verdict = judgeStamps(this.law, this.state, command.stamps, verify)
        return verdict.kind === 'refused'
          ? { kind: 'noise', refusal: verdict.refusal }
          : { kind: 'append' }
      }
      case 'submit': {
        const read = this.readings.keep(command, this.state.governance.featureLevel)
        const admission = admit(this.law, this.state, read, verify)
        if (admission.kind === 'noise') return admission
        const { admitted } = admission
        const first = firstResultOf(this.state, admitted)
        if (first !== undefined) return { kind: 'known', result: repeatedResult(first) }
        const { state, reader } = this
        const levelAfter = (): number =>
          this.attempt(command, verify, () => state.governance.featureLevel)
        const tooHigh = judgeBuilds(admitted.message, { state, reader, builds, levelAfter })
        return tooHigh === undefined ? { kind: 'append' } : { kind: 'noise', refusal: tooHigh }
      }
    }
  }

  writtenSince(revision: Revision, prefix: Path): Iterable<WrittenBatch> {
    return writtenSince(this.state, revision, prefix)
  }

  timedPending(): TimedPending {
    return timedPendingOf({ law: this.law, state: this.state, reader: this.reader })
  }

  status(): MachineStatus {
    return statusOf(this.law, this.state)
  }

  membership(): Membership {
    return this.nodes.of(this.state)
  }

  replaceState(
    records: Iterable<readonly [key: string, value: Uint8Array]>,
    applied: { readonly index: Revision; readonly digest: Hex32 },
  ): void {
    // Built whole beside the old one, so that a damaged snapshot leaves everything as it was.
    const state = stateFrom(records)
    judgeState(state, applied)
    this.state = state
    this.reader = new ChangeReader(state, this.law)
    this.nodes = new MembershipView()
  }

  genesisWrites(): readonly StateWrite[] {
    const state = new State()
    state.journal.begin()
    writeGenesis(state, this.law.genesis)
    return state.journal.commit()
  }

  recomputeDigest(): Hex32 {
    const digest = new MultisetDigest()
    for (const table of this.state.tables()) {
      for (const [key, value] of table.records()) digest.add(recordHash(key, value))
    }
    return digest.hex()
  }

  private commit(
    index: Revision,
    verify: Verify,
    effect: (step: Step) => CommandResult | null,
  ): Applied {
    const { state } = this
    invariant(
      index === state.stored.appliedIndex + 1,
      'The state machine is given an entry out of order.',
      { index, appliedIndex: state.stored.appliedIndex },
    )
    const step = this.stepAt(index, verify)
    state.journal.begin()
    let result: CommandResult | null
    try {
      result = effect(step)
      state.setMeta({ appliedIndex: index })
    } catch (thrown) {
      state.journal.drop()
      throw thrown
    }
    const writes = state.journal.commit()
    return { result, events: step.events, writes, digest: state.journal.digest.hex() }
  }

  /** Runs a command on a draft, lets the caller look at it, and drops it. */
  private attempt<Seen>(
    command: Command,
    verify: Verify,
    look: (step: Step, result: CommandResult | null) => Seen,
  ): Seen {
    const { state } = this
    const step = this.stepAt(state.stored.appliedIndex + 1, verify)
    state.journal.begin()
    try {
      return look(step, this.run(step, command, 0))
    } finally {
      state.journal.drop()
    }
  }

  private stepAt(index: Revision, verify: Verify): Step {
    const { law, state, reader } = this
    return { law, state, reader, verify, index, events: [], activated: 0, isTick: false }
  }

  private run(step: Step, command: Command, term: number): CommandResult | null {
    switch (command.kind) {
      case 'undecodable':
        return noise(step, undecodable(command.reason), term)
      case 'tick': {
        const verdict = judgeStamps(this.law, this.state, command.stamps, step.verify)
        if (verdict.kind === 'refused') return noise(step, verdict.refusal, term)
        advance({ ...step, isTick: true }, verdict.ms)
        return { kind: 'accepted', index: step.index, repeated: false }
      }
      case 'submit': {
        const read = this.readings.take(command, this.state.governance.featureLevel)
        const admission = admit(this.law, this.state, read, step.verify)
        if (admission.kind === 'noise') return noise(step, admission.refusal, term)
        return submit(step, admission.admitted)
      }
    }
  }
}

function noise(step: Step, refused: Refusal, accusedTerm: number): CommandResult {
  step.state.setMeta({ noise: step.state.stored.noise + 1 })
  step.events.push({ kind: 'noise', refusal: refused, accusedTerm })
  return { kind: 'refused', refusal: refused, index: step.index, repeated: false }
}

function undecodable(reason: string): Refusal {
  return refusal('MALFORMED_REQUEST', `The entry cannot be decoded: ${reason}`)
}

const neverVerify: Verify = () => false
