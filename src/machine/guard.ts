/**
 * The activation guard, evaluated whole at one index: the effect happens at that same index. Apply
 * stops at the first obstacle, `show` lists them all, in the order of docs/approval-model.md.
 */
import type { Refusal } from '../errors.js'
import { refusal } from '../errors.js'
import type { Hex16, Id, Ms, Path } from '../approval/index.js'
import { isFrozenBy, later, nextOpening } from '../approval/index.js'
import { judgeAfterState, isWeakening } from './after-state.js'
import { lastWriter } from './config-tree.js'
import { judgeApprovals, missingOf } from './quorum.js'
import type { ChangeRow } from './records.js'
import type { Sight } from './sight.js'

/** The first obstacle; undefined: the change becomes active at this index. */
export function firstObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  // Cheap ones first: which obstacle is named does not matter here, only whether there is one.
  for (const judge of [timeObstacle, dependencyObstacle, bakeObstacle, deadlineObstacle]) {
    const obstacle = judge(sight, change)
    if (obstacle !== undefined) return obstacle
  }
  return (
    approvalObstacle(sight, change) ??
    baseObstacle(sight, change) ??
    afterStateObstacle(sight, change)
  )
}

/** Every obstacle, in the order of the guard. */
export function allObstacles(sight: Sight, change: ChangeRow): readonly Refusal[] {
  const judges = [
    approvalObstacle,
    baseObstacle,
    afterStateObstacle,
    riskObstacle,
    timingObstacle,
    freezeObstacle,
    dependencyObstacle,
    bakeObstacle,
    deadlineObstacle,
  ]
  const found: Refusal[] = []
  for (const judge of judges) {
    const obstacle = judge(sight, change)
    if (obstacle !== undefined) found.push(obstacle)
  }
  return found
}

/**
 * The first moment at which delay, schedule, windows and the risk timeout allow activation, as far
 * as it is known; undefined when the windows never meet. `use` counts from it.
 */
export function earliestActivation(
  sight: Sight,
  change: ChangeRow,
  from: Ms,
  notBeforeAnyway: Ms = from,
): Ms | undefined {
  const { rules, terms } = sight.reader.binding(change)
  const delay = isWeakening(sight, change) ? terms.weakeningDelayMs : 0
  const riskUntil = terms.asksRisk ? later(change.openFrom ?? from, sight.law.riskTimeoutMs) : from
  const notBefore = sight.reader.body(change).schedule?.notBefore ?? from
  const earliest = Math.max(later(from, delay), notBefore, riskUntil, notBeforeAnyway)
  return nextOpening(rules, earliest) ?? undefined
}

/** When the freezes that stop this change now are over; undefined: none stops it. */
export function frozenUntil(sight: Sight, change: ChangeRow): Ms | undefined {
  let until: Ms | undefined
  for (const freeze of freezesOver(sight, change)) until = Math.max(until ?? 0, freeze.until)
  return until
}

/** The freezes that stop this change now, each with the first path of the change that it covers. */
export function freezesOver(
  { state }: Sight,
  change: ChangeRow,
): readonly { readonly freeze: Id; readonly path: Path; readonly until: Ms }[] {
  const found: { freeze: Id; path: Path; until: Ms }[] = []
  for (const [id, freeze] of state.governance.freezes) {
    if (!isFrozenBy(freeze, change, state.logTime)) continue
    const covers = (path: Path): boolean =>
      isFrozenBy(freeze, { kind: change.kind, paths: [path] }, state.logTime)
    found.push({ freeze: id, path: change.paths.find(covers) ?? '', until: freeze.until })
  }
  return found
}

/** When overlapping bakes are over: a moment, `unknown` for one that waits for its first Tick. */
export function bakedUntil(sight: Sight, change: ChangeRow): Ms | 'unknown' | undefined {
  let until: Ms | undefined
  for (const bake of bakesUnder(sight, change)) {
    if (bake.until === undefined) return 'unknown'
    until = Math.max(until ?? 0, bake.until)
  }
  return until
}

/** The changes in their bake that wrote a path of this one. */
export function bakesUnder(
  { state }: Sight,
  change: ChangeRow,
): readonly { readonly change: Hex16; readonly path: Path; readonly until?: Ms }[] {
  return change.paths.flatMap((path) => {
    const writer = lastWriter(state, path)
    const bake = writer ? state.changes.get(writer)?.bake : undefined
    if (!writer || bake === undefined) return []
    if (bake.until !== undefined && state.logTime >= bake.until) return []
    return { change: writer, path, ...(bake.until === undefined ? {} : { until: bake.until }) }
  })
}

function approvalObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  const verdict = judgeApprovals(sight, change)
  if (verdict.reached) return undefined
  return refusal('NOT_APPROVED', missingOf(verdict), { floor: verdict.floor })
}

function baseObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  return judgeBase(sight, sight.reader.body(change))
}

/** Base and asserts: of a proposal (check 13) and of the guard. */
export function judgeBase(
  { state }: Pick<Sight, 'state'>,
  body: {
    readonly base: readonly { readonly path: string; readonly modRevision: number }[]
    readonly asserts?: readonly { readonly path: string; readonly modRevision: number }[]
  },
): Refusal | undefined {
  const moved = (expected: readonly { readonly path: string; readonly modRevision: number }[]) =>
    expected
      .map(({ path, modRevision }) => ({
        path,
        expected: modRevision,
        actual: state.modRevision(path),
      }))
      .filter(({ expected: was, actual }) => was !== actual)
  const base = moved(body.base)
  if (base.length > 0) {
    const paths = base.map(({ path }) => path).join(', ')
    return refusal('STALE_BASE', `The base has moved: ${paths}.`, { paths: base })
  }
  const asserts = moved(body.asserts ?? [])
  if (asserts.length > 0) {
    const paths = asserts.map(({ path }) => path).join(', ')
    return refusal('ASSERT_FAILED', `An asserted path has moved: ${paths}.`, { paths: asserts })
  }
  return undefined
}

function afterStateObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  return judgeAfterState(sight, sight.reader.body(change))
}

/** Delay, schedule, windows, risk timeout and freezes together. */
function timeObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  return (
    riskObstacle(sight, change) ?? timingObstacle(sight, change) ?? freezeObstacle(sight, change)
  )
}

/** At level 1 no analyser can report: a rule with `risk` waits for the timeout, then the top tier. */
function riskObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  if (!sight.reader.binding(change).terms.asksRisk) return undefined
  if (change.openFrom === undefined) {
    return refusal('NOT_APPROVED', 'No risk report yet; its timeout starts at the next Tick.')
  }
  const at = later(change.openFrom, sight.law.riskTimeoutMs)
  if (sight.state.logTime >= at) return undefined
  return refusal('NOT_APPROVED', 'No risk report yet; after the timeout the top tier applies.', {
    next: at,
  })
}

function timingObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  const { logTime } = sight.state
  const { rules, terms } = sight.reader.binding(change)
  const notBefore = sight.reader.body(change).schedule?.notBefore
  if (notBefore !== undefined && logTime < notBefore) {
    return refusal('OUTSIDE_WINDOW', 'The schedule of the change has not come yet.', {
      next: notBefore,
    })
  }
  const delay = terms.weakeningDelayMs
  if (delay > 0 && change.approvedIndex !== undefined && isWeakening(sight, change)) {
    if (change.useFrom === undefined) {
      return refusal(
        'OUTSIDE_WINDOW',
        'The change loosens rules; its delay starts at the next Tick.',
      )
    }
    const at = later(change.useFrom, delay)
    if (logTime < at) {
      return refusal('OUTSIDE_WINDOW', 'The change loosens rules and waits for the delay.', {
        next: at,
      })
    }
  }
  const next = nextOpening(rules, logTime)
  if (next === logTime) return undefined
  return next === null
    ? refusal('OUTSIDE_WINDOW', 'The windows of the matching rules never meet.')
    : refusal('OUTSIDE_WINDOW', 'No window of the matching rules is open.', { next })
}

function freezeObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  const until = frozenUntil(sight, change)
  if (until === undefined) return undefined
  return refusal('FROZEN', 'A freeze covers a path of the change.', { next: until })
}

/** At level 1 ACTIVE is the last state, so that is what a dependency has to reach. */
function dependencyObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  const waitsFor = (sight.reader.body(change).dependsOn ?? []).filter(
    (id) => sight.state.changes.get(id)?.state !== 'ACTIVE',
  )
  if (waitsFor.length === 0) return undefined
  return refusal('DEP_NOT_READY', `Not active yet: ${waitsFor.join(', ')}.`, {
    changes: waitsFor.map((id) => ({
      changeId: id,
      state: sight.state.changes.get(id)?.state ?? 'unknown',
    })),
  })
}

function bakeObstacle(sight: Sight, change: ChangeRow): Refusal | undefined {
  const until = bakedUntil(sight, change)
  if (until === undefined) return undefined
  return refusal(
    'OVERLAPS_BAKE',
    'An overlapping change is in its bake.',
    until === 'unknown' ? undefined : { next: until },
  )
}

function deadlineObstacle({ state }: Sight, change: ChangeRow): Refusal | undefined {
  const deadline = deadlineOf(change)
  if (deadline === undefined || state.logTime < deadline) return undefined
  return refusal('EXPIRED', 'The deadline of the change has passed.', { deadline })
}

/** The moment at which the change expires where it stands; undefined before its first Tick. */
export function deadlineOf(change: ChangeRow): Ms | undefined {
  const own = change.state === 'APPROVED' ? change.useDeadline : change.openDeadline
  if (own === undefined) return change.lifeDeadline
  return change.lifeDeadline === undefined ? own : Math.min(own, change.lifeDeadline)
}
