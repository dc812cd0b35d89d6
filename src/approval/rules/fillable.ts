/**
 * Whether seats can be filled at all, by anybody. Unlike the matching that is recorded (there the
 * order of persons counts), this only says yes or no and which seat stays empty, so it takes a
 * person who is free before it moves others: a thousand rules are judged at one index.
 */
import type { Id } from '../types.js'
import type { Seat } from './seats.js'

/** Who may sit on a seat of the group, sorted. */
export type CandidatesOf = (group: Id) => readonly Id[]

export class Filling {
  /** The first seat for which nobody is left; null when all are filled. */
  readonly empty: Seat | null
  private readonly seats: readonly Seat[]
  private readonly candidatesOf: CandidatesOf
  private readonly seatOf = new Map<Id, number>()
  private readonly spareIn = new Map<Id, boolean>()

  constructor(seats: readonly Seat[], candidatesOf: CandidatesOf) {
    this.seats = seats
    this.candidatesOf = candidatesOf
    const unfilled = seats.findIndex((_, seat) => !fill(this.room, seat, this.seatOf, new Set()))
    this.empty = seats[unfilled] ?? null
  }

  /** Who was found, sorted by nothing. */
  get persons(): Iterable<Id> {
    return this.seatOf.keys()
  }

  /** The seat that stays empty when `person` is taken out; all were filled before. */
  emptyWithout(person: Id): Seat | null {
    const seat = this.seatOf.get(person)
    if (seat === undefined || this.hasSpare((this.seats[seat] as Seat).group)) return null
    const others = new Map(this.seatOf)
    others.delete(person)
    return fill(this.room, seat, others, new Set([person])) ? null : (this.seats[seat] as Seat)
  }

  private get room(): Room {
    return { seats: this.seats, candidatesOf: this.candidatesOf }
  }

  private hasSpare(group: Id): boolean {
    let spare = this.spareIn.get(group)
    if (spare === undefined) {
      spare = this.candidatesOf(group).some((person) => !this.seatOf.has(person))
      this.spareIn.set(group, spare)
    }
    return spare
  }
}

interface Room {
  readonly seats: readonly Seat[]
  readonly candidatesOf: CandidatesOf
}

/** Augments by one seat: somebody free, else somebody who can move to another seat. */
function fill(room: Room, seat: number, held: Map<Id, number>, tried: Set<Id>): boolean {
  const candidates = room.candidatesOf((room.seats[seat] as Seat).group)
  const free = candidates.find((person) => !held.has(person) && !tried.has(person))
  if (free !== undefined) {
    held.set(free, seat)
    return true
  }
  for (const person of candidates) {
    if (tried.has(person)) continue
    tried.add(person)
    if (fill(room, held.get(person) as number, held, tried)) {
      held.set(person, seat)
      return true
    }
  }
  return false
}
