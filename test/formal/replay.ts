/**
 * Replays a trace of the specification against the real core: each action becomes the same step of
 * the core, and after each both must show the same nodes, disks and messages.
 */
import { record, text, type TraceState } from './itf.js'
import {
  commandOfTrace,
  messageOfTrace,
  observationOfTrace,
  type Observation,
} from './observation.js'
import { ReplayWorld } from './replay-world.js'

/** What a replay saw; to tell a walk that reached something from one that did not. */
export interface Replayed {
  readonly steps: number
  /** A node led. */
  readonly led: boolean
  /** Greatest commit index of any node at any time. */
  readonly committed: number
}

/** Specification and code differ. `step` counts from 0, the initial state. */
export class Mismatch extends Error {
  readonly step: number

  constructor(step: number, action: string, difference: string) {
    super(`step ${String(step)} (${action}): ${difference}`)
    this.step = step
  }
}

/** Throws {@link Mismatch} at the first difference. */
export function replay(trace: readonly TraceState[]): Replayed {
  const world = new ReplayWorld()
  let led = false
  let committed = 0
  trace.forEach((state, step) => {
    try {
      act(world, state)
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Mismatch(step, actionOf(state), message)
    }
    const expected = observationOfTrace(state)
    const difference = differenceOf(expected, world.observe())
    if (difference !== null) throw new Mismatch(step, actionOf(state), difference)
    for (const node of Object.values(expected.nodes)) {
      led ||= node.role === 'leader'
      committed = Math.max(committed, node.commitIndex)
    }
  })
  return { steps: trace.length - 1, led, committed }
}

/** What the specification did to come to this state, as one line. */
export function actionOf(state: TraceState): string {
  const { tag, value } = record(state.variable('latest'))
  switch (tag) {
    case 'Deliver': {
      const { message, again } = record(value)
      return `${again === true ? 'Deliver and keep' : 'Deliver'} ${messageOfTrace(message)}`
    }
    case 'Submit': {
      const { node, command } = record(value)
      return `Submit to ${text(node)}: ${commandOfTrace(command)}`
    }
    default:
      return typeof value === 'string' ? `${text(tag)} ${value}` : text(tag)
  }
}

function act(world: ReplayWorld, state: TraceState): void {
  const { tag, value } = record(state.variable('latest'))
  switch (tag) {
    case 'Begin':
      return
    case 'TimeOut':
      world.timeout(text(value))
      return
    case 'Elapse':
      world.elapse(text(value))
      return
    case 'Beat':
      world.heartbeat(text(value))
      return
    case 'Submit': {
      const { node, command } = record(value)
      world.submit(text(node), commandOfTrace(command))
      return
    }
    case 'Deliver': {
      const { message, again } = record(value)
      world.deliver(messageOfTrace(message), again === true)
      return
    }
    case 'Persist':
      world.persist(text(value))
      return
    case 'Crash':
      world.crash(text(value))
      return
    default:
      throw new Error('the replay does not know this action')
  }
}

/** The first thing that differs, as one sentence; null when nothing does. */
function differenceOf(expected: Observation, found: Observation): string | null {
  for (const [id, node] of Object.entries(expected.nodes)) {
    const own = Object.entries(found.nodes[id] ?? {})
    const [wanted, seen] = [Object.entries(node), new Map<string, unknown>(own)]
    for (const [name, value] of wanted) {
      const [left, right] = [JSON.stringify(value), JSON.stringify(seen.get(name))]
      if (left !== right) return `${name} of ${id} is ${right}, specified ${left}`
    }
  }
  const missing = expected.network.filter((message) => !found.network.includes(message))
  const surplus = found.network.filter((message) => !expected.network.includes(message))
  if (missing.length > 0) return `not sent, though specified: ${missing.join('; ')}`
  return surplus.length > 0 ? `sent, though not specified: ${surplus.join('; ')}` : null
}
