/**
 * A small world around the real core, as numbers: the state of each node, the messages under way,
 * and what was seen so far of leaders and of committed entries. Every step is one numbered action,
 * and of worlds that differ in names alone one is kept.
 *
 * The network keeps each message until it is delivered, in any order, or never; a crash loses what
 * the disk does not hold yet. An election timeout is one step: no tick of it does anything else.
 */
import type { Message } from '../../src/raft/index.js'
import { SafetyViolation, nodeId, type Action, type Beginning, type Bounds } from './model.js'
import { Names } from './names.js'
import { beginReplica } from './replica.js'
import { Transitions, type Transition } from './transitions.js'

/**
 * One number for each node, then crashes, the leader of each term (1 for the first node, 0 for
 * none), how many entries are committed, these, and the messages under way in ascending order.
 */
export type World = readonly number[]

export interface Canonical {
  readonly world: World
  /** By which its nodes were renamed. */
  readonly naming: number
}

interface Parts {
  readonly replicas: readonly number[]
  readonly crashes: number
  readonly leaders: readonly number[]
  readonly committed: readonly number[]
  readonly network: readonly number[]
}

const truthful = (message: Message): Message => message

export class Worlds {
  readonly names: Names
  readonly transitions: Transitions
  private readonly bounds: Bounds
  private readonly matching = new Map<number, boolean>()

  constructor(bounds: Bounds, distort: (message: Message) => Message = truthful) {
    this.bounds = bounds
    this.names = new Names(bounds.nodes)
    this.transitions = new Transitions(this.names, distort)
  }

  first(beginning: Beginning): World {
    const places = Array.from({ length: this.bounds.nodes }, (_, at) => at)
    return this.canonical({
      replicas: places.map((at) =>
        this.transitions.replicas.numberOf(beginReplica(at, this.bounds.nodes, beginning)),
      ),
      crashes: 0,
      leaders: Array.from({ length: this.bounds.terms + 1 }, () => 0),
      committed: [],
      network: [],
    }).world
  }

  /**
   * Hands out every world that one step leads to, always in the same order. Throws SafetyViolation,
   * with the steps that were handed out before it.
   */
  forEachNext(world: World, visit: (next: Canonical, step: Step) => void): void {
    const parts = this.partsOf(world)
    for (const step of this.steps(parts)) {
      const { transition } = step
      if (transition.broken !== null) throw new BrokenStep(transition.broken, step)
      const replicas = parts.replicas.with(step.node, transition.replica)
      const seen = this.judge(parts, step)
      const crashes = parts.crashes + Number(step.crash)
      for (const network of this.networks(step.network, transition.sent)) {
        visit(this.canonical({ ...seen, replicas, crashes, network }), step)
      }
    }
  }

  actionOf({ kind, node, message, crash }: Step, naming: number): Action {
    const { transitions, names } = this
    const renamed =
      message === null ? null : transitions.messageOf(transitions.messages.renamed(message, naming))
    return {
      kind,
      node: names.renamed(nodeId(node), naming),
      message: renamed === null ? null : JSON.stringify(renamed),
      crash,
    }
  }

  private *steps({ replicas, crashes, network }: Parts): Generator<Step> {
    const { transitions, bounds } = this
    const variants = crashes < bounds.crashes ? [false, true] : [false]
    for (const [node, replica] of replicas.entries()) {
      const view = transitions.view(replica)
      const own: (Step['kind'] & ('timeout' | 'heartbeat' | 'propose'))[] = []
      if (view.leads) own.push('heartbeat')
      if (view.leads && view.lastIndex < bounds.entries) own.push('propose')
      // Who would campaign beyond the bound waits for ever, one of its behaviours anyway.
      if (!view.leads && view.term < bounds.terms) own.push('timeout')
      for (const kind of own) {
        for (const crash of variants) {
          const transition = transitions.own(replica, kind, crash)
          yield { kind, node, message: null, crash, transition, network }
        }
      }
      if (crashes < bounds.crashes) {
        const transition = transitions.own(replica, 'restart', true)
        yield { kind: 'restart', node, message: null, crash: true, transition, network }
      }
    }
    for (const [place, message] of network.entries()) {
      if (network[place - 1] === message) continue
      const node = transitions.receiver(message)
      const left = network.toSpliced(place, 1)
      for (const crash of variants) {
        const transition = transitions.delivery(replicas[node] ?? 0, message, crash)
        yield { kind: 'deliver', node, message, crash, transition, network: left }
      }
    }
  }

  /** Every choice of what is lost when more is under way than there may be. */
  private networks(
    before: readonly number[],
    sent: readonly number[],
  ): readonly (readonly number[])[] {
    const all = sent.length === 0 ? before : [...before, ...sent].sort((a, b) => a - b)
    return choices(all, this.bounds.messages)
  }

  /** What is known of leaders and committed entries after a step. Throws SafetyViolation. */
  private judge(parts: Parts, step: Step): Pick<Parts, 'leaders' | 'committed'> {
    let { leaders, committed } = parts
    for (const { applied, leads, log } of step.transition.moments) {
      for (const [index, entry] of applied) {
        const known = committed[index - 1]
        if (known === undefined) committed = [...committed, entry]
        else if (known !== entry) {
          // State-machine safety (3.6.3): nobody applies another entry at an index.
          throw new BrokenStep(`another entry is applied at ${String(index)}`, step)
        }
      }
      if (leads !== null) {
        leaders = this.withLeader(leaders, leads, step)
        this.checkCompleteness(committed, leads, log, step)
      }
      this.checkLogMatching(parts, log, step)
    }
    return { leaders, committed }
  }

  private withLeader(leaders: readonly number[], term: number, step: Step): readonly number[] {
    const known = leaders[term] ?? 0
    if (known === step.node + 1) return leaders
    if (known !== 0) throw new BrokenStep(`term ${String(term)} has two leaders`, step)
    return leaders.with(term, step.node + 1)
  }

  /** Leader completeness (3.6.3): a leader holds all that was committed in earlier terms. */
  private checkCompleteness(
    committed: readonly number[],
    term: number,
    log: number,
    step: Step,
  ): void {
    const own = this.transitions.entriesOf(log)
    for (const [place, entry] of committed.entries()) {
      if (this.transitions.termOf(entry) < term && own[place] !== entry) {
        const index = String(place + 1)
        throw new BrokenStep(`term ${String(term)} is led without committed entry ${index}`, step)
      }
    }
  }

  /** Log matching (3.5): logs that share index and term of an entry are equal up to it. */
  private checkLogMatching(parts: Parts, log: number, step: Step): void {
    for (const [other, replica] of parts.replicas.entries()) {
      if (other === step.node) continue
      const others = this.transitions.view(replica).log
      if (others !== log && !this.match(log, others)) {
        throw new BrokenStep('two logs share an entry and differ before it', step)
      }
    }
  }

  private match(a: number, b: number): boolean {
    const pair = a < b ? a * 2 ** 26 + b : b * 2 ** 26 + a
    let holds = this.matching.get(pair)
    if (holds === undefined) {
      const { transitions } = this
      const [left, right] = [transitions.entriesOf(a), transitions.entriesOf(b)]
      let meet = Math.min(left.length, right.length)
      const termAt = (log: readonly number[]) => transitions.termOf(log[meet - 1] ?? 0)
      while (meet > 0 && termAt(left) !== termAt(right)) meet -= 1
      holds = left.slice(0, meet).every((entry, at) => entry === right[at])
      this.matching.set(pair, holds)
    }
    return holds
  }

  /** The least of all renamings; nodes of one family first stand in the order of these. */
  private canonical(parts: Parts): Canonical {
    const { transitions, names } = this
    const families = parts.replicas.map((replica) => transitions.replicas.familyOf(replica))
    let best: Canonical | null = null
    for (const [number, naming] of names.namings.entries()) {
      if (!isInOrder(families, naming)) continue
      const world = this.renamed(parts, number)
      if (best === null || isLess(world, best.world)) best = { world, naming: number }
    }
    if (best === null) throw new Error('nodes stand in some order')
    return best
  }

  private renamed(parts: Parts, number: number): number[] {
    const { transitions, names } = this
    const naming = names.namings[number] ?? []
    const world: number[] = []
    for (const [at, replica] of parts.replicas.entries()) {
      world[naming[at] ?? 0] = transitions.replicas.renamed(replica, number)
    }
    world.push(parts.crashes)
    for (const leader of parts.leaders) {
      world.push(leader === 0 ? 0 : (naming[leader - 1] ?? 0) + 1)
    }
    world.push(parts.committed.length, ...parts.committed)
    const network = parts.network.map((message) => transitions.messages.renamed(message, number))
    world.push(...network.sort((a, b) => a - b))
    return world
  }

  private partsOf(world: World): Parts {
    const { nodes, terms } = this.bounds
    const leadersAt = nodes + 1
    const countAt = leadersAt + terms + 1
    const networkAt = countAt + 1 + (world[countAt] ?? 0)
    return {
      replicas: world.slice(0, nodes),
      crashes: world[nodes] ?? 0,
      leaders: world.slice(leadersAt, countAt),
      committed: world.slice(countAt + 1, networkAt),
      network: world.slice(networkAt),
    }
  }
}

/** An action with what it makes of its node, and what stays under way. */
export interface Step {
  readonly kind: Action['kind']
  readonly node: number
  readonly message: number | null
  readonly crash: boolean
  readonly transition: Transition
  readonly network: readonly number[]
}

export class BrokenStep extends SafetyViolation {
  readonly step: Step

  constructor(message: string, step: Step) {
    super(message)
    this.step = step
  }
}

/** All ways to keep `size` of ascending numbers, none of them twice. */
function choices(all: readonly number[], size: number): readonly (readonly number[])[] {
  if (all.length <= size) return [all]
  const kept: number[][] = []
  const choose = (from: number, chosen: readonly number[]): void => {
    if (chosen.length === size) {
      kept.push([...chosen])
      return
    }
    for (let at = from; at <= all.length - (size - chosen.length); at += 1) {
      const value = all[at]
      if (value === undefined || (at > from && value === all[at - 1])) continue
      choose(at + 1, [...chosen, value])
    }
  }
  choose(0, [])
  return kept
}

function isInOrder(families: readonly number[], naming: readonly number[]): boolean {
  for (const [at, family] of families.entries()) {
    for (let other = at + 1; other < families.length; other += 1) {
      const isBefore = (naming[at] ?? 0) < (naming[other] ?? 0)
      const otherFamily = families[other] ?? 0
      if (family !== otherFamily && family < otherFamily !== isBefore) return false
    }
  }
  return true
}

function isLess(a: World, b: World): boolean {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0
    if (value !== other) return value < other
  }
  return false
}
