/** Clients that write unique values and read them back, each one operation at a time. */
import type { Entry, NodeId, Output } from '../../src/raft/index.js'
import type { History } from './history.js'
import type { SimulationOptions } from './options.js'
import type { SeededRandom } from './random.js'
import { decodeWrite, encodeWrite } from './register.js'
import type { Schedule } from './schedule.js'
import type { SimNode } from './sim-node.js'

interface Operation {
  readonly id: number
  readonly kind: 'write' | 'read'
  readonly key: number
  readonly value: number
  readonly node: NodeId
  /** What was known of the register when the operation began. */
  readonly begunAt: number
  /** Called once, when it has an outcome or was given up. */
  readonly end: (outcome: 'done' | 'refused' | 'unknown') => void
}

const patienceMs = 3_000

export class Clients {
  stopped = false
  private readonly options: SimulationOptions
  private readonly schedule: Schedule
  private readonly random: SeededRandom
  private readonly history: History
  private readonly nodes: ReadonlyMap<NodeId, SimNode>
  private readonly open = new Map<number, Operation>()
  /** Reads whose proof stands, by node: answered from its registers. */
  private lastId = 0
  private leaderHint: NodeId | null = null

  constructor(
    options: SimulationOptions,
    schedule: Schedule,
    random: SeededRandom,
    history: History,
    nodes: ReadonlyMap<NodeId, SimNode>,
  ) {
    this.options = options
    this.schedule = schedule
    this.random = random
    this.history = history
    this.nodes = nodes
  }

  start(): void {
    for (let client = 0; client < this.options.clients; client += 1) this.next()
  }

  output(node: SimNode, output: Output): void {
    if (output.leadership?.leader === node.id) this.leaderHint = node.id
    for (const outcome of output.proposals) {
      const operation = this.open.get(outcome.id)
      if (operation === undefined) continue
      if (outcome.kind === 'refused') {
        if (outcome.code === 'NOT_LEADER') this.leaderHint = outcome.leader
        this.finish(operation, 'refused')
      } else if (this.options.mutant === 'acknowledged before committed') {
        this.history.acknowledgeWrite(operation)
        this.finish(operation, 'done')
      }
    }
    for (const outcome of output.reads) {
      const operation = this.open.get(outcome.id)
      if (operation === undefined) continue
      if (outcome.kind === 'failed') this.finish(operation, 'refused')
      else this.answer(operation, node)
    }
  }

  /** The node that was asked answers when it has applied the entry with this very value. */
  applied(node: SimNode, entry: Entry): void {
    if (entry.kind !== 'command') return
    const operation = this.open.get(decodeWrite(entry.payload).value)
    if (operation?.kind !== 'write' || operation.node !== node.id) return
    this.history.acknowledgeWrite(operation)
    this.finish(operation, 'done')
  }

  died(node: SimNode): void {
    for (const operation of [...this.open.values()]) {
      if (operation.node === node.id) this.finish(operation, 'unknown')
    }
  }

  /** One write through this node; calls back with what became of it. */
  write(node: NodeId, end: Operation['end']): void {
    this.begin('write', node, end)
  }

  private next(): void {
    if (this.stopped) return
    const ids = [...this.nodes.keys()]
    const node =
      this.leaderHint !== null && this.random.chance(0.8) ? this.leaderHint : this.random.pick(ids)
    this.begin(this.random.chance(0.6) ? 'write' : 'read', node, (outcome) => {
      const pauseMs = outcome === 'refused' ? 20 : this.options.thinkMs
      this.schedule.after(1 + this.random.between(0, 2 * pauseMs), () => {
        this.next()
      })
    })
  }

  private begin(kind: 'write' | 'read', node: NodeId, end: Operation['end']): void {
    this.lastId += 1
    const key = this.random.int(1, this.options.keys)
    const id = this.lastId
    const begunAt = this.history.begin(key)
    const operation: Operation = { id, kind, key, value: id, node, begunAt, end }
    this.open.set(id, operation)
    this.schedule.after(patienceMs, () => {
      this.finish(operation, 'unknown')
    })
    const target = this.nodes.get(node)
    if (target?.alive !== true) {
      this.finish(operation, 'refused')
      return
    }
    if (kind === 'write') {
      this.history.invokeWrite(id)
      target.post({ kind: 'propose', id, payload: encodeWrite({ key, value: id }) })
    } else if (this.options.mutant === 'reads are answered at once') {
      this.answer(operation, target)
    } else {
      target.post({ kind: 'read', id })
    }
  }

  private answer(operation: Operation, node: SimNode): void {
    const value = node.registers?.get(operation.key) ?? 0
    this.history.answerRead({ key: operation.key, value, begunAt: operation.begunAt })
    this.finish(operation, 'done')
  }

  private finish(operation: Operation, outcome: 'done' | 'refused' | 'unknown'): void {
    if (!this.open.delete(operation.id)) return
    operation.end(outcome)
  }
}
