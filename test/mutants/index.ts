import { surroundingMutants } from './around.js'
import { electionMutants } from './election.js'
import { logMutants } from './log.js'
import { membershipMutants } from './membership.js'
import type { Mutant } from './mutant.js'

export const allMutants: readonly Mutant[] = [
  ...electionMutants,
  ...logMutants,
  ...membershipMutants,
  ...surroundingMutants,
]
