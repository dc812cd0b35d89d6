/** Why a change is where it is, and who can move it. */
import type { ChangeView, SeatView } from '../../machine/index.js'
import { escapeLine } from '../escape.js'
import type { Style } from '../style.js'
import { distanceText, timeText } from './time.js'

export function explanationLines(
  change: ChangeView,
  options: { readonly style: Style; readonly nowMs: number },
): string[] {
  const { style, nowMs } = options
  const { explanation, state } = change
  if (state === 'ACTIVE') return []
  const lines: string[] = []
  const open = state === 'OPEN' || state === 'APPROVED'
  if (!open && change.closed?.reason !== undefined) {
    const { code, message } = change.closed.reason
    lines.push(`closed: ${escapeLine(message)} ${style.dim(`(${escapeLine(code)})`)}`)
  }
  for (const { code, message } of open ? explanation.blocked : []) {
    lines.push(
      `${style.yellow('blocked')}: ${escapeLine(message)} ${style.dim(`(${escapeLine(code)})`)}`,
    )
  }
  if (open) lines.push(...seatLines(change, style))
  const { next } = explanation
  if (open && next !== undefined) {
    lines.push(
      `by itself: ${nextWords[next.what]} ${distanceText(next.at, nowMs)} (${timeText(next.at)})`,
    )
  }
  if (state === 'APPROVED' && explanation.blocked.length === 0) {
    lines.push(`next: countersign activate ${change.changeId.slice(0, 8)}`)
  }
  return lines
}

const nextWords = {
  opens: 'may activate',
  expires: 'expires',
  activates: 'activates',
} as const

/** One line for each rule line: how many seats are filled, by whom, and who could fill the rest. */
function seatLines(change: ChangeView, style: Style): string[] {
  const { seats, floor } = change.explanation
  const lines = groupSeats(seats).map(({ first, filledBy, empty, candidates }) => {
    const count = `${String(filledBy.length)} of ${String(filledBy.length + empty)}`
    const place = `${escapeLine(first.policy)}/${escapeLine(first.rule)}`
    const who = filledBy.length === 0 ? '' : `: ${filledBy.map(escapeLine).join(', ')}`
    const could =
      empty === 0
        ? ''
        : candidates.length === 0
          ? style.red('; nobody can fill the rest now')
          : `; can fill: ${candidates.map(escapeLine).join(', ')}`
    const mark = empty === 0 ? style.green('ok') : style.yellow('--')
    return `  ${mark} ${count} from ${escapeLine(first.group)} (${place})${who}${could}`
  })
  const seatsAreFilled = seats.every((seat) => seat.filledBy !== undefined)
  if (seatsAreFilled && floor.have < floor.need) {
    lines.push(
      `  ${style.yellow('--')} floor of genesis: ${String(floor.have)} of ${String(floor.need)} approvals`,
    )
  }
  return lines
}

interface SeatGroup {
  readonly first: SeatView
  readonly filledBy: readonly string[]
  readonly empty: number
  readonly candidates: readonly string[]
}

function groupSeats(seats: readonly SeatView[]): SeatGroup[] {
  const groups = new Map<string, SeatView[]>()
  for (const seat of seats) {
    const key = JSON.stringify([seat.policy, seat.rule, seat.line, seat.group])
    groups.set(key, [...(groups.get(key) ?? []), seat])
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members
    if (first === undefined) return []
    return {
      first,
      filledBy: members.flatMap((seat) => seat.filledBy ?? []),
      empty: members.filter((seat) => seat.filledBy === undefined).length,
      candidates: [...new Set(members.flatMap((seat) => seat.candidates))],
    }
  })
}
