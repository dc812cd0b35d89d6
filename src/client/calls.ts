/**
 * One call until it has an answer or its time is over. Every attempt sends the same bytes: a message
 * that was applied already answers with its first result.
 */
import { CountersignError, type ErrorCode } from '../errors.js'
import type { Method } from '../wire/index.js'
import { attempt, toBuffer } from './attempt.js'
import { Backoff, pause, type BackoffBounds } from './backoff.js'
import type { Connections } from './connections.js'
import type { LeaderSearch } from './leader.js'
import type { SecondOpinion } from './second-opinion.js'
import { Tried } from './tried.js'

export interface Attempts {
  readonly connections: Connections
  readonly search: LeaderSearch
  readonly backoffMs: BackoffBounds
  readonly secondOpinion: SecondOpinion
}

export interface CallPlan {
  /** `leader`: writes and linearizable reads. `any`: whoever answers. Else exactly this address. */
  readonly target: 'leader' | 'any' | { readonly address: string }
  /** A lost answer leaves the outcome open. */
  readonly isWrite: boolean
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

/** Answers that another node may turn into a result. */
export const elsewhere: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_LEADER',
  'NO_QUORUM',
  'UNKNOWN_OUTCOME',
  'NODE_STOPPING',
  'NODE_STARTING',
])
/** The same node will take the same bytes a little later. */
export const later: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BUSY', 'RATE_LIMITED'])

const attemptMsMin = 50

export async function callUntilAnswered<Request, Response>(
  attempts: Attempts,
  method: Method<Request, Response>,
  request: Request,
  plan: CallPlan,
): Promise<Response> {
  const bytes = method.request.encode(request)
  const answer = await bytesUntilAnswered(attempts, method.path, toBuffer(bytes), plan)
  return method.response.decode(answer)
}

async function bytesUntilAnswered(
  { connections, search, backoffMs, secondOpinion }: Attempts,
  path: string,
  bytes: Buffer,
  plan: CallPlan,
): Promise<Buffer> {
  const endAtMs = performance.now() + plan.deadlineMs
  const attemptMs = Math.min(Math.max(plan.deadlineMs / 3, 500), 5_000)
  const backoff = new Backoff(backoffMs, search.addresses.length)
  const tried = new Tried()
  let isOutcomeOpen = false
  const outOfTime = (): CountersignError =>
    tried.outOfTime({ isOutcomeOpen, deadlineMs: plan.deadlineMs })

  for (;;) {
    throwIfAborted(plan.signal)
    const leftMs = endAtMs - performance.now()
    // With hardly any time left an attempt could only make a known answer an unknown one.
    if (leftMs <= (tried.isNowhere ? 0 : attemptMsMin)) throw outOfTime()
    const address = addressFor(plan, search)
    const client = connections.to(address)
    const outcome = await attempt(client, path, bytes, {
      address,
      deadlineMs: Math.min(attemptMs, leftMs),
      signal: plan.signal,
      ...(plan.target === 'leader' && {
        whileSilent: (giveUp) => secondOpinion.whileSilent(address, giveUp),
      }),
    })
    if (outcome.kind === 'answered') {
      if (plan.target === 'leader') search.answeredAsLeader(address)
      else search.answered(address)
      return outcome.bytes
    }
    throwIfAborted(plan.signal)
    const { error } = outcome
    tried.failed(address, error)
    const leftAfterMs = endAtMs - performance.now()
    if (error.kind === 'lost') {
      // Exactly this node was asked for: whether it answers is the answer.
      if (isOnly(plan)) {
        connections.drop(address, client)
        throw outOfTime()
      }
      isOutcomeOpen ||= plan.isWrite && error.wasSent
      if (!isOutcomeOpen && tried.fitsNowhere(search.addresses)) {
        connections.drop(address, client)
        throw outOfTime()
      }
      connections.drop(address, client)
      if (plan.target === 'leader') connections.warmOthers(search.addresses, address)
      search.failed(address)
    } else if (later.has(error.error.code)) {
      await pause(Math.min(waitOf(error.error), leftAfterMs), plan.signal)
      continue
    } else if (!elsewhere.has(error.error.code) || isOnly(plan)) {
      throw error.error
    } else if (error.error.code === 'NOT_LEADER') {
      if (search.notLeader(address, error.error)) continue
    } else {
      isOutcomeOpen ||= plan.isWrite && leavesOutcomeOpen(error.error.code)
      search.failed(address)
    }
    await backoff.wait(plan.signal, leftAfterMs)
  }
}

function addressFor(plan: CallPlan, search: LeaderSearch): string {
  if (plan.target === 'leader') return search.forLeader()
  if (plan.target === 'any') return search.forAny()
  return plan.target.address
}

function isOnly(plan: CallPlan): boolean {
  return typeof plan.target === 'object'
}

/** A leader that lost its term, or its majority, may or may not have committed the command. */
export function leavesOutcomeOpen(code: ErrorCode): boolean {
  return code === 'UNKNOWN_OUTCOME' || code === 'NO_QUORUM'
}

export function waitOf(error: CountersignError): number {
  const { retryAfterMs } = error.details
  const isNumber = typeof retryAfterMs === 'number' && retryAfterMs >= 0
  return Math.max(10, isNumber ? Math.min(retryAfterMs, 60_000) : 20 + Math.random() * 80)
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

export function cancelled(): CountersignError {
  return new CountersignError('CANCELLED', 'The call was cancelled before it ended.')
}
