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
  type MemberBuild,
} from '../machine/index.js'
import type { Event, NodeId } from '../raft/index.js'
import type { Verify } from '../signing/index.js'
import type { LeaderWait } from './leader-wait.js'
import type { LeadershipRecord } from './leadership-record.js'
import type { LogClock } from './log-clock.js'
import type { PeerLink } from './ports.js'
import type { ProposedCommands } from './proposed-commands.js'
import { nodeStopping } from './refusals.js'
import type { Submissions } from './submissions.js'

/** A state that lags may not know them yet, so only a leader that is caught up says them. */
const codesOfLag: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNKNOWN_KEY', 'FEATURE_LEVEL'])

export interface AdmissionParts {
  readonly machine: Machine
  readonly verify: Verify
  readonly proposed: ProposedCommands
  /** Put commands into the log without looking at them: a cheating leader, for tests. */
  readonly admitForged: boolean
  readonly leadership: LeadershipRecord
  readonly leaderWait: LeaderWait
  readonly submissions: Submissions
  readonly logClock: LogClock
  readonly nodeId: NodeId
  /** Of the configuration in force, learners and those being left too. */
  readonly members: () => readonly NodeId[]
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
    const { admitForged, leadership, leaderWait, logClock, notLeader } = this.#parts
    this.#refuseWhenStopping()
    await leaderWait.untilKnown()
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
    const payload = this.#parts.proposed.encode(command)
    return this.#parts.submissions.submit((id) => {
      this.#parts.push({ kind: 'propose', id, payload })
    })
  }

  #lookFirst(command: Command): CommandResult | null {
    const { machine, verify, leadership, appliedIndex, notLeader } = this.#parts
    const found = machine.check(command, verify, this.#builds())
    if (found.kind === 'append') return null
    if (found.kind === 'known') return found.result
    // Who does not lead has heard what it happened to hear.
    if (found.refusal.code === 'LEVEL_UNSUPPORTED' && !leadership.leads) throw notLeader()
    if (codesOfLag.has(found.refusal.code)) {
      if (!leadership.leads) throw notLeader()
      if (appliedIndex() < leadership.termStart) return null
    }
    // Refused before the log: no entry carries it.
    return { kind: 'refused', refusal: found.refusal, index: 0, repeated: false }
  }

  /** Of every member of the configuration in force; a link tells what its peer said last. */
  #builds(): readonly MemberBuild[] {
    const { nodeId, members, links } = this.#parts
    const heard = new Map(links().map(({ id, hello }) => [id, hello?.featureLevelMax ?? null]))
    return members().map((id) => ({
      id,
      featureLevelMax: id === nodeId ? featureLevelMax : (heard.get(id) ?? null),
    }))
  }

  #refuseWhenStopping(): void {
    if (this.#parts.isStopping()) throw nodeStopping()
  }
}
