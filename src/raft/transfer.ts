/** Handing leadership over (3.10). The flag lives in the leader's role, so it ends with it. */
import type { Core, LeaderState } from './core.js'
import { trace, traceMessage } from './trace.js'
import type { NodeId, TimeoutNow } from './types.js'

/** `to` null: whoever is furthest. A target that is no other voter is refused. */
export function startTransfer(core: Core, to: NodeId | null): void {
  const { role } = core
  if (role.kind !== 'leader') {
    trace(core, 'Refused', { what: 'transfer by a node that does not lead' })
    return
  }
  const { voters } = core.configurations.inForce.configuration
  const target = to ?? furthestVoter(core, role)
  if (target === null || target === core.id || !voters.includes(target)) {
    trace(core, 'Refused', { what: 'transfer to no other voter', to })
    return
  }
  if (role.transfer?.target === target) return
  role.transfer = { target, startedAtTicks: core.now, sent: false }
  trace(core, 'TransferStart', { target })
  continueTransfer(core)
}

/** Sends TimeoutNow as soon as the target holds the whole log; until then it is replicated to. */
export function continueTransfer(core: Core): void {
  if (core.role.kind !== 'leader') return
  const { transfer, peers } = core.role
  if (transfer === null || transfer.sent) return
  if (peers.get(transfer.target)?.matchIndex !== core.log.lastIndex) return
  transfer.sent = true
  sendTimeoutNow(core, transfer.target)
}

export function sendTimeoutNow(core: Core, to: NodeId): void {
  const message: TimeoutNow = { kind: 'timeoutNow', from: core.id, to, term: core.currentTerm }
  core.output.send.push(message)
  traceMessage(core, 'Send', message)
}

/** A target that does not take over within an election timeout has failed: this node goes on. */
export function tickTransfer(core: Core, leader: LeaderState): void {
  const { transfer } = leader
  if (transfer === null) return
  if (core.now - transfer.startedAtTicks < core.options.electionTicksMax) return
  leader.transfer = null
  trace(core, 'TransferEnd', { target: transfer.target })
}

/** Longest match; among equals the one heard last, so that a dead peer is not chosen. */
export function furthestVoter(core: Core, leader: LeaderState): NodeId | null {
  let best: NodeId | null = null
  for (const peer of core.configurations.inForce.configuration.voters) {
    const progress = leader.peers.get(peer)
    const champion = best === null ? undefined : leader.peers.get(best)
    if (progress === undefined) continue
    if (
      champion === undefined ||
      progress.matchIndex > champion.matchIndex ||
      (progress.matchIndex === champion.matchIndex && progress.heardAtTicks > champion.heardAtTicks)
    ) {
      best = peer
    }
  }
  return best
}
