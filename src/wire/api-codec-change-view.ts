/** A change as readers see it: summary, revisions, decisions, activation, explanation. */
import type {
  Activation,
  ChangeSummary,
  ChangeView,
  DecisionView,
  Explanation,
  RevisionView,
  SeatView,
} from '../machine/index.js'
import {
  changeStates,
  oneOf,
  present,
  refusalFromWire,
  refusalToWire,
  rulesFromWire,
  rulesToWire,
  signedMessageFromWire,
  signedMessageToWire,
  someNumber,
  someText,
  text,
} from './api-codec-values.js'
import { type countersign, safeInteger } from './protobuf.js'

type V1Summary = countersign.v1.ChangeSummary.$Properties
type V1Change = countersign.v1.Change.$Properties
type V1Revision = countersign.v1.Revision.$Properties
type V1Decision = countersign.v1.Decision.$Properties
type V1Activation = countersign.v1.Activation.$Properties
type V1Explanation = countersign.v1.Explanation.$Properties
type V1Seat = countersign.v1.Seat.$Properties
type V1Counted = countersign.v1.CountedApproval.$Properties

const changeKinds = [
  'config',
  'policy',
  'identity',
  'schema',
  'node',
  'freeze',
  'rollback',
  'emergency',
] as const
const decisionWords = ['approve', 'reject', 'revoke', 'ratify'] as const
const modes = ['auto', 'manual', 'tick'] as const
const tiers = ['low', 'medium', 'high', 'none'] as const
const yesOrNo = ['yes', 'no'] as const
const nextWords = ['opens', 'expires', 'activates'] as const

export function summaryToWire(summary: ChangeSummary): V1Summary {
  return {
    changeId: summary.changeId,
    kind: summary.kind,
    state: summary.state,
    title: summary.title,
    author: summary.author,
    sponsor: summary.sponsor ?? '',
    revision: summary.revision,
    contentDigest: summary.contentDigest,
    paths: [...summary.paths],
    openedAt: summary.openedAt,
    openedIndex: summary.openedIndex,
    updatedIndex: summary.updatedIndex,
    approvals: summary.approvals,
    activatedIndex: summary.activatedIndex ?? 0,
  }
}

export function summaryFromWire(wire: V1Summary): ChangeSummary {
  return {
    changeId: text(wire.changeId),
    kind: oneOf(changeKinds, wire.kind, 'kind'),
    state: oneOf(changeStates, wire.state, 'state'),
    title: text(wire.title),
    author: text(wire.author),
    ...someText('sponsor', wire.sponsor),
    revision: wire.revision ?? 0,
    contentDigest: text(wire.contentDigest),
    paths: wire.paths ?? [],
    openedAt: safeInteger(wire.openedAt, 'opened_at'),
    openedIndex: safeInteger(wire.openedIndex, 'opened_index'),
    updatedIndex: safeInteger(wire.updatedIndex, 'updated_index'),
    approvals: wire.approvals ?? 0,
    ...someNumber('activatedIndex', wire.activatedIndex),
  }
}

export function changeToWire(change: ChangeView): V1Change {
  const { closed, activation } = change
  return {
    summary: summaryToWire(change),
    rulesDigest: change.rulesDigest,
    rulesJson: rulesToWire(change.rules),
    riskDigest: change.riskDigest,
    revisions: change.revisions.map(revisionToWire),
    decisions: change.decisions.map(decisionToWire),
    openDeadline: change.openDeadline ?? 0,
    useDeadline: change.useDeadline ?? 0,
    approvedAt: change.approvedAt ?? 0,
    ...(closed === undefined ? {} : { closed: closedToWire(closed) }),
    ...(activation === undefined ? {} : { activation: activationToWire(activation) }),
    explanation: explanationToWire(change.explanation),
    nextSeq: change.nextSeq,
  }
}

export function changeFromWire(wire: V1Change): ChangeView {
  return {
    ...summaryFromWire(present(wire.summary, 'summary')),
    rulesDigest: text(wire.rulesDigest),
    rules: rulesFromWire(wire.rulesJson),
    riskDigest: text(wire.riskDigest),
    revisions: (wire.revisions ?? []).map(revisionFromWire),
    decisions: (wire.decisions ?? []).map(decisionFromWire),
    ...someNumber('openDeadline', wire.openDeadline),
    ...someNumber('useDeadline', wire.useDeadline),
    ...someNumber('approvedAt', wire.approvedAt),
    ...(wire.closed ? { closed: closedFromWire(wire.closed) } : {}),
    ...(wire.activation ? { activation: activationFromWire(wire.activation) } : {}),
    explanation: explanationFromWire(present(wire.explanation, 'explanation')),
    nextSeq: safeInteger(wire.nextSeq, 'next_seq'),
  }
}

export function explanationToWire(explanation: Explanation): V1Explanation {
  return {
    blocked: explanation.blocked.map(refusalToWire),
    seats: explanation.seats.map(seatToWire),
    floorNeed: explanation.floor.need,
    floorHave: explanation.floor.have,
    floorBy: [...explanation.floor.by],
    mayWithdraw: [...explanation.mayWithdraw],
    nextAt: explanation.next?.at ?? 0,
    nextWhat: explanation.next?.what ?? '',
  }
}

export function explanationFromWire(wire: V1Explanation): Explanation {
  return {
    blocked: (wire.blocked ?? []).map(refusalFromWire),
    seats: (wire.seats ?? []).map(seatFromWire),
    floor: { need: wire.floorNeed ?? 0, have: wire.floorHave ?? 0, by: wire.floorBy ?? [] },
    mayWithdraw: wire.mayWithdraw ?? [],
    ...(text(wire.nextWhat) === '' ? {} : { next: nextFromWire(wire) }),
  }
}

function nextFromWire(wire: V1Explanation): NonNullable<Explanation['next']> {
  return {
    at: safeInteger(wire.nextAt, 'next_at'),
    what: oneOf(nextWords, wire.nextWhat, 'next_what'),
  }
}

function seatToWire(seat: SeatView): V1Seat {
  return { ...seat, filledBy: seat.filledBy ?? '', candidates: [...seat.candidates] }
}

function seatFromWire(wire: V1Seat): SeatView {
  return {
    policy: text(wire.policy),
    rule: text(wire.rule),
    line: wire.line ?? 0,
    group: text(wire.group),
    ...someText('filledBy', wire.filledBy),
    candidates: wire.candidates ?? [],
  }
}

function revisionToWire(revision: RevisionView): V1Revision {
  return {
    revision: revision.revision,
    contentDigest: revision.contentDigest,
    author: revision.author,
    index: revision.index,
    at: revision.at,
    superseded: revision.superseded,
    message: signedMessageToWire(revision),
  }
}

function revisionFromWire(wire: V1Revision): RevisionView {
  return {
    revision: wire.revision ?? 0,
    contentDigest: text(wire.contentDigest),
    author: text(wire.author),
    index: safeInteger(wire.index, 'index'),
    at: safeInteger(wire.at, 'at'),
    superseded: wire.superseded ?? false,
    ...signedMessageFromWire(wire.message),
  }
}

function decisionToWire(decision: DecisionView): V1Decision {
  return {
    person: decision.person,
    decision: decision.decision,
    revision: decision.revision,
    seq: decision.seq,
    index: decision.index,
    at: decision.at,
    messageDigest: decision.messageDigest,
    message: signedMessageToWire(decision),
    counts: decision.counts,
    ...(decision.whyNot === undefined ? {} : { whyNot: refusalToWire(decision.whyNot) }),
  }
}

function decisionFromWire(wire: V1Decision): DecisionView {
  return {
    person: text(wire.person),
    decision: oneOf(decisionWords, wire.decision, 'decision'),
    revision: wire.revision ?? 0,
    seq: safeInteger(wire.seq, 'seq'),
    index: safeInteger(wire.index, 'index'),
    at: safeInteger(wire.at, 'at'),
    messageDigest: text(wire.messageDigest),
    ...signedMessageFromWire(wire.message),
    counts: wire.counts ?? false,
    ...(wire.whyNot ? { whyNot: refusalFromWire(wire.whyNot) } : {}),
  }
}

type Closed = NonNullable<ChangeView['closed']>

function closedToWire(closed: Closed): countersign.v1.Closed.$Properties {
  const { at, index, reason } = closed
  return { at, index, ...(reason === undefined ? {} : { reason: refusalToWire(reason) }) }
}

function closedFromWire(wire: countersign.v1.Closed.$Properties): Closed {
  return {
    at: safeInteger(wire.at, 'at'),
    index: safeInteger(wire.index, 'index'),
    ...(wire.reason ? { reason: refusalFromWire(wire.reason) } : {}),
  }
}

function activationToWire(activation: Activation): V1Activation {
  return {
    ...activation,
    counted: activation.counted.map((counted) => ({ ...counted, seats: [...counted.seats] })),
    written: [...activation.written],
  }
}

function activationFromWire(wire: V1Activation): Activation {
  return {
    changeId: text(wire.changeId),
    revision: wire.revision ?? 0,
    contentDigest: text(wire.contentDigest),
    index: safeInteger(wire.index, 'index'),
    at: safeInteger(wire.at, 'at'),
    mode: oneOf(modes, wire.mode, 'mode'),
    rulesDigest: text(wire.rulesDigest),
    riskDigest: text(wire.riskDigest),
    tier: oneOf(tiers, wire.tier, 'tier'),
    weakening: oneOf(yesOrNo, wire.weakening, 'weakening'),
    counted: (wire.counted ?? []).map(countedFromWire),
    written: (wire.written ?? []).map((written) => ({
      path: text(written.path),
      modRevision: safeInteger(written.modRevision, 'mod_revision'),
      previousModRevision: safeInteger(written.previousModRevision, 'previous_mod_revision'),
    })),
  }
}

function countedFromWire(wire: V1Counted): Activation['counted'][number] {
  return {
    person: text(wire.person),
    keyId: text(wire.keyId),
    messageDigest: text(wire.messageDigest),
    seats: (wire.seats ?? []).map((seat) => ({
      policy: text(seat.policy),
      rule: text(seat.rule),
      line: seat.line ?? 0,
    })),
  }
}
