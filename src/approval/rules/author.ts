/** Who may propose, and who therefore fills no seat. */
import { refusal, type Refusal } from '../../errors.js'
import { globTakes, namesOf, parsedGlobs } from '../forms/glob.js'
import { isActiveHuman, isMember, type Governed } from '../governed.js'
import type { EffectiveRule, Glob, Id, Path, Person } from '../types.js'
import { ruleMatches } from './effective.js'

export interface AuthorInput {
  readonly rules: readonly EffectiveRule[]
  readonly paths: readonly Path[]
  readonly author: Person
  /** The sponsor named in the body. */
  readonly sponsor?: Id
  readonly governed: Governed
}

/**
 * AUTHOR_NOT_ALLOWED unless each path has a rule with `propose` and every such rule admits the
 * author on every path it matches. The quota of an agent is counted by the machine.
 */
export function judgeAuthor(input: AuthorInput): Refusal | null {
  for (const path of input.paths) {
    const opening = input.rules.filter(
      ({ rule }) => rule.propose !== undefined && ruleMatches(rule, path),
    )
    if (opening.length === 0) {
      return refusal('AUTHOR_NOT_ALLOWED', `no rule lets anybody propose on ${path}`, { path })
    }
    for (const effective of opening) {
      const why = whyNotAdmitted(effective, path, input)
      if (why !== null) return notAllowed(effective, path, why, input.author.id)
    }
  }
  return null
}

function whyNotAdmitted(
  { rule }: EffectiveRule,
  path: Path,
  { author, sponsor, governed }: AuthorInput,
): string | null {
  const groups = rule.propose?.groups ?? []
  const holdsOne = (person: Id): boolean => groups.some((name) => isMember(governed, name, person))
  switch (author.kind) {
    case 'human':
      return holdsOne(author.id) ? null : `${author.id} is in none of ${groups.join(', ')}`
    case 'service':
      return 'services do not propose'
    case 'agent': {
      if (rule.propose?.agents !== 'sponsored') return 'it admits no agents'
      const covered = parsedGlobs(author.scope ?? noGlobs).some((glob) =>
        globTakes(glob, namesOf(path)),
      )
      if (!covered) return `the scope of ${author.id} does not cover it`
      if (sponsor === undefined) return 'an agent names its sponsor'
      if (!isActiveHuman(governed.person(sponsor))) return `sponsor ${sponsor} is no active human`
      return holdsOne(sponsor) ? null : `sponsor ${sponsor} is in none of ${groups.join(', ')}`
    }
  }
}

const noGlobs: readonly Glob[] = []

function notAllowed({ policy, rule }: EffectiveRule, path: Path, why: string, person: Id): Refusal {
  const message = `rule ${policy}/${rule.id} does not admit ${person} on ${path}: ${why}`
  return refusal('AUTHOR_NOT_ALLOWED', message, { path, policy, rule: rule.id, person })
}

/**
 * The author, the sponsor named in the body and the sponsor registered for the agent. Those of all
 * earlier revisions join: callers keep the union. Nobody in it fills a seat, admins neither.
 */
export function authorSetOf(author: Person, sponsor: Id | undefined): ReadonlySet<Id> {
  const people = new Set<Id>([author.id])
  if (sponsor !== undefined) people.add(sponsor)
  if (author.sponsor !== undefined) people.add(author.sponsor)
  return people
}
