/**
 * What a leader owes the configuration in force, read off it anew each time: so every leader goes
 * on with what another one has begun (4.3). Only when that configuration and an entry of the own
 * term are committed, and not while leadership is being handed over.
 */
import type { Core, LeaderState } from '../core.js'
import { becomeFollower } from '../roles.js'
import { furthestVoter, sendTimeoutNow } from '../transfer.js'
import { advanceCatchUps, everyoneHasCaughtUp, majorityIsHeard } from './catch-up.js'
import { appendConfiguration, finalStep, jointStep } from './change.js'
import { isJoint, votesIn } from './configuration.js'

/** Begins the switch to the voters of the plan when it can succeed, and leaves a joint configuration. */
export function continueChange(core: Core, leader: LeaderState): void {
  advanceCatchUps(core, leader)
  if (leader.transfer !== null || !isSettled(core, leader)) return
  const { configuration } = core.configurations.inForce
  if (isJoint(configuration)) {
    appendConfiguration(core, leader, finalStep(configuration))
    return
  }
  const { target } = configuration
  if (target === null || !everyoneHasCaughtUp(leader)) return
  if (majorityIsHeard(core, leader, target)) {
    appendConfiguration(core, leader, jointStep(configuration, target))
  }
}

/**
 * A leader that is no voter any more has led without counting itself, until the configuration that
 * leaves it out was committed. Now it goes, and names the furthest voter to follow it (4.2.2).
 */
export function stepDownIfRemoved(core: Core, leader: LeaderState): void {
  if (!isSettled(core, leader)) return
  if (votesIn(core.configurations.inForce.configuration, core.id)) return
  const heir = furthestVoter(core, leader)
  if (heir !== null) sendTimeoutNow(core, heir)
  becomeFollower(core, core.currentTerm, null)
}

function isSettled(core: Core, leader: LeaderState): boolean {
  return core.configurations.isCommitted && core.commitIndex >= leader.termStart
}
