/** Whom a leader sends the log to, and how that follows the configuration in force. */
import type { Core, LeaderState } from '../core.js'
import { Progress } from '../progress/progress.js'
import { logIndex } from '../types.js'
import { followCatchUps } from './catch-up.js'

/**
 * Everybody in the configuration in force has a progress. Who is in it no longer keeps the one it
 * has for a while, so that it may learn of its removal and keep quiet (4.2.3); it counts in nothing.
 * Who comes back starts in a new session: an answer of the time before is void.
 */
export function followMembers(core: Core, leader: LeaderState): void {
  const { members } = core.configurations
  for (const peer of members) {
    if (peer === core.id || (leader.peers.has(peer) && !leader.departing.has(peer))) continue
    core.lastSession += 1
    const nextIndex = logIndex(core.log.lastIndex + 1)
    const start = { nextIndex, session: core.lastSession, nowTicks: core.now }
    leader.peers.set(peer, new Progress(start, core.options.limits))
    leader.departing.delete(peer)
  }
  for (const peer of leader.peers.keys()) {
    if (!members.includes(peer)) leader.departing.add(peer)
  }
  leader.farewellUntilTicks = null
  followCatchUps(core, leader)
}

/**
 * Who was removed is let go once the removal is committed and it was told so, and at the latest an
 * election timeout afterwards: it may be gone already, or far behind.
 */
export function letGo(core: Core, leader: LeaderState): void {
  if (leader.departing.size === 0 || !core.configurations.isCommitted) return
  leader.farewellUntilTicks ??= core.now + core.options.electionTicksMax
  const { index } = core.configurations.inForce
  for (const peer of leader.departing) {
    const progress = leader.peers.get(peer)
    const isTold =
      progress === undefined || Math.min(progress.matchIndex, progress.sentCommit) >= index
    if (isTold || core.now >= leader.farewellUntilTicks) {
      leader.peers.delete(peer)
      leader.departing.delete(peer)
      leader.reads.forget(peer)
    }
  }
}
