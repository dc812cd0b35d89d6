import { commitByBruteForce } from './27-commit-by-brute-force.js'
import { identityIsFenced } from './43-identity-is-fenced.js'
import { diskFullWhileSaving } from './50-disk-full-while-saving.js'
import { appliedIndexWithItsData } from './55-applied-index-with-its-data.js'
import { damagedLogIsNotCut } from './57-damaged-log-is-not-cut.js'
import { appliedOnce } from './62-applied-once.js'
import { featureLevel } from './66-feature-level.js'
import { approvalAtItsPosition } from './71-approval-at-its-position.js'
import type { CodedScenario } from './scenario.js'

export const codedScenarios: readonly CodedScenario[] = [
  commitByBruteForce,
  identityIsFenced,
  diskFullWhileSaving,
  appliedIndexWithItsData,
  damagedLogIsNotCut,
  appliedOnce,
  featureLevel,
  approvalAtItsPosition,
]
