/** Why a learner that shall be a voter is none yet, as its leader sees it. */
import type { PeerStatusView } from '../../client/index.js'

export function promotionText(peer: PeerStatusView): string | null {
  switch (peer.waitsFor) {
    case 'silent':
      return 'does not answer the leader'
    case 'round':
      return 'catches up for the first time'
    case 'slow':
      return `last catch-up round took ${String(peer.lastRoundMs)} ms, not below ${String(peer.roundMsMax)} ms`
    case 'others':
      return 'has caught up; another learner has not'
    case 'majority':
      return 'has caught up; too few of the new voters answer'
    case null:
      return null
  }
}
