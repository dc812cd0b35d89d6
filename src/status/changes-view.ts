/**
 * The latest changes for people who watch: what, who, where it stands, who approved, who could.
 * Titles, paths and names only; a value never leaves through the status endpoint.
 */
import type { ChangeSummary, ChangeView } from '../machine/index.js'
import type { ChangeFilter, ConfigReads } from '../node/ports.js'
import { shortCode } from '../signing/index.js'
import { candidatesShownMax, pathsShownMax } from './limits.js'

export interface ChangesView {
  readonly changes: readonly ChangeRow[]
  /** Applied index of the answer. */
  readonly revision: number
  /** Pass as `before` for the page below; null when there is no more. */
  readonly next: number | null
}

export interface ChangeRow {
  readonly changeId: string
  readonly kind: string
  readonly state: string
  readonly title: string
  readonly author: string
  readonly sponsor: string | null
  readonly revision: number
  /** Of the latest revision, hex. */
  readonly contentDigest: string
  /** The digest's beginning, to compare by eye with what the command line shows. */
  readonly shortCode: string
  readonly paths: readonly string[]
  /** All of them; `paths` holds the first. */
  readonly pathCount: number
  /** Log time. */
  readonly openedAtMs: number
  readonly openedIndex: number
  readonly activatedIndex: number | null
  /** People whose latest decision is an approval that counts. */
  readonly approvedBy: readonly string[]
  readonly rejectedBy: readonly string[]
  /** Empty seats of an open change, and who could fill each. */
  readonly missing: readonly { readonly group: string; readonly candidates: readonly string[] }[]
  /** Why an open change does not go on, or why a closed one ended; null when there is nothing. */
  readonly reason: { readonly code: string; readonly message: string } | null
}

export function changesView(
  reads: ConfigReads,
  filter: ChangeFilter,
): Omit<ChangesView, 'revision'> {
  const summaries = reads.changes({ ...filter, limit: filter.limit + 1 })
  const page = summaries.slice(0, filter.limit)
  const last = page.at(-1)
  return {
    changes: page.map((summary) => changeRow(summary, reads.change(summary.changeId))),
    next: summaries.length > page.length && last !== undefined ? last.openedIndex : null,
  }
}

function changeRow(summary: ChangeSummary, change: ChangeView | undefined): ChangeRow {
  const isOpen = summary.state === 'OPEN' || summary.state === 'APPROVED'
  const reason = isOpen ? change?.explanation.blocked[0] : change?.closed?.reason
  return {
    changeId: summary.changeId,
    kind: summary.kind,
    state: summary.state,
    title: summary.title,
    author: summary.author,
    sponsor: summary.sponsor ?? null,
    revision: summary.revision,
    contentDigest: summary.contentDigest,
    shortCode: shortCode(summary.contentDigest),
    paths: summary.paths.slice(0, pathsShownMax),
    pathCount: summary.paths.length,
    openedAtMs: summary.openedAt,
    openedIndex: summary.openedIndex,
    activatedIndex: summary.activatedIndex ?? null,
    approvedBy: change === undefined ? [] : approvers(change),
    rejectedBy: change === undefined ? [] : latestOf(change, 'reject'),
    missing: isOpen && change !== undefined ? missingSeats(change) : [],
    reason: reason === undefined ? null : { code: reason.code, message: reason.message },
  }
}

/** After the activation the counted approvals say it; before, the decisions that count now. */
function approvers(change: ChangeView): readonly string[] {
  if (change.activation !== undefined) {
    return distinct(change.activation.counted.map((approval) => approval.person))
  }
  return distinct(
    change.decisions
      .filter((decision) => decision.decision === 'approve' && decision.counts)
      .map((decision) => decision.person),
  )
}

function latestOf(change: ChangeView, word: 'reject'): readonly string[] {
  const latest = new Map<string, ChangeView['decisions'][number]>()
  for (const decision of change.decisions) {
    const known = latest.get(decision.person)
    if (known === undefined || known.seq < decision.seq) latest.set(decision.person, decision)
  }
  return [...latest.values()]
    .filter((decision) => decision.decision === word)
    .map((decision) => decision.person)
}

function missingSeats(change: ChangeView): ChangeRow['missing'] {
  return change.explanation.seats
    .filter((seat) => seat.filledBy === undefined)
    .map((seat) => ({
      group: seat.group,
      candidates: seat.candidates.slice(0, candidatesShownMax),
    }))
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
