/**
 * Matching of seats to persons: a rule passes if its seats can be filled by different persons.
 * Filling greedily is wrong: with seats {platform, security}, Ana in both groups and Ben in platform
 * only, Ana put on platform first gives a false "no". So seats are filled along augmenting paths
 * (H. W. Kuhn 1955; the bipartite case without weights).
 *
 * Whether all seats can be filled depends on no order. Which matching is found does, and it is
 * recorded: seats in rule order and line order, persons by code units.
 */
import type { EffectiveRule, Id, Tier } from '../types.js'
import { seatsOf, type Seat } from './seats.js'

export interface FilledSeat extends Seat {
  readonly filledBy?: Id
}

export type Holds = (person: Id, group: Id) => boolean

/** One person fills at most one seat. `persons` sorted by code units. */
export function matchSeats(
  seats: readonly Seat[],
  persons: readonly Id[],
  holds: Holds,
): readonly FilledSeat[] {
  return createMatching(seats, persons, holds).seats
}

export interface Matching {
  readonly seats: readonly FilledSeat[]
  /** The seat that stays empty when `person` is taken out of a matching that fills all seats. */
  emptyWithout(person: Id): Seat | null
}

export function createMatching(
  seats: readonly Seat[],
  persons: readonly Id[],
  holds: Holds,
): Matching {
  const seatOf = new Map<Id, number>()
  for (let seat = 0; seat < seats.length; seat++) augment(seat, seatOf, new Set())
  const personOf = new Map([...seatOf].map(([person, seat]) => [seat, person]))
  return {
    seats: seats.map((seat, i) => {
      const filledBy = personOf.get(i)
      return filledBy === undefined ? seat : { ...seat, filledBy }
    }),
    emptyWithout: (person) => {
      const seat = seatOf.get(person)
      if (seat === undefined) return null
      const others = new Map(seatOf)
      others.delete(person)
      return augment(seat, others, new Set([person])) ? null : (seats[seat] as Seat)
    },
  }

  /** Finds somebody for the seat, moving others to other seats where that makes room. */
  function augment(seat: number, held: Map<Id, number>, tried: Set<Id>): boolean {
    const group = (seats[seat] as Seat).group
    for (const person of persons) {
      if (tried.has(person) || !holds(person, group)) continue
      tried.add(person)
      const current = held.get(person)
      if (current === undefined || augment(current, held, tried)) {
        held.set(person, seat)
        return true
      }
    }
    return false
  }
}

/**
 * All seats of all rules, each rule matched by itself; together, each person once, when one of the
 * rules says `distinct: global`.
 */
export function matchRules(
  rules: readonly EffectiveRule[],
  tier: Tier,
  persons: readonly Id[],
  holds: Holds,
): readonly FilledSeat[] {
  const seats = rules.map((rule) => seatsOf(rule, tier))
  return isGlobal(rules)
    ? matchSeats(seats.flat(), persons, holds)
    : seats.flatMap((own) => matchSeats(own, persons, holds))
}

export function isGlobal(rules: readonly EffectiveRule[]): boolean {
  return rules.some(({ rule }) => rule.distinct === 'global')
}

export function allFilled(seats: readonly FilledSeat[]): boolean {
  return seats.every((seat) => seat.filledBy !== undefined)
}
