/**
 * A change of the members, asked of the leader: what is refused, and the entry that begins it.
 * Every change of voters goes through a joint configuration (4.3), that of one voter too: there is
 * one path, and it is the one that the dissertation proves.
 */
import { advanceCommit } from '../commit.js'
import type { Core, LeaderState } from '../core.js'
import { trace } from '../trace.js'
import {
  logIndex,
  type Configuration,
  type Event,
  type LogIndex,
  type MembershipOutcome,
  type NodeId,
} from '../types.js'
import { isHeard, majorityIsHeard } from './catch-up.js'
import { encodeConfiguration } from './codec.js'
import { isJoint, sorted } from './configuration.js'
import { appendToLog } from './in-force.js'

export type MembershipChange = Omit<Extract<Event, { kind: 'changeMembership' }>, 'kind'>
type Refusal = Pick<Extract<MembershipOutcome, { kind: 'refused' }>, 'code' | 'pendingIndex'>

export function changeMembership(core: Core, change: MembershipChange): void {
  const { id } = change
  const refusal = refusalOf(core, change)
  if (refusal !== null || core.role.kind !== 'leader') {
    const { code, pendingIndex } = refusal ?? { code: 'NOT_LEADER', pendingIndex: null }
    core.output.memberships.push({ id, kind: 'refused', code, leader: core.leader, pendingIndex })
    trace(core, 'Refused', { what: 'change of members', code })
    return
  }
  const { role } = core
  const current = core.configurations.inForce.configuration
  const next = firstStep(current, change, {
    keepsUp: (learner) => keepsUp(core, role, learner),
    majorityAnswers: majorityIsHeard(core, role, change.voters),
  })
  const index = appendConfiguration(core, role, next)
  core.output.memberships.push({ id, kind: 'appended', index, term: core.currentTerm })
}

/**
 * Appends a configuration, which is in force with that: it exempts itself from the limit of
 * uncommitted bytes, since a change may be what lets the waiting entries commit.
 */
export function appendConfiguration(
  core: Core,
  leader: LeaderState,
  configuration: Configuration,
): LogIndex {
  const index = logIndex(core.log.lastIndex + 1)
  const payload = encodeConfiguration(configuration)
  leader.uncommittedBytes += payload.length
  trace(core, 'ChangeConf', { index, configuration })
  appendToLog(core, [{ index, term: core.currentTerm, kind: 'configuration', payload }])
  // Fewer voters may hold more: entries before this one may be committed by it.
  advanceCommit(core)
  return index
}

/** The voters of the target, with the old ones beside them; who is left over learns (4.3). */
export function jointStep(current: Configuration, target: readonly NodeId[]): Configuration {
  return {
    voters: target,
    outgoing: current.voters,
    learners: current.learners.filter((id) => !target.includes(id)),
    target: null,
  }
}

/** C_new of a joint configuration. */
export function finalStep(joint: Configuration): Configuration {
  return { ...joint, outgoing: [] }
}

/**
 * The first entry of a change. Voters who are new and not known to keep up become learners first,
 * and the wish is written down beside them; so it is when no majority of the wanted voters answers,
 * since a switch would end all commits. Else voters that change take over jointly, at once.
 */
export function firstStep(
  current: Configuration,
  wanted: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] },
  now: { readonly keepsUp: (learner: NodeId) => boolean; readonly majorityAnswers: boolean },
): Configuration {
  const voters = sorted(wanted.voters)
  const newcomers = voters.filter((id) => !current.voters.includes(id))
  const plain: Configuration = {
    voters: current.voters,
    outgoing: [],
    learners: sorted([...wanted.learners, ...newcomers]),
    target: voters,
  }
  if (newcomers.length === 0 && voters.length === current.voters.length) {
    return { ...plain, target: null }
  }
  const isReady = newcomers.every((id) => current.learners.includes(id) && now.keepsUp(id))
  return isReady && now.majorityAnswers ? jointStep(plain, voters) : plain
}

function refusalOf(core: Core, change: MembershipChange): Refusal | null {
  if (core.role.kind !== 'leader') return { code: 'NOT_LEADER', pendingIndex: null }
  if (core.role.transfer !== null) return { code: 'BUSY', pendingIndex: null }
  const ids = [...change.voters, ...change.learners]
  if (change.voters.length === 0 || new Set(ids).size !== ids.length || ids.includes('')) {
    return { code: 'INVALID', pendingIndex: null }
  }
  const { inForce, isCommitted } = core.configurations
  if (!isCommitted || isJoint(inForce.configuration)) {
    return { code: 'PENDING', pendingIndex: inForce.index }
  }
  // Without an own-term commit a leader may build on a configuration that another one has replaced.
  if (core.commitIndex < core.role.termStart) return { code: 'PENDING', pendingIndex: null }
  if (change.basedOn !== null && change.basedOn !== inForce.index) {
    return { code: 'STALE', pendingIndex: null }
  }
  return null
}

/** It holds the whole log and was heard lately: no round is needed to know it. */
function keepsUp(core: Core, leader: LeaderState, learner: NodeId): boolean {
  const progress = leader.peers.get(learner)
  if (progress === undefined || !isHeard(core, progress)) return false
  return (
    progress.matchIndex === core.log.lastIndex || leader.catchUps.get(learner)?.caughtUp === true
  )
}
