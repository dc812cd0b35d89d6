/**
 * A feature level comes into force only when the build of every member is known to know it: who
 * does not would halt at the next entry (activation.ts). The leader asks before it lets a proposal
 * of the level into the log, and again before what could make the level active, since members come,
 * go and restart while people approve. Replicated judgement knows nothing of builds.
 */
import type { Hex16, Op } from '../approval/index.js'
import { refusal, type Refusal } from '../errors.js'
import { isOpen } from './change-index.js'
import type { ChangeReader } from './change-reader.js'
import { featureLevelMax, featureLevelPath } from './features.js'
import type { Message } from './reading.js'
import type { State } from './state.js'

export interface MemberBuild {
  readonly id: string
  /** Null: this process has not heard it, so it counts as knowing the level in force only. */
  readonly featureLevelMax: number | null
}

interface Standing {
  readonly state: State
  readonly reader: ChangeReader
  readonly builds: readonly MemberBuild[]
  /** The level in force if this message were applied now. */
  readonly levelAfter: () => number
}

/** Refused while a member is behind the level that this message proposes or could make active. */
export function judgeBuilds(message: Message, standing: Standing): Refusal | undefined {
  const level = levelAimedAt(message, standing)
  const inForce = standing.state.governance.featureLevel
  if (level <= inForce) return undefined
  const behind = standing.builds.filter((build) => level > (build.featureLevelMax ?? inForce))
  if (behind.length === 0 && level <= featureLevelMax) return undefined
  return refusal('LEVEL_UNSUPPORTED', textOf(level, behind), { level, behind })
}

function levelAimedAt(message: Message, standing: Standing): number {
  switch (message.word) {
    case 'propose':
      return levelOf(message.body.ops)
    case 'approve':
    case 'activate':
      return levelReached(message.body.changeId, standing)
    default:
      return 0
  }
}

/** By this change itself, or by one that is approved and waits for it. */
function levelReached(changeId: Hex16, { state, reader, levelAfter }: Standing): number {
  const raising = state.changeIndex.openOn([featureLevelPath])
  if (raising.size === 0) return 0
  const change = raising.has(changeId) ? state.changes.get(changeId) : undefined
  if (change !== undefined && isOpen(change)) return levelOf(reader.body(change).ops)
  return levelAfter()
}

function levelOf(ops: readonly Op[]): number {
  const op = ops.find(({ path }) => path === featureLevelPath)
  return op !== undefined && 'value' in op && typeof op.value === 'number' ? op.value : 0
}

function textOf(level: number, behind: readonly MemberBuild[]): string {
  if (behind.length === 0) {
    return `This build does not know feature level ${String(level)}. Upgrade it.`
  }
  const each = behind.map(({ id, featureLevelMax: known }) =>
    known === null
      ? `${id} has not been heard since the leader's process started`
      : `${id} knows ${String(known)}`,
  )
  return (
    `Not every member is known to know feature level ${String(level)}: ${each.join('; ')}. ` +
    'Upgrade and start these nodes, or remove them, then send it again.'
  )
}
