import type { ChangeState } from '../../approval/index.js'
import type { Style } from '../style.js'

export function stateText(state: ChangeState, style: Style): string {
  switch (state) {
    case 'ACTIVE':
      return style.green(state)
    case 'OPEN':
    case 'APPROVED':
      return style.yellow(state)
    case 'REJECTED':
    case 'WITHDRAWN':
    case 'EXPIRED':
    case 'STALE':
    case 'SUPERSEDED':
    case 'VOIDED':
      return style.dim(state)
  }
}
