/**
 * The way of a command into the log. What can be answered without an entry is answered first: the
 * leader's pre-check refuses what every node would refuse, and finds what has been said before.
 */
import type { Logger } from 'pino'
import { CountersignError, type ErrorCode } from '../errors.js'
import {
  featureLevelMax,
  type Command,
  type CommandResult,
  type Machine,
} from '../machine/index.js'
import type { Event } from '../raft/index.js'
import type { Verify } from '../signing/index.js'
import { encodeCommand } from '../wire/index.js'
import type { LeadershipRecord } from './leadership-record.js'
import type { LogClock } from './log-clock.js'
import type { PeerLink } from './ports.js'
import { nodeStopping } from './refusals.js'
import type { Submissions } from './submissions.js'

/** A state that lags may not know them yet, so only a leader that is caught up says them. */
const codesOfLag: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNKNOWN_KEY', 'FEATURE_LEVEL'])

export interface AdmissionParts {
  readonly machine: Machine
  readonly verify: Verify
  /** Put commands into the log without looking at them: a cheating leader, for tests. */
  readonly admitForged: boolean
  readonly leadership: LeadershipRecord
  readonly submissions: Submissions
  readonly logClock: LogClock
  readonly links: () => readonly PeerLink[]
  readonly appliedIndex: () => number
  readonly isStopping: () => boolean
  readonly notLeader: () => CountersignError
  readonly push: (event: Event) => void
  readonly log: Logger
}

export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** As {@link NodePort.submit}. */
  async submit(command: Command): Promise<CommandResult> {
    const { admitForged, leadership, logClock, notLeader } = this.#parts
    this.#refuseWhenStopping()
    const early = admitForged ? null : this.#lookFirst(command)
    if (early !== null) return early
    if (!leadership.leads) throw notLeader()
    await logClock.beforeCommand()
    this.#refuseWhenStopping()
    return this.#propose(command)
  }

  /** Nobody waits for a Tick: one that is lost is followed by the next. */
  proposeTick(tick: Command): void {
    const { isStopping, log } = this.#parts
    if (isStopping()) return
    this.#propose(tick).catch((error: unknown) => {
      log.debug({ code: CountersignError.from(error).code }, 'tick not committed')
    })
  }

  #propose(command: Command): Promise<CommandResult> {
    const payload = encodeCommand(command)
    return this.#parts.submissions.submit((id) => {
      this.#parts.push({ kind: 'propose', id, payload })
    })
  }

  #lookFirst(command: Command): CommandResult | null {
    const { machine, verify, leadership, appliedIndex, notLeader } = this.#parts
    const found = machine.check(command, verify, this.#levelKnown())
    if (found.kind === 'append') return null
    if (found.kind === 'known') return found.result
    if (codesOfLag.has(found.refusal.code)) {
      if (!leadership.leads) throw notLeader()
      if (appliedIndex() < leadership.termStart) return null
    }
    // Refused before the log: no entry carries it.
    return { kind: 'refused', refusal: found.refusal, index: 0, repeated: false }
  }

  /** The highest feature level that this build and those of all peers heard so far know. */
  #levelKnown(): number {
    const heard = this.#parts.links().flatMap(({ hello }) => hello?.featureLevelMax ?? [])
    return Math.min(featureLevelMax, ...heard)
  }

  #refuseWhenStopping(): void {
    if (this.#parts.isStopping()) throw nodeStopping()
  }
}
