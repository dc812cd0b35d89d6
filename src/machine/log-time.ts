/**
 * Log time (docs/approval-model.md): the time that a majority of the voters attests. The new time is the smallest of
 * exactly a majority of signed stamps, so that f lying nodes of 2f+1 cannot push it past an honest
 * clock; stamps name the log they were made after, so they cannot be hoarded.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { GenesisNode, Ms, StampBody } from '../approval/index.js'
import { decodeBody, later } from '../approval/index.js'
import type { Envelope, Verify } from '../signing/index.js'
import { compareCodeUnits, decodePublicKey, verifyEnvelope } from '../signing/index.js'
import { activateReady } from './activation.js'
import { isOpen } from './change-index.js'
import { deadlineOf } from './guard.js'
import { notAfterAheadMs } from './law.js'
import type { Law } from './law.js'
import { startUse, transition, withOpenDeadline } from './lifecycle.js'
import type { ChangeRow } from './records.js'
import type { State } from './state.js'
import type { Step } from './step.js'

export type StampVerdict =
  { readonly kind: 'ok'; readonly ms: Ms } | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Judges the stamps of one Tick. */
export function judgeStamps(
  law: Law,
  state: State,
  stamps: readonly Envelope[],
  verify: Verify,
): StampVerdict {
  const voters = [...state.governance.nodes()].filter((node) => node.role === 'voter')
  const nodeMajority = Math.floor(voters.length / 2) + 1
  if (stamps.length !== nodeMajority) {
    return refuse(
      `A Tick carries stamps of exactly ${String(nodeMajority)} voters, not of ${String(stamps.length)}.`,
    )
  }
  const seen = new Set<string>()
  let smallest = Number.MAX_SAFE_INTEGER
  for (const envelope of stamps) {
    const stamp = judgeStamp(law, state, envelope, verify)
    if (stamp.kind === 'refused') return stamp
    if (seen.has(stamp.node)) return refuse(`Two stamps are of the node ${stamp.node}.`)
    seen.add(stamp.node)
    smallest = Math.min(smallest, stamp.ms)
  }
  if (smallest <= state.logTime) {
    return refuse('The smallest stamp does not exceed log time.', {
      smallest,
      logTime: state.logTime,
    })
  }
  return { kind: 'ok', ms: smallest }
}

/** Applies a judged Tick: starts, expiries, then activations. */
export function advance(step: Step, ms: Ms): void {
  const { state } = step
  const previous = state.logTime
  state.setMeta({ logTime: ms, lastTickIndex: step.index })
  step.events.push({ kind: 'timeAdvanced', ms })
  for (const digest of state.seenIndex.expired(previous, ms)) state.seen.delete(digest)
  takeStarts(step)
  expire(step)
  activateReady(step, state.changeIndex.approved, 'tick')
}

type Stamp =
  | { readonly kind: 'ok'; readonly node: string; readonly ms: Ms }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

function judgeStamp(law: Law, state: State, envelope: Envelope, verify: Verify): Stamp {
  const decoded = decodeBody(envelope, state.governance.featureLevel)
  if (decoded.kind === 'refused') return decoded
  if (decoded.signed.word !== 'stamp') {
    return { kind: 'refused', refusal: refusal('BAD_TYPE', 'A Tick carries stamps only.') }
  }
  const stamp = decoded.signed.body
  if (stamp.clusterId !== law.clusterId) {
    return {
      kind: 'refused',
      refusal: refusal('WRONG_CLUSTER', `A stamp was signed for cluster ${stamp.clusterId}.`),
    }
  }
  const node = state.governance.node(stamp.node)
  if (node?.role !== 'voter') return refuse(`A stamp is of ${stamp.node}, which is no voter.`)
  const publicKey = nodeKeyOf(node, stamp)
  if (publicKey === undefined) return refuse(`A stamp of ${stamp.node} names another key.`)
  if (!verifyEnvelope(envelope, publicKey, verify)) {
    return {
      kind: 'refused',
      refusal: refusal('BAD_SIGNATURE', `The stamp of ${stamp.node} does not verify.`),
    }
  }
  return judgeStampFresh(state, stamp) ?? { kind: 'ok', node: stamp.node, ms: stamp.ms }
}

function judgeStampFresh(state: State, stamp: StampBody): Stamp | undefined {
  if (stamp.lastIndex < state.stored.lastTickIndex) {
    return refuse(`The stamp of ${stamp.node} was made before the previous Tick.`, {
      lastIndex: stamp.lastIndex,
      lastTickIndex: state.stored.lastTickIndex,
    })
  }
  if (stamp.notAfter < state.logTime || stamp.notAfter > stamp.ms + notAfterAheadMs) {
    return refuse(`The stamp of ${stamp.node} has a \`notAfter\` out of range.`)
  }
  return undefined
}

function nodeKeyOf(node: GenesisNode, stamp: StampBody): Uint8Array | undefined {
  const decoded = decodePublicKey(node.nodeKey)
  return decoded.kind === 'ok' && decoded.keyId === stamp.keyId ? decoded.publicKey : undefined
}

/** What waited for a Tick begins at this one: keys, deadlines, delays and bakes. */
function takeStarts(step: Step): void {
  const { state, law } = step
  const now = state.logTime
  for (const keyId of [...state.governance.waitingKeys].sort(compareCodeUnits)) {
    const key = state.keys.get(keyId)
    if (key !== undefined) state.keys.put(keyId, { ...key, registeredAt: now })
  }
  for (const changeId of [...state.changeIndex.waiting].sort(compareCodeUnits)) {
    let change = state.changes.get(changeId)
    if (change === undefined) continue
    if (!isOpen(change)) {
      if (change.bake === undefined) continue
      const bake = { ...change.bake, until: later(now, change.bake.forMs) }
      state.changes.put(changeId, { ...change, bake })
      continue
    }
    if (change.openFrom === undefined) {
      const lifeDeadline = change.lifeDeadline ?? later(now, law.lifeMaxMs)
      change = withOpenDeadline(step, { ...change, openFrom: now, lifeDeadline })
      state.changes.put(changeId, change)
    }
    if (change.state === 'APPROVED' && change.useFrom === undefined) startUse(step, change)
  }
}

function expire(step: Step): void {
  const { state } = step
  const due: ChangeRow[] = []
  for (const changeId of state.changeIndex.open) {
    const change = state.changes.get(changeId)
    const deadline = change === undefined ? undefined : deadlineOf(change)
    if (change !== undefined && deadline !== undefined && deadline <= state.logTime) {
      due.push(change)
    }
  }
  due.sort((a, b) => compareCodeUnits(a.changeId, b.changeId))
  for (const change of due) {
    const which = change.lifeDeadline === deadlineOf(change) ? 'lifeMax' : nameOf(change)
    transition(step, change, 'EXPIRED', {
      reason: refusal('EXPIRED', `The deadline \`${which}\` has passed.`, {
        deadline: deadlineOf(change),
        logTime: state.logTime,
      }),
    })
  }
}

function nameOf(change: ChangeRow): string {
  return change.state === 'APPROVED' ? 'use' : 'open'
}

function refuse(
  message: string,
  details?: Readonly<Record<string, unknown>>,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: refusal('BODY_INVALID', message, details) }
}
