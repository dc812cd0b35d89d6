/** Why a change is where it is, and who can move it: what `countersign show` prints. */
import type { Refusal } from '../errors.js'
import type { Id, Quorum } from '../approval/index.js'
import { isMember, matchRules, seatsOf } from '../approval/index.js'
import { compareCodeUnits } from '../signing/index.js'
import type { Activation } from './events.js'
import { isOpen } from './change-index.js'
import type { BindingRules } from './change-reader.js'
import { allObstacles, bakesUnder, deadlineOf, freezesOver } from './guard.js'
import { eligible, judgeApprovals, mayWithdraw } from './quorum.js'
import type { ChangeRow } from './records.js'
import type { Sight } from './sight.js'
import { mayActivateAt } from './timed-pending.js'
import type { Explanation, SeatView } from './views.js'

export function explain(sight: Sight, change: ChangeRow): Explanation {
  return isOpen(change) ? explainOpen(sight, change) : explainClosed(sight, change)
}

function explainOpen(sight: Sight, change: ChangeRow): Explanation {
  const approvals = judgeApprovals(sight, change)
  const candidates = candidatesOf(sight, change, approvals)
  const next = nextOf(sight, change)
  return {
    blocked: allObstacles(sight, change).map((obstacle) =>
      obstacle.code === 'NOT_APPROVED' && !approvals.reached
        ? { ...obstacle, details: { ...obstacle.details, candidates } }
        : withBlockers(sight, change, obstacle),
    ),
    seats: seatViews(sight, sight.reader.binding(change), approvals, candidates),
    floor: approvals.floor,
    mayWithdraw: withdrawers(sight, change),
    ...(next === undefined ? {} : { next }),
  }
}

/**
 * Which freeze, which bake, and what ends it. Not said by the guard itself: its refusals are recorded
 * results, and those stay as they are.
 */
function withBlockers(sight: Sight, change: ChangeRow, obstacle: Refusal): Refusal {
  if (obstacle.code === 'FROZEN') {
    const freezes = freezesOver(sight, change)
    const which = freezes.map(({ freeze, path }) => `/sys/freezes/${freeze} stops ${path}`)
    const lift = freezes.map(({ freeze }) => `--delete /sys/freezes/${freeze}`).join(' ')
    return {
      ...obstacle,
      message: `Frozen: ${which.join(', ')}. Wait for its end, or lift it by an approved change: countersign propose ${lift}`,
      details: { ...obstacle.details, freezes },
    }
  }
  if (obstacle.code === 'OVERLAPS_BAKE') {
    const bakes = bakesUnder(sight, change)
    const which = bakes.map((bake) => `change ${bake.change.slice(0, 8)} wrote ${bake.path}`)
    return {
      ...obstacle,
      message: `In bake: ${which.join(', ')} and is still watched. A bake ends only by its time; a change of other paths need not wait for it.`,
      details: { ...obstacle.details, bakes },
    }
  }
  return obstacle
}

/** A closed change is blocked by what closed it; an active one shows who filled its seats. */
function explainClosed(sight: Sight, change: ChangeRow): Explanation {
  const activation =
    change.activation === undefined ? undefined : sight.state.activations.get(change.activation)
  const by = activation?.counted.map(({ person }) => person) ?? []
  return {
    blocked: change.closed?.reason === undefined ? [] : [change.closed.reason],
    seats: activation === undefined ? [] : activatedSeats(sight, change, activation),
    floor: { need: by.length, have: by.length, by },
    mayWithdraw: [],
  }
}

/** People who may approve now and have not: their keys are old enough and acknowledged. */
function candidatesOf(sight: Sight, change: ChangeRow, quorum: Quorum): readonly Id[] {
  const { governance, keys } = sight.state
  const hasReadyKey = (person: Id): boolean =>
    [...governance.keysOf(person)].some(
      (keyId) =>
        governance.key(keyId)?.uses.includes('approve') === true &&
        keys.get(keyId)?.acknowledgedAt !== undefined,
    )
  return eligible(sight, change, sight.reader.binding(change)).filter(
    (person) => !quorum.floor.by.includes(person) && hasReadyKey(person),
  )
}

function seatViews(
  sight: Sight,
  binding: BindingRules,
  quorum: Quorum,
  candidates: readonly Id[],
): readonly SeatView[] {
  const { governance } = sight.state
  const holdsEmptySeat = (person: Id, policy: Id, rule: Id): boolean =>
    quorum.seats.some(
      (seat) =>
        seat.policy === policy &&
        seat.rule === rule &&
        seat.filledBy === undefined &&
        isMember(governance, seat.group, person),
    )
  return quorum.seats.map(({ policy, rule, line, group, filledBy }) => {
    const seat = { policy, rule, line, group }
    if (filledBy !== undefined) return { ...seat, filledBy, candidates: [] }
    const able = candidates.filter(
      (person) =>
        isMember(governance, group, person) ||
        (!holdsEmptySeat(person, policy, rule) &&
          fillsByMoving(sight, binding, quorum, { person, policy, rule })),
    )
    return { ...seat, candidates: able }
  })
}

/**
 * Somebody who holds another group of the rule may free its holder for this seat: one more
 * approval then fills one more seat all the same.
 */
function fillsByMoving(
  { state }: Sight,
  { rules, tier }: BindingRules,
  quorum: Quorum,
  one: { readonly person: Id; readonly policy: Id; readonly rule: Id },
): boolean {
  const filled = (seats: Quorum['seats']): number =>
    seats.filter(
      (seat) => seat.policy === one.policy && seat.rule === one.rule && seat.filledBy !== undefined,
    ).length
  const persons = [...quorum.floor.by, one.person].sort(compareCodeUnits)
  const withPerson = matchRules(rules, tier, persons, (person, group) =>
    isMember(state.governance, group, person),
  )
  return filled(withPerson) > filled(quorum.seats)
}

function activatedSeats(
  sight: Sight,
  change: ChangeRow,
  activation: Activation,
): readonly SeatView[] {
  const binding = sight.reader.binding(change)
  // The seats are those of the rules of then; when these have changed only the names are left.
  if (binding.digest !== activation.rulesDigest) return []
  const filled = activation.counted.flatMap(({ person, seats }) =>
    seats.map((seat) => ({ ...seat, person })),
  )
  return seatsAt(binding).map((seat) => {
    const at = filled.findIndex(
      (one) => one.policy === seat.policy && one.rule === seat.rule && one.line === seat.line,
    )
    const [one] = at < 0 ? [] : filled.splice(at, 1)
    return one === undefined
      ? { ...seat, candidates: [] }
      : { ...seat, filledBy: one.person, candidates: [] }
  })
}

function seatsAt({ rules, tier }: BindingRules): readonly Omit<SeatView, 'candidates'>[] {
  return rules.flatMap((rule) => seatsOf(rule, tier))
}

function withdrawers(sight: Sight, change: ChangeRow): readonly Id[] {
  const may: Id[] = []
  for (const person of sight.state.governance.people()) {
    if (person.status === 'active' && mayWithdraw(sight, change, person.id)) may.push(person.id)
  }
  return may.sort(compareCodeUnits)
}

/** What log time alone will do next. */
function nextOf(sight: Sight, change: ChangeRow): Explanation['next'] {
  const deadline = deadlineOf(change)
  const at = change.state === 'APPROVED' ? mayActivateAt(sight, change) : undefined
  if (at !== undefined && at > sight.state.logTime && at < (deadline ?? Infinity)) {
    const isManual = sight.reader.body(change).activate === 'manual'
    return { at, what: isManual ? 'opens' : 'activates' }
  }
  return deadline === undefined ? undefined : { at: deadline, what: 'expires' }
}
