import type { Id } from '../approval/index.js'
import { isOpen } from './change-index.js'
import { explain } from './explain.js'
import { judgeApprovals, whyDecisionFails } from './quorum.js'
import type { ChangeRow, DecisionRow } from './records.js'
import type { Sight } from './sight.js'
import type { ChangeSummary, ChangeView, DecisionView, RevisionView } from './views.js'

export function summaryOf(sight: Sight, change: ChangeRow): ChangeSummary {
  const activation = activationOf(sight, change)
  return {
    changeId: change.changeId,
    kind: change.kind,
    state: change.state,
    title: change.title,
    author: change.author,
    ...(change.sponsor === undefined ? {} : { sponsor: change.sponsor }),
    revision: change.revision,
    contentDigest: change.contentDigest,
    paths: change.paths,
    openedAt: change.openedAt,
    openedIndex: change.openedIndex,
    updatedIndex: change.updatedIndex,
    approvals: isOpen(change)
      ? judgeApprovals(sight, change).floor.have
      : (activation?.counted.length ?? 0),
    ...(activation === undefined ? {} : { activatedIndex: activation.index }),
  }
}

/** `asker`: the person whose next sequence number is wanted. */
export function changeView(sight: Sight, change: ChangeRow, asker: Id | undefined): ChangeView {
  const { rules, digest } = sight.reader.binding(change)
  const activation = activationOf(sight, change)
  const { openDeadline, useDeadline, approvedAt, closed, changeId } = change
  const { lifeDeadline } = change
  const lastSeq =
    asker === undefined ? undefined : sight.state.decisionIndex.lastSeq(changeId, asker)
  return {
    ...summaryOf(sight, change),
    rulesDigest: digest,
    rules,
    riskDigest: 'none',
    revisions: revisionViews(sight, change),
    decisions: sight.state.decisionIndex
      .of(changeId)
      .flatMap((row) => decisionView(sight, change, row)),
    ...(openDeadline === undefined
      ? {}
      : { openDeadline: Math.min(openDeadline, lifeDeadline ?? openDeadline) }),
    ...(useDeadline === undefined
      ? {}
      : { useDeadline: Math.min(useDeadline, lifeDeadline ?? useDeadline) }),
    ...(approvedAt === undefined ? {} : { approvedAt }),
    ...(closed === undefined ? {} : { closed }),
    ...(activation === undefined ? {} : { activation }),
    explanation: explain(sight, change),
    nextSeq: (lastSeq ?? 0) + 1,
  }
}

function activationOf({ state }: Sight, change: ChangeRow): ChangeView['activation'] {
  return change.activation === undefined ? undefined : state.activations.get(change.activation)
}

function revisionViews(sight: Sight, change: ChangeRow): readonly RevisionView[] {
  const views: RevisionView[] = []
  for (let revision = 1; revision <= change.revision; revision++) {
    const row = sight.reader.revision(change.changeId, revision)
    const { contentDigest, author, index, at, envelope, detached } = row
    const superseded = revision < change.revision
    views.push({ revision, contentDigest, author, index, at, superseded, envelope, detached })
  }
  return views
}

/** Withdrawals and activations are no decisions about the content. */
function decisionView(sight: Sight, change: ChangeRow, row: DecisionRow): readonly DecisionView[] {
  const { word, person, revision, seq, index, at, messageDigest, envelope, detached } = row
  if (word === 'withdraw' || word === 'activate') return []
  const whyNot = isOpen(change) ? whyDecisionFails(sight, change, row) : undefined
  const counts = isOpen(change)
    ? whyNot === undefined
    : (activationOf(sight, change)?.counted.some((one) => one.messageDigest === messageDigest) ??
      false)
  return [
    {
      person,
      decision: word,
      revision,
      seq,
      index,
      at,
      messageDigest,
      envelope,
      detached,
      counts,
      ...(whyNot === undefined ? {} : { whyNot }),
    },
  ]
}
