/**
 * Breadth-first search over the real core: every order of timeouts, deliveries, losses, proposals
 * and crashes within the bounds. The actions that lead to a fault are the report.
 */
import type { Message } from '../../src/raft/index.js'
import type { Action, Beginning, Bounds } from './model.js'
import { SeenWorlds } from './seen-worlds.js'
import { BrokenStep, Worlds, type Canonical, type Step, type World } from './world.js'

export interface SearchResult {
  readonly beginning: string
  readonly worlds: number
  /** Ways from one world to another that were looked at. */
  readonly steps: number
  /** Of those, how many the real core had to take: the others were met before in another world. */
  readonly coreSteps: number
  /** Actions of the longest way that was looked at. */
  readonly depth: number
  /** Everything within the bounds was seen. */
  readonly exhausted: boolean
  readonly fault: { readonly message: string; readonly actions: readonly Action[] } | null
}

export interface SearchOptions {
  readonly bounds: Bounds
  readonly beginning: Beginning
  readonly worldsMax: number
  /** A network that plants a fault. */
  readonly distort?: (message: Message) => Message
  readonly progress?: (worlds: number, depth: number) => void
}

export function search(options: SearchOptions): SearchResult {
  return new Search(options).run()
}

class Search {
  private readonly options: SearchOptions
  private readonly worlds: Worlds
  private readonly seen = new SeenWorlds()
  private readonly before = new Ways()
  private steps = 0
  private depth = 0

  constructor(options: SearchOptions) {
    this.options = options
    this.worlds = new Worlds(options.bounds, options.distort)
  }

  run(): SearchResult {
    const { beginning, worldsMax, progress } = this.options
    const first = this.worlds.first(beginning)
    this.seen.add(first)
    let layer: World[] = [first]
    /** Worlds are numbered as they are found; those of a layer follow each other. */
    let number = 0
    while (layer.length > 0) {
      const next: World[] = []
      for (const world of layer) {
        if (this.seen.count >= worldsMax) return this.result(false, null)
        try {
          this.expand(world, number, next)
        } catch (thrown) {
          if (!(thrown instanceof BrokenStep)) throw thrown
          return this.result(false, this.fault(thrown, number))
        }
        number += 1
      }
      this.depth += 1
      progress?.(this.seen.count, this.depth)
      layer = next
    }
    return this.result(true, null)
  }

  private expand(world: World, number: number, next: World[]): void {
    let nth = 0
    this.worlds.forEachNext(world, (found) => {
      this.steps += 1
      if (this.seen.add(found.world)) {
        this.before.push(number, nth)
        next.push(found.world)
      }
      nth += 1
    })
  }

  /** The way to a fault is walked again from the beginning, to tell its actions by one set of names. */
  private fault(broken: BrokenStep, number: number): SearchResult['fault'] {
    const { worlds } = this
    const actions: Action[] = []
    let world = worlds.first(this.options.beginning)
    /** From the names of `world` to those of the first one. */
    let naming = 0
    for (const wanted of this.before.to(number)) {
      const taken = this.next(world)[wanted]
      if (taken === undefined) throw new Error('the same way leads elsewhere')
      actions.push(worlds.actionOf(taken.step, naming))
      naming = worlds.names.product(naming, worlds.names.inverse(taken.found.naming))
      world = taken.found.world
    }
    return {
      message: broken.message,
      actions: [...actions, worlds.actionOf(broken.step, naming)],
    }
  }

  private next(world: World): readonly { readonly found: Canonical; readonly step: Step }[] {
    const all: { readonly found: Canonical; readonly step: Step }[] = []
    this.worlds.forEachNext(world, (found, step) => {
      all.push({ found, step })
    })
    return all
  }

  private result(exhausted: boolean, fault: SearchResult['fault']): SearchResult {
    return {
      beginning: this.options.beginning.name,
      worlds: this.seen.count,
      steps: this.steps,
      coreSteps: this.worlds.transitions.coreSteps,
      depth: this.depth,
      exhausted,
      fault,
    }
  }
}

/** From which world each one was found, and as which of those that follow it. */
class Ways {
  private parents = new Int32Array(1 << 16)
  private places = new Int32Array(1 << 16)
  /** The first world has no parent. */
  private count = 1

  push(parent: number, place: number): void {
    if (this.count === this.parents.length) {
      this.parents = grown(this.parents)
      this.places = grown(this.places)
    }
    this.parents[this.count] = parent
    this.places[this.count] = place
    this.count += 1
  }

  /** The places to take, from the first world on. */
  to(number: number): readonly number[] {
    const places: number[] = []
    for (let at = number; at > 0; at = this.parents[at] ?? 0) places.push(this.places[at] ?? 0)
    return places.reverse()
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(array.length * 2)
  longer.set(array)
  return longer
}
