/**
 * Learners that shall become voters catch up in rounds (4.2.1): a round is over when the learner
 * holds what the leader's log held when the round began. A round shorter than the least election
 * timeout shows that it keeps up: as a voter it would stall commits for less than an election would.
 * There is no limit of rounds; who does not get there stays a learner, and the status shows why.
 */
import type { CatchUp, Core, LeaderState } from '../core.js'
import type { Progress } from '../progress/progress.js'
import { hasQuorum } from '../quorum.js'
import { trace } from '../trace.js'
import type { CatchUpStatus, NodeId } from '../types.js'

/** Learners of the configuration in force that its target makes voters. */
function promotedOf(core: Core): readonly NodeId[] {
  const { voters, target } = core.configurations.inForce.configuration
  return (target ?? []).filter((id) => !voters.includes(id))
}

/** Rounds begin with the configuration that plans the promotion, or with a new leadership. */
export function followCatchUps(core: Core, leader: LeaderState): void {
  const promoted = promotedOf(core)
  for (const id of leader.catchUps.keys()) {
    if (!promoted.includes(id)) leader.catchUps.delete(id)
  }
  for (const id of promoted) {
    if (!leader.catchUps.has(id)) leader.catchUps.set(id, startRound(core, 0))
  }
}

/** Ends the rounds that are over. Who falls silent has to show again that it keeps up. */
export function advanceCatchUps(core: Core, leader: LeaderState): void {
  for (const [id, catchUp] of leader.catchUps) {
    const progress = leader.peers.get(id)
    if (progress === undefined) continue
    const heard = isHeard(core, progress)
    if (!heard && catchUp.caughtUp) {
      leader.catchUps.set(id, startRound(core, catchUp.rounds))
    } else if (heard && !catchUp.caughtUp && progress.matchIndex >= catchUp.roundEnd) {
      leader.catchUps.set(id, endRound(core, id, catchUp))
    }
  }
}

export function isHeard(core: Core, progress: Progress): boolean {
  return core.now - progress.heardAtTicks <= core.options.electionTicksMin
}

/**
 * May these voters take over now? Once the change is joint, nothing commits without a majority of
 * them, so a leader does not begin it while too few answer.
 */
export function majorityIsHeard(
  core: Core,
  leader: LeaderState,
  voters: readonly NodeId[],
): boolean {
  return hasQuorum({ voters, outgoing: [] }, (id) => {
    const progress = leader.peers.get(id)
    return id === core.id || (progress !== undefined && isHeard(core, progress))
  })
}

export function everyoneHasCaughtUp(leader: LeaderState): boolean {
  return [...leader.catchUps.values()].every(({ caughtUp }) => caughtUp)
}

function endRound(core: Core, id: NodeId, catchUp: CatchUp): CatchUp {
  const ticks = core.now - catchUp.roundStartedAtTicks
  const caughtUp = ticks < core.options.electionTicksMin
  const rounds = catchUp.rounds + 1
  trace(core, 'LearnerRound', { peer: id, rounds, ticks, caughtUp })
  return { ...startRound(core, rounds), caughtUp, lastRoundTicks: ticks }
}

function startRound(core: Core, rounds: number): CatchUp {
  const { lastIndex } = core.log
  return {
    rounds,
    caughtUp: false,
    roundEnd: lastIndex,
    roundStartedAtTicks: core.now,
    lastRoundTicks: null,
  }
}

/** Null for who is no learner that shall be promoted. */
export function catchUpStatus(core: Core, leader: LeaderState, id: NodeId): CatchUpStatus | null {
  const catchUp = leader.catchUps.get(id)
  const progress = leader.peers.get(id)
  if (catchUp === undefined || progress === undefined) return null
  const { rounds, caughtUp, lastRoundTicks } = catchUp
  const waitsFor = isHeard(core, progress) ? whatLacks(core, leader, catchUp) : 'silent'
  const roundTicksMax = core.options.electionTicksMin
  return { rounds, caughtUp, lastRoundTicks, roundTicksMax, waitsFor }
}

/** In the order in which the promotion asks for it (duties.ts). */
function whatLacks(
  core: Core,
  leader: LeaderState,
  { caughtUp, lastRoundTicks }: CatchUp,
): CatchUpStatus['waitsFor'] {
  if (!caughtUp) return lastRoundTicks === null ? 'round' : 'slow'
  if (!everyoneHasCaughtUp(leader)) return 'others'
  const { target } = core.configurations.inForce.configuration
  return target === null || majorityIsHeard(core, leader, target) ? null : 'majority'
}
