/**
 * Nodes have equal rights: a world with its names exchanged has the same future, with the names
 * exchanged. So a search needs one world of each such family. A naming is an order of the nodes:
 * the node at place `i` takes the name of the one at `naming[i]`.
 */
import type { NodeId } from '../../src/raft/index.js'
import { nodeId } from './model.js'

export type Naming = readonly number[]

export class Names {
  /** The first is the one that changes nothing. */
  readonly namings: readonly Naming[]
  readonly count: number
  private readonly products: readonly (readonly number[])[]
  private readonly inverses: readonly number[]

  constructor(nodes: number) {
    this.namings = ordersOf(Array.from({ length: nodes }, (_, at) => at))
    this.count = this.namings.length
    const numbers = new Map(this.namings.map((naming, number) => [naming.join(), number]))
    const numberOf = (naming: Naming) => numbers.get(naming.join()) ?? 0
    this.products = this.namings.map((then) =>
      this.namings.map((first) => numberOf(first.map((at) => then[at] ?? 0))),
    )
    this.inverses = this.namings.map((naming) =>
      numberOf(naming.map((_, at) => naming.indexOf(at))),
    )
  }

  /** `first`, and what comes of it renamed by `then`. */
  product(then: number, first: number): number {
    return this.products[then]?.[first] ?? 0
  }

  inverse(naming: number): number {
    return this.inverses[naming] ?? 0
  }

  renamed(id: NodeId, naming: number): NodeId {
    return nodeId(this.namings[naming]?.[placeOf(id)] ?? 0)
  }

  isName(text: string): boolean {
    return text.length === 1 && placeOf(text) >= 0 && placeOf(text) < (this.namings[0]?.length ?? 0)
  }
}

export function placeOf(id: NodeId): number {
  return id.charCodeAt(0) - 'a'.charCodeAt(0)
}

function ordersOf(places: Naming): readonly Naming[] {
  if (places.length <= 1) return [places]
  return places.flatMap((first) =>
    ordersOf(places.filter((place) => place !== first)).map((rest) => [first, ...rest]),
  )
}
