import type { ChangeState } from '../approval/index.js'

/** Every state of the life cycle, in its order. The type check below holds it complete. */
const inOrder = {
  OPEN: 0,
  APPROVED: 1,
  ACTIVE: 2,
  REJECTED: 3,
  WITHDRAWN: 4,
  EXPIRED: 5,
  STALE: 6,
  SUPERSEDED: 7,
  VOIDED: 8,
} as const satisfies Record<ChangeState, number>

export const changeStates = Object.keys(inOrder) as readonly ChangeState[]
