/**
 * The system never strands itself: a state in which no change could pass any more is refused before
 * it is entered. Judged over the state after a change of people or policies, and over genesis.
 *
 * For every rule, at every tier, with nobody and with any one possible author or sponsor taken out,
 * the seats must be fillable by active humans with an approve key; and on each kind of path under
 * `/sys/` somebody must be able to propose.
 */
import { refusal, type ErrorCode, type ErrorDetails, type Refusal } from '../../errors.js'
import { globMatches, globsOverlap, parseGlob } from '../forms/glob.js'
import {
  isMember,
  membersOf,
  possibleApprovers,
  possibleAuthors,
  sortedIds,
  type Governed,
} from '../governed.js'
import { limits } from '../limits.js'
import type { EffectiveRule, Id, Path, Rule, Tier } from '../types.js'
import { globsOf, ruleKindOf, ruleMatches } from './effective.js'
import { createMatching, isGlobal } from './matching.js'
import { floorOfRule, type Floor } from './quorum.js'
import { linesAt, seatsOf, seatsOfLines, type Seat } from './seats.js'

/** What is being judged; it only chooses the code. */
export type AfterWhat = 'policy' | 'identity' | 'genesis'

const codeFor: Readonly<Record<AfterWhat, ErrorCode>> = {
  policy: 'POLICY_UNSATISFIABLE',
  identity: 'WOULD_STRAND_QUORUM',
  genesis: 'GENESIS_INVALID',
}

const tiers: readonly Tier[] = ['low', 'medium', 'high']

interface Judging {
  readonly after: Governed
  readonly floor: Floor
  readonly code: ErrorCode
  readonly rules: readonly EffectiveRule[]
  /** Sorted. */
  readonly approvers: readonly Id[]
}

/** POLICY_BELOW_FLOOR, or the code of `what` with the rule and the missing seat. */
export function judgeAfterState(after: Governed, floor: Floor, what: AfterWhat): Refusal | null {
  const rules = [...after.policies()].flatMap(({ name, document }) =>
    document.rules.map((rule) => ({ policy: name, rule })),
  )
  const approvers = sortedIds(possibleApprovers(after))
  const judging: Judging = { after, floor, code: codeFor[what], rules, approvers }
  if (rules.length > limits.rulesInClusterMax) {
    return refusal('TOO_LARGE', `a cluster has at most ${limits.rulesInClusterMax} rules`)
  }
  for (const rule of rules) {
    const fault =
      judgeGroups(judging, rule) ??
      judgeSeatCount(judging, rule) ??
      judgeRollbackLines(judging, rule) ??
      judgeSeats(judging, rule)
    if (fault !== null) return fault
  }
  return judgeSystemPaths(judging)
}

function judgeGroups(judging: Judging, effective: EffectiveRule): Refusal | null {
  const unknown = namedGroups(effective.rule).find(
    (name) => judging.after.group(name) === undefined,
  )
  if (unknown === undefined) return null
  return refuse(judging, effective, `names the group ${unknown}, which does not exist`, {
    group: unknown,
  })
}

function namedGroups(rule: Rule): readonly Id[] {
  const by = rule.rollback?.plan === 'inverse' ? rule.rollback.by : []
  const lines = [
    ...linesAt(rule, 'high'),
    ...(rule.veto ?? []),
    ...by,
    ...(rule.ratify?.need ?? []),
  ]
  return [...(rule.propose?.groups ?? []), ...lines.map((line) => line.group)]
}

/** A rule with `propose` opens paths, so it must have the seats that their floor asks for. */
function judgeSeatCount(judging: Judging, effective: EffectiveRule): Refusal | null {
  const { rule } = effective
  const most = countSeats(rule, 'high')
  if (most > limits.seatsPerRuleMax) {
    const why = `has ${most} seats; a rule has at most ${limits.seatsPerRuleMax}`
    return refuse({ ...judging, code: 'TOO_LARGE' }, effective, why, { seats: most })
  }
  if (rule.propose === undefined) return null
  const [seats, need] = [countSeats(rule, 'low'), floorOfRule(judging.floor, rule)]
  if (seats >= need) return null
  const why = `opens paths whose floor is ${need}, but has ${seats} seats`
  return refuse({ ...judging, code: 'POLICY_BELOW_FLOOR' }, effective, why, { seats, floor: need })
}

function countSeats(rule: Rule, tier: Tier): number {
  return linesAt(rule, tier).reduce((sum, line) => sum + line.count, 0)
}

/**
 * Each line of `rollback.by` holds either humans or services; one of services counts at least two,
 * and there is always one of humans: enough silent detectors must not hold the way back.
 */
function judgeRollbackLines(judging: Judging, effective: EffectiveRule): Refusal | null {
  const { rule } = effective
  if (rule.rollback?.plan !== 'inverse') return null
  let humans = 0
  for (const { count, group } of rule.rollback.by) {
    const kinds = new Set([...membersOf(judging.after, group)].map((id) => kindOf(judging, id)))
    if (kinds.size > 1 || kinds.has('agent')) {
      const why = `has ${group} in rollback.by, which must hold either humans or services`
      return refuse(judging, effective, why, { group })
    }
    if (kinds.has('human')) humans++
    if (kinds.has('service') && count < 2) {
      const why = `has one seat of ${group} in rollback.by; services count at least 2`
      return refuse(judging, effective, why, { group })
    }
  }
  if (humans > 0) return null
  return refuse(judging, effective, 'has no line of humans in rollback.by', {})
}

function kindOf(judging: Judging, id: Id): string {
  return judging.after.person(id)?.kind ?? 'nobody'
}

/** Seats at every tier, and those of `ratify`. */
function judgeSeats(judging: Judging, effective: EffectiveRule): Refusal | null {
  const together = rulesJudgedWith(judging, effective)
  const out = takenOut(judging, effective)
  for (const tier of tiersOf(together)) {
    const seats = together.flatMap((one) => seatsOf(one, tier))
    const fault = judgeFillable(judging, seats, out, `at tier ${tier}`)
    if (fault !== null) return fault
  }
  const ratify = seatsOfLines(effective, effective.rule.ratify?.need ?? [])
  return judgeFillable(judging, ratify, out, 'to ratify')
}

/** With nobody taken out, and with each of `out`; who fills no seat is not missed. */
function judgeFillable(
  judging: Judging,
  seats: readonly Seat[],
  out: readonly Id[],
  when: string,
): Refusal | null {
  const matching = createMatching(seats, judging.approvers, (person, group) =>
    isMember(judging.after, group, person),
  )
  const empty = matching.seats.find((seat) => seat.filledBy === undefined)
  if (empty !== undefined) return missingSeat(judging, empty, when)
  for (const person of out) {
    const seat = matching.emptyWithout(person)
    if (seat !== null) return missingSeat(judging, seat, when, person)
  }
  return null
}

/** Rules with `distinct: global` are tested with every rule that may bind the same change. */
function rulesJudgedWith(judging: Judging, effective: EffectiveRule): readonly EffectiveRule[] {
  if (!isGlobal([effective])) return [effective]
  return judging.rules.filter(
    ({ rule }) => ruleKindOf(rule) === ruleKindOf(effective.rule) && mayMeet(rule, effective.rule),
  )
}

function mayMeet(a: Rule, b: Rule): boolean {
  return globsOf(a).some((x) => globsOf(b).some((y) => globsOverlap(x, y)))
}

/** Tiers that change nothing need not be tried again. */
function tiersOf(rules: readonly EffectiveRule[]): readonly Tier[] {
  return rules.some(({ rule }) => rule.risk !== undefined) ? tiers : ['low']
}

/** Whoever may be author or sponsor; for a rule without `propose` any member of its groups. */
function takenOut(judging: Judging, { rule }: EffectiveRule): readonly Id[] {
  const groups = rule.propose?.groups ?? linesAt(rule, 'high').map((line) => line.group)
  const people = new Set(groups.flatMap((name) => [...membersOf(judging.after, name)]))
  if (rule.propose?.agents === 'sponsored') {
    for (const one of judging.after.people()) if (one.sponsor !== undefined) people.add(one.sponsor)
  }
  return sortedIds(people)
}

function missingSeat(judging: Judging, seat: Seat, when: string, out?: Id): Refusal {
  const { policy, rule, group } = seat
  const who = out === undefined ? '' : `, when ${out} is the author or sponsor`
  const message = `rule ${policy}/${rule}: nobody is left for a seat of ${group} ${when}${who}`
  const without = out === undefined ? {} : { without: out }
  return refusal(judging.code, message, { policy, rule, group, ...without })
}

/** Stands for a name that no rule spells out: only wildcards match it. */
const anyName = '\u0000'

const systemFamilies = ['policies', 'people', 'keys', 'groups', 'freezes', 'cluster']

/**
 * Default deny would shut `/sys/` for ever if the last rule that opens it went, or if its authors
 * went. Tried on a nameless path of each family and on each name that an opening rule spells out.
 */
function judgeSystemPaths(judging: Judging): Refusal | null {
  const opening = judging.rules.filter(
    ({ rule }) => ruleKindOf(rule) === 'ordinary' && rule.propose !== undefined,
  )
  const families = systemFamilies.map((family) => `/sys/${family}/${anyName}`)
  const spelled = opening.flatMap(({ rule }) => rule.paths.flatMap(samplePaths))
  for (const path of new Set([...families, ...spelled])) {
    const fault = judgeAuthors(
      judging,
      path,
      opening.filter(({ rule }) => ruleMatches(rule, path)),
    )
    if (fault !== null) return fault
  }
  return null
}

/** One path for each family in which the glob spells out a name. */
function samplePaths(text: string): readonly Path[] {
  const glob = parseGlob(text) ?? []
  const last = glob.at(-1)
  if (glob.length < 2 || last === undefined || last.kind === 'deep') return []
  const name = last.kind === 'literal' ? last.text : last.before + anyName + last.after
  return systemFamilies
    .map((family) => `/sys/${family}/${name}`)
    .filter((path) => globMatches(glob, path))
}

function judgeAuthors(
  judging: Judging,
  path: Path,
  opening: readonly EffectiveRule[],
): Refusal | null {
  const where = path.replaceAll(anyName, '*')
  if (opening.length === 0) {
    return refusal(judging.code, `no rule would let anybody propose on ${where}`, { path: where })
  }
  const authors = sortedIds(possibleAuthors(judging.after)).filter((person) =>
    opening.every(({ rule }) =>
      rule.propose?.groups.some((group) => isMember(judging.after, group, person)),
    ),
  )
  if (authors.length > 0) return null
  const message = `no active human could propose on ${where} under all of its rules`
  return refusal(judging.code, message, {
    path: where,
    rules: opening.map(({ policy, rule }) => `${policy}/${rule.id}`),
  })
}

function refuse(
  { code }: Pick<Judging, 'code'>,
  { policy, rule }: EffectiveRule,
  why: string,
  details: ErrorDetails,
): Refusal {
  return refusal(code, `rule ${policy}/${rule.id} ${why}`, { policy, rule: rule.id, ...details })
}
