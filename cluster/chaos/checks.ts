/** What must hold when the faults of a phase have ended. Each check says one sentence. */
import { connect } from '../../src/client/index.js'
import {
  checkHistory,
  resolveUnknown,
  type HistoryVerdict,
  type Operation,
} from '../linearizability/index.js'
import { electionTimeoutMs, type Arena } from './arena.js'
import type { Check } from './check.js'
import { logBound, memoryBound } from './bounds.js'
import { converge, type NodeView } from './node-views.js'
import type { Recorder } from './recorder.js'
import type { Watcher } from './watcher.js'

export interface Judged {
  readonly checks: readonly Check[]
  /** With the unknown writes settled. */
  readonly history: readonly Operation[]
  readonly verdict: HistoryVerdict
}

export interface Evidence {
  readonly arena: Arena
  readonly recorder: Recorder
  readonly watchers: readonly Watcher[]
  readonly paths: readonly string[]
  /** Length of `arena.endedByThemselves` when the phase began. */
  readonly endedBefore: number
  /** Resident memory by node id in MiB, when the load began. */
  readonly memoryBefore: ReadonlyMap<string, number>
}

/** After the heal a restarted process still replays its log, hence the margin. */
const convergeWithinMs = 30 * electionTimeoutMs + 30_000
const watchWithinMs = 15_000

export async function judge(evidence: Evidence): Promise<Judged> {
  const { arena, recorder, watchers, endedBefore } = evidence
  const { views, split, tookMs } = await converge(arena, convergeWithinMs)
  const ended = arena.endedByThemselves.slice(endedBefore)
  const first: Check[] = [
    {
      name: 'one state',
      holds: views !== undefined,
      fact:
        views === undefined
          ? (split ?? `the nodes did not come together in ${tookMs} ms`)
          : `all nodes at index ${views[0]?.appliedIndex ?? 0} after ${tookMs} ms`,
    },
    {
      name: 'no node ended by itself',
      holds: ended.length === 0,
      fact: ended.length === 0 ? 'none' : ended.join(', '),
    },
  ]
  if (views === undefined) {
    const history = recorder.operations
    return { checks: first, history, verdict: checkHistory(history) }
  }
  const histories = await readHistories(arena, evidence.paths)
  const inAnyLog = new Set(histories.flatMap(({ changes }) => [...changes.keys()]))
  const history = resolveUnknown(recorder.operations, recorder.nowMs(), (operation) => {
    const changeId = recorder.changeOf(operation)
    if (changeId === undefined) return 'cannot be told'
    return inAnyLog.has(changeId) ? 'committed' : 'not in any log'
  })
  const verdict = checkHistory(history)
  const checks = [
    ...first,
    lostCheck(recorder, histories),
    linearizableCheck(verdict),
    ...(await Promise.all(watchers.map((each, n) => watchCheck(each, n + 1, histories, views)))),
    logBound(views),
    await memoryBound(arena, evidence.memoryBefore),
  ]
  return { checks, history, verdict }
}

interface NodeHistory {
  readonly id: string
  /** Activation index and path by change id. */
  readonly changes: ReadonlyMap<string, { readonly revision: number; readonly path: string }>
}

/** What each node itself knows of the paths of the phase. */
async function readHistories(
  arena: Arena,
  paths: readonly string[],
): Promise<readonly NodeHistory[]> {
  const { nodes, ca } = arena.cluster.file
  return Promise.all(
    nodes.map(async ({ id, client: address }) => {
      const client = connect({ addresses: [address], ca })
      const changes = new Map<string, { readonly revision: number; readonly path: string }>()
      try {
        for (const path of paths) {
          const { value } = await client.history(path, { local: true })
          for (const { changeId, modRevision } of value) {
            changes.set(changeId, { revision: modRevision, path })
          }
        }
      } finally {
        client.close()
      }
      return { id, changes }
    }),
  )
}

function lostCheck({ acknowledged }: Recorder, histories: readonly NodeHistory[]): Check {
  const lost = histories.flatMap(({ id, changes }) =>
    acknowledged
      .filter(({ changeId, activatedAt }) => changes.get(changeId)?.revision !== activatedAt)
      .map(({ changeId, path }) => `${changeId} at ${path} on ${id}`),
  )
  return {
    name: 'nothing acknowledged is lost',
    holds: lost.length === 0 && acknowledged.length > 0,
    fact:
      lost.length > 0
        ? `${lost.length} lost, e.g. ${lost[0] ?? ''}`
        : `${acknowledged.length} activations stand on every node`,
  }
}

function linearizableCheck({ verdict, operations, keys }: HistoryVerdict): Check {
  const bad = keys.filter((key) => key.verdict !== 'linearizable').map(({ key }) => key)
  return {
    name: 'linearizable',
    holds: verdict === 'linearizable',
    fact:
      bad.length > 0
        ? `${verdict}: ${bad.slice(0, 5).join(', ')}`
        : `${operations} operations on ${keys.length} keys`,
  }
}

/** In order, none twice, none left out: against the history of the first node. */
async function watchCheck(
  watcher: Watcher,
  number: number,
  [first]: readonly NodeHistory[],
  views: readonly NodeView[],
): Promise<Check> {
  const name = `watch ${number}`
  const last = Math.max(...views.map(({ appliedIndex }) => appliedIndex))
  const reached = await watcher.reaches(last, watchWithinMs)
  const { told, disorder, jumps, resumed } = watcher
  const fail = (fact: string): Check => ({ name, holds: false, fact })
  if (!reached) return fail(`it was not told of everything up to ${last}`)
  if (disorder !== undefined) return fail(disorder)
  const ids = new Set(told.map(({ changeId }) => changeId))
  if (ids.size !== told.length) return fail(`${told.length - ids.size} activations came twice`)
  const compactedTo = Math.max(0, ...jumps)
  const missed = [...(first?.changes ?? [])].filter(
    ([changeId, { revision }]) => !ids.has(changeId) && revision > compactedTo,
  )
  if (missed.length > 0) return fail(`${missed.length} left out, e.g. ${missed[0]?.[0] ?? ''}`)
  const made = told.filter(({ changeId }) => !first?.changes.has(changeId))
  if (made.length > 0) return fail(`${made[0]?.changeId ?? ''} was told and never happened`)
  return {
    name,
    holds: true,
    fact: `${told.length} activations in order, resumed ${resumed} times`,
  }
}
