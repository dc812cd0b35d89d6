/**
 * What can be worked out from a change's signed bytes and the rules in force, kept for open
 * changes so that a decision need not decode and match again. Derived; never stored.
 */
import type {
  ChangeScope,
  EffectiveRule,
  Hex16,
  Hex32,
  Id,
  MatchedPolicies,
  ProposeBody,
  Terms,
  Tier,
} from '../approval/index.js'
import {
  decodeBody,
  matchPolicies,
  matchPolicy,
  rulesDigest,
  rulesThatBind,
  seatGroups,
  termsOf,
} from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { Json } from '../signing/index.js'
import { compareCodeUnits, decodeDetached, detachedDigest } from '../signing/index.js'
import { isOpen } from './change-index.js'
import type { Parts } from './config-tree.js'
import { featureLevelMax } from './features.js'
import type { Law } from './law.js'
import { revisionRowId } from './records.js'
import type { ChangeRow, RevisionRow } from './records.js'
import type { State } from './state.js'

/** The rules that bind a change, with what they say together. */
export interface BindingRules {
  readonly rules: readonly EffectiveRule[]
  readonly digest: Hex32
  readonly terms: Terms
  /** At level 1 the analyser is always silent, and then the top tier applies. */
  readonly tier: Tier
  /** Groups of at least one seat. */
  readonly groups: readonly Id[]
}

interface Kept {
  readonly contentDigest: Hex32
  readonly body: ProposeBody
  binding?: KeptBinding
}

interface KeptBinding {
  readonly policiesVersion: number
  readonly matched: MatchedPolicies
  readonly rules: BindingRules
}

export class ChangeReader {
  private readonly state: State
  private readonly law: Law
  private readonly kept = new Map<Hex16, Kept>()

  constructor(state: State, law: Law) {
    this.state = state
    this.law = law
    state.changes.listen((changeId, _before, after) => {
      if (after === undefined || !isOpen(after)) this.kept.delete(changeId)
    })
  }

  /** The current revision as it was signed. */
  body(change: ChangeRow): ProposeBody {
    return this.keep(change).body
  }

  /** The rules that bind the change under the policies in force now. */
  binding(change: ChangeRow): BindingRules {
    const kept = this.keep(change)
    const { policiesVersion } = this.state.governance
    if (kept.binding?.policiesVersion === policiesVersion) return kept.binding.rules
    const matched = this.matchAgain(kept)
    const rules =
      matched === kept.binding?.matched ? kept.binding.rules : this.rulesOf(kept.body, matched)
    kept.binding = { policiesVersion, matched, rules }
    return rules
  }

  bindingOf(body: ProposeBody): BindingRules {
    return this.rulesOf(body, matchPolicies(this.state.governance, scopeOf(body)))
  }

  /** The same object when no policy written since touches the change. */
  private matchAgain({ body, binding }: Kept): MatchedPolicies {
    const { governance } = this.state
    const scope = scopeOf(body)
    const written =
      binding === undefined ? undefined : governance.policiesWrittenSince(binding.policiesVersion)
    if (binding === undefined || written === undefined) return matchPolicies(governance, scope)
    let matched: Map<Id, readonly EffectiveRule[]> | undefined
    for (const name of written) {
      const document = governance.policy(name)
      const rules = document === undefined ? [] : matchPolicy({ name, document }, scope)
      if (rules.length === 0 && !binding.matched.has(name)) continue
      matched ??= new Map(binding.matched)
      if (rules.length === 0) matched.delete(name)
      else matched.set(name, rules)
    }
    return matched ?? binding.matched
  }

  private rulesOf(body: ProposeBody, matched: MatchedPolicies): BindingRules {
    const rules = rulesThatBind(body.kind, matched)
    const terms = termsOf(rules, this.law.genesis.defaults, body)
    const tier = terms.asksRisk ? 'high' : 'low'
    return { rules, digest: rulesDigest(rules), terms, tier, groups: seatGroups(rules, tier) }
  }

  revision(changeId: Hex16, revision: number): RevisionRow {
    const row = this.state.revisions.get(revisionRowId(changeId, revision))
    invariant(row !== undefined, 'A change names a revision that is not kept.', {
      changeId,
      revision,
    })
    return row
  }

  /** Values of the detached parts of the current revision. */
  parts(change: ChangeRow): Parts {
    return partsOf(this.revision(change.changeId, change.revision).detached)
  }

  private keep(change: ChangeRow): Kept {
    const known = this.kept.get(change.changeId)
    if (known?.contentDigest === change.contentDigest) return known
    const body = bodyOf(this.revision(change.changeId, change.revision))
    const kept: Kept = { contentDigest: change.contentDigest, body }
    if (isOpen(change)) this.kept.set(change.changeId, kept)
    return kept
  }
}

function scopeOf({ kind, ops }: ProposeBody): ChangeScope {
  return { kind, paths: ops.map(({ path }) => path) }
}

/** Values by digest; what cannot be decoded is left out. */
export function partsOf(detached: readonly Uint8Array[]): Parts {
  const parts = new Map<Hex32, Json>()
  for (const bytes of detached) {
    const decoded = decodeDetached(bytes)
    if (decoded.kind === 'ok') parts.set(detachedDigest(bytes), decoded.value)
  }
  return parts
}

/** Decodes a revision that was judged before. */
export function bodyOf(row: RevisionRow): ProposeBody {
  // The level of then is not kept; what was accepted at any level is decoded at the newest.
  const decoded = decodeBody(row.envelope, featureLevelMax)
  invariant(
    decoded.kind === 'ok' && decoded.signed.word === 'propose',
    'A kept revision cannot be decoded.',
  )
  return decoded.signed.body
}

/** Proposers of a change with their sponsors, named and registered, sorted by code units. */
export function authorSetOf(
  state: State,
  earlier: readonly Id[],
  author: Id,
  sponsor: Id | undefined,
): readonly Id[] {
  const people = new Set(earlier)
  people.add(author)
  if (sponsor !== undefined) people.add(sponsor)
  const registered = state.governance.person(author)?.sponsor
  if (registered !== undefined) people.add(registered)
  return [...people].sort(compareCodeUnits)
}
