/** Whom a node follows, and how it comes to doubt. */
import type { Core } from './core.js'
import { becomeFollower, campaignInTurn, restartElectionTimer } from './roles.js'
import { trace } from './trace.js'
import type { NodeId } from './types.js'

/**
 * A message of this term's leader has come. Returns false when it must not be acknowledged: the
 * node distrusts this leader, or the message contradicts what is known of this term.
 */
export function followLeader(core: Core, leader: NodeId): boolean {
  const { distrusted } = core
  if (distrusted?.term === core.currentTerm && core.now < distrusted.untilTicks) {
    trace(core, 'Refused', { what: 'distrusted leader', from: leader })
    return false
  }
  // A node that led this term and stepped down follows nobody in it either.
  if (core.leaderOfTerm !== null && core.leaderOfTerm !== leader) {
    trace(core, 'Refused', { what: 'second leader of one term', from: leader })
    return false
  }
  core.leaderHeardAtTicks = core.now
  if (core.leader === leader) restartElectionTimer(core)
  else becomeFollower(core, core.currentTerm, leader)
  return true
}

/**
 * While the leader was heard within the least election timeout, no vote and no pre-vote is given:
 * a node that comes back, or was removed, cannot disturb (4.2.3). A leader withholds as long as it
 * leads; check-quorum bounds that.
 */
export function withholdsVotes(core: Core): boolean {
  if (core.role.kind === 'leader') return true
  return core.leader !== null && core.now - core.leaderHeardAtTicks < core.options.electionTicksMin
}

/**
 * The leader's process is gone: its port refused a redial. Forgetting it in the same term ends the
 * withholding too, else nobody would grant. A false alarm is harmless: the others still hear the
 * leader, and its next heartbeat restores it here. One leader of one term is forgotten at most once
 * in the least election timeout, so a flapping link makes no stream of pre-votes.
 */
export function handlePeerRefused(core: Core, peer: NodeId): void {
  if (core.role.kind !== 'follower' || core.role.leader !== peer) return
  const last = core.forgotten
  if (
    last !== null &&
    last.leader === peer &&
    last.term === core.currentTerm &&
    core.now - last.atTicks < core.options.electionTicksMin
  ) {
    trace(core, 'Refused', { what: 'forgetting the leader again so soon', peer })
    return
  }
  core.forgotten = { leader: peer, term: core.currentTerm, atTicks: core.now }
  core.role = { kind: 'follower', leader: null }
  campaignInTurn(core, peer)
  trace(core, 'ForgetLeader', { leader: peer, why: 'refused' })
}

/**
 * Nothing of this leader is acknowledged for two election timeouts. When a majority does the same,
 * the leader loses its quorum within the first of them; when it does not, the node goes back and
 * catches up, since a doubt that lasted the whole term would cost the cluster a member and could
 * never be dispelled. Whoever still doubts then says so again. Returns whether there was a leader.
 */
export function distrustLeader(core: Core): boolean {
  if (core.role.kind !== 'follower' || core.role.leader === null) return false
  trace(core, 'ForgetLeader', { leader: core.role.leader, why: 'distrusted' })
  core.distrusted = {
    term: core.currentTerm,
    untilTicks: core.now + 2 * core.options.electionTicksMax,
  }
  core.role = { kind: 'follower', leader: null }
  return true
}
