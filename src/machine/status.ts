import type { ChangeState } from '../approval/index.js'
import type { Law } from './law.js'
import type { State } from './state.js'
import type { MachineStatus } from './views.js'

export function statusOf(law: Law, state: State): MachineStatus {
  const { appliedIndex, logTime, refusals, noise } = state.stored
  const count = (of: ChangeState): number => state.changeIndex.count(of)
  return {
    clusterId: law.clusterId,
    clusterName: law.genesis.name,
    featureLevel: state.governance.featureLevel,
    logTime,
    appliedIndex,
    stateDigest: state.journal.digest.hex(),
    changesByState: {
      OPEN: count('OPEN'),
      APPROVED: count('APPROVED'),
      ACTIVE: count('ACTIVE'),
      REJECTED: count('REJECTED'),
      WITHDRAWN: count('WITHDRAWN'),
      EXPIRED: count('EXPIRED'),
      STALE: count('STALE'),
      SUPERSEDED: count('SUPERSEDED'),
      VOIDED: count('VOIDED'),
    },
    refusals,
    noise,
  }
}
