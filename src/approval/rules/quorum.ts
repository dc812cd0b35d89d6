/**
 * The approver quorum: seats of every rule, and the floor of genesis beside them, which nobody can
 * edit. Callers hand in the persons whose approvals count; authors, sponsors and agents are not
 * among them.
 */
import { globCovers, globTakes, namesOf, parsedGlobs } from '../forms/glob.js'
import { isSystemPath } from '../forms/path.js'
import { isMember, sortedIds, type Governed } from '../governed.js'
import type { EffectiveRule, Genesis, Id, PersonKind, Rule, Tier } from '../types.js'
import type { ChangeScope } from './effective.js'
import { allFilled, matchRules, type FilledSeat } from './matching.js'
import { linesAt } from './seats.js'

export type Floor = Genesis['floor']

/** An emergency takes two humans, the author among them. */
const emergencyFloor = 1
/** On low-risk paths one human beside a human author; never none. */
const lowRiskFloor = 1

/** Approvals of different humans beside the author that a change takes, whatever its rules say. */
export function floorOf(floor: Floor, change: ChangeScope, authorKind: PersonKind): number {
  if (change.kind === 'emergency') return emergencyFloor
  if (change.paths.some(isSystemPath)) return floor.sys
  if (authorKind !== 'human') return floor.config
  const lowRisk = parsedGlobs(floor.lowRisk)
  const isLowRisk = change.paths.every((path) => {
    const names = namesOf(path)
    return lowRisk.some((glob) => globTakes(glob, names))
  })
  return isLowRisk ? lowRiskFloor : floor.config
}

/** The highest floor of any path that the rule opens: as many seats it must have itself. */
export function floorOfRule(floor: Floor, rule: Rule): number {
  if (rule.kind === 'emergency') return emergencyFloor
  const sponsored = rule.propose?.agents === 'sponsored'
  return Math.max(
    ...parsedGlobs(rule.paths).map((glob) => {
      const [first] = glob
      if (first?.kind === 'literal' && first.text === 'sys') return floor.sys
      const opensSystem = first?.kind !== 'literal'
      const isLowRisk = parsedGlobs(floor.lowRisk).some((low) => globCovers(low, glob))
      const ordinary = isLowRisk && !sponsored ? lowRiskFloor : floor.config
      return opensSystem ? Math.max(floor.sys, ordinary) : ordinary
    }),
  )
}

export interface Quorum {
  /** Every seat filled and the floor reached. */
  readonly reached: boolean
  readonly seats: readonly FilledSeat[]
  /** The floor counts different humans who hold the group of at least one seat. */
  readonly floor: { readonly need: number; readonly have: number; readonly by: readonly Id[] }
}

export interface QuorumInput {
  readonly rules: readonly EffectiveRule[]
  readonly tier: Tier
  readonly governed: Governed
  /** Humans whose approvals count, in any order. */
  readonly approvers: Iterable<Id>
  /** {@link floorOf} of this change. */
  readonly floorNeed: number
}

export function judgeQuorum(input: QuorumInput): Quorum {
  const { rules, tier, governed, floorNeed } = input
  const persons = sortedIds(new Set(input.approvers))
  const seats = matchRules(rules, tier, persons, (person, group) =>
    isMember(governed, group, person),
  )
  const groups = seatGroups(rules, tier)
  const by = persons.filter((person) => groups.some((group) => isMember(governed, group, person)))
  return {
    reached: allFilled(seats) && by.length >= floorNeed,
    seats,
    floor: { need: floorNeed, have: by.length, by },
  }
}

/** Groups of at least one seat; who holds none of them has nothing to approve (NOT_IN_GROUP). */
export function seatGroups(rules: readonly EffectiveRule[], tier: Tier): readonly Id[] {
  const groups = new Set<Id>()
  for (const { rule } of rules) {
    for (const { count, group } of linesAt(rule, tier)) if (count > 0) groups.add(group)
  }
  return sortedIds(groups)
}

/** Any filled veto line of any rule ends the revision. `rejecters`: persons whose reject counts. */
export function isVetoed(
  rules: readonly EffectiveRule[],
  governed: Governed,
  rejecters: Iterable<Id>,
): boolean {
  const persons = [...new Set(rejecters)]
  return rules.some(({ rule }) =>
    (rule.veto ?? []).some(
      ({ count, group }) =>
        persons.filter((person) => isMember(governed, group, person)).length >= count,
    ),
  )
}
