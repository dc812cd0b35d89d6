/**
 * The system never strands itself: a state in which no change could pass any more is refused before
 * it is entered. Judged over the state after a change of people or policies, and over genesis.
 *
 * For every rule, at every tier, with nobody and with any one possible author or sponsor taken out,
 * the seats must be fillable by active humans with an approve key; and on each kind of path under
 * `/sys/` somebody must be able to propose, within deadlines and windows in which it can be done.
 *
 * One author makes every node judge this, so its size is bounded: see the limits on rules and globs.
 */
import { refusal, type ErrorCode, type ErrorDetails, type Refusal } from '../../errors.js'
import { durationMs } from '../forms/duration.js'
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
import { compareCodeUnits } from '../../signing/index.js'
import type { EffectiveRule, Id, Path, Rule, Tier } from '../types.js'
import { globsOf, ruleKindOf, ruleMatches } from './effective.js'
import { Filling } from './fillable.js'
import { isGlobal } from './matching.js'
import { floorOfRule, type Floor } from './quorum.js'
import { linesAt, seatsOf, seatsOfLines, type Seat } from './seats.js'
import { nextOpening } from './windows.js'

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
  /** Directories under `/sys/` in which somebody must be able to propose. */
  readonly families: readonly string[]
  /** By policy name, in each as written: the first fault is recorded, so the order is fixed. */
  readonly rules: readonly EffectiveRule[]
  readonly approvers: ReadonlySet<Id>
  /** Sorted. */
  readonly authors: readonly Id[]
  readonly sponsors: ReadonlySet<Id>
  /** What is worked out for one rule and asked for again by others. */
  readonly found: {
    readonly candidates: Map<Id, readonly Id[]>
    readonly fillings: Map<string, Filling>
    readonly kinds: Map<Id, ReadonlySet<string>>
    readonly authored: Map<string, boolean>
  }
}

/** POLICY_BELOW_FLOOR, or the code of `what` with the rule and the missing seat. */
export function judgeAfterState(
  after: Governed,
  floor: Floor,
  what: AfterWhat,
  featureLevel: number,
): Refusal | null {
  const rules = [...after.policies()]
    .sort((a, b) => compareCodeUnits(a.name, b.name))
    .flatMap(({ name, document }) => document.rules.map((rule) => ({ policy: name, rule })))
  const judging: Judging = {
    after,
    floor,
    code: codeFor[what],
    families: featureLevel < 2 ? firstFamilies : [...firstFamilies, 'nodes'],
    rules,
    approvers: possibleApprovers(after),
    authors: sortedIds(possibleAuthors(after)),
    sponsors: new Set(
      [...after.people()].flatMap(({ sponsor }) => (sponsor === undefined ? [] : [sponsor])),
    ),
    found: {
      candidates: new Map(),
      fillings: new Map(),
      kinds: new Map(),
      authored: new Map(),
    },
  }
  const size = judgeSize(rules)
  if (size !== null) return size
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

/** Bounds what one index may cost, and that a change under `/sys/` is never over a limit. */
function judgeSize(rules: readonly EffectiveRule[]): Refusal | null {
  const system = rules.filter(({ rule }) => mayBindSystem(rule))
  const bounds = [
    ['rules', rules.length, limits.rulesInClusterMax],
    ['globs', countGlobs(rules), limits.globsInClusterMax],
    [
      'globs in rules with `distinct: global`',
      countGlobs(rules.filter((one) => isGlobal([one]))),
      limits.globalGlobsMax,
    ],
    ['rules that may bind a change under /sys/', system.length, limits.rulesPerChangeMax],
    ['globs in rules that may bind a change under /sys/', countGlobs(system), limits.sysGlobsMax],
  ] as const
  for (const [what, count, most] of bounds) {
    if (count <= most) continue
    return refusal('TOO_LARGE', `a cluster has at most ${most} ${what}, not ${count}`, {
      count,
      most,
    })
  }
  return null
}

function countGlobs(rules: readonly EffectiveRule[]): number {
  return rules.reduce((sum, { rule }) => sum + rule.paths.length, 0)
}

const underSystem = parseGlob('/sys/**') ?? []

function mayBindSystem(rule: Rule): boolean {
  return ruleKindOf(rule) === 'ordinary' && globsOf(rule).some((g) => globsOverlap(g, underSystem))
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
    const kinds = kindsIn(judging, group)
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

function kindsIn({ after, found }: Judging, group: Id): ReadonlySet<string> {
  let kinds = found.kinds.get(group)
  if (kinds === undefined) {
    kinds = new Set([...membersOf(after, group)].map((id) => after.person(id)?.kind ?? 'nobody'))
    found.kinds.set(group, kinds)
  }
  return kinds
}

/** Seats at every tier, and those of `ratify`. */
function judgeSeats(judging: Judging, effective: EffectiveRule): Refusal | null {
  const together = rulesJudgedWith(judging, effective)
  const out = mayBeOut(judging, effective)
  for (const tier of tiersOf(together)) {
    const seats = together.flatMap((one) => seatsOf(one, tier))
    if (seats.length > limits.seatsTogetherMax) {
      const why = `is judged together with ${seats.length} seats; the most is ${limits.seatsTogetherMax}`
      return refuse({ ...judging, code: 'TOO_LARGE' }, effective, why, { seats: seats.length })
    }
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
  out: (person: Id) => boolean,
  when: string,
): Refusal | null {
  const filling = fillingOf(judging, seats)
  if (filling.empty !== null) return missingSeat(judging, filling.empty, when)
  for (const person of sortedIds(filling.persons)) {
    const seat = out(person) ? filling.emptyWithout(person) : null
    if (seat !== null) return missingSeat(judging, seat, when, person)
  }
  return null
}

/** Rules with the same lines are filled alike; those judged together are the same list each time. */
function fillingOf(judging: Judging, seats: readonly Seat[]): Filling {
  // One seat more than there are people: the rest need not be tried to find one empty.
  const tried = seats.slice(0, judging.approvers.size + 1)
  const places = tried.map(({ policy, rule, group }) => `${policy}/${rule}/${group}`).join()
  let filling = judging.found.fillings.get(places)
  if (filling === undefined) {
    filling = new Filling(tried, (group) => candidatesIn(judging, group))
    judging.found.fillings.set(places, filling)
  }
  return filling
}

function candidatesIn({ after, approvers, found }: Judging, group: Id): readonly Id[] {
  let candidates = found.candidates.get(group)
  if (candidates === undefined) {
    candidates = sortedIds([...membersOf(after, group)].filter((id) => approvers.has(id)))
    found.candidates.set(group, candidates)
  }
  return candidates
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
function mayBeOut(judging: Judging, { rule }: EffectiveRule): (person: Id) => boolean {
  const groups = rule.propose?.groups ?? linesAt(rule, 'high').map((line) => line.group)
  const agents = rule.propose?.agents === 'sponsored'
  return (person) =>
    (agents && judging.sponsors.has(person)) ||
    groups.some((name) => isMember(judging.after, name, person))
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

const firstFamilies = ['policies', 'people', 'keys', 'groups', 'freezes', 'cluster']

/**
 * Default deny would shut `/sys/` for ever if the last rule that opens it went, or if its authors
 * went. Tried on a nameless path of each family and on each name that an opening rule spells out.
 */
function judgeSystemPaths(judging: Judging): Refusal | null {
  const binding = judging.rules.filter(({ rule }) => mayBindSystem(rule))
  const families = judging.families.map((family) => `/sys/${family}/${anyName}`)
  const spelled = binding.flatMap(({ rule }) =>
    rule.paths.flatMap((text) => samplePaths(text, judging.families)),
  )
  for (const path of new Set([...families, ...spelled])) {
    const matching = binding.filter(({ rule }) => ruleMatches(rule, path))
    const opening = matching.filter(({ rule }) => rule.propose !== undefined)
    const fault = judgeAuthors(judging, path, opening) ?? judgeTimes(judging, path, matching)
    if (fault !== null) return fault
  }
  return null
}

/** Deadlines that are over at once, and windows that never meet, shut a path as well. */
function judgeTimes(
  judging: Judging,
  path: Path,
  matching: readonly EffectiveRule[],
): Refusal | null {
  const where = path.replaceAll(anyName, '*')
  for (const effective of matching) {
    const field = (['open', 'use'] as const).find((name) => {
      const written = effective.rule[name]
      return written !== undefined && durationMs(written) === 0
    })
    if (field === undefined) continue
    return refuse(judging, effective, `has no time: \`${field}\` must be longer on ${where}`, {
      path: where,
      field,
    })
  }
  if (nextOpening(matching, 0) !== null) return null
  return refusal(judging.code, `the windows of the rules for ${where} never meet`, { path: where })
}

/** One path for each family in which the glob spells out a name. */
function samplePaths(text: string, families: readonly string[]): readonly Path[] {
  const glob = parseGlob(text) ?? []
  const last = glob.at(-1)
  if (glob.length < 2 || last === undefined || last.kind === 'deep') return []
  const name = last.kind === 'literal' ? last.text : last.before + anyName + last.after
  return families
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
  const names = opening.map(({ policy, rule }) => `${policy}/${rule.id}`).join()
  let authored = judging.found.authored.get(names)
  if (authored === undefined) {
    authored = judging.authors.some((person) =>
      opening.every(({ rule }) =>
        rule.propose?.groups.some((group) => isMember(judging.after, group, person)),
      ),
    )
    judging.found.authored.set(names, authored)
  }
  if (authored) return null
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
