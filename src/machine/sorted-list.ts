/**
 * Distinct strings (by code units) or numbers in rising order; appending at the end is cheap. What
 * comes out of order waits until somebody looks, so that filling the list in any order, as a start
 * does, sorts once.
 */
export class SortedList<Item extends string | number> {
  private sorted: Item[] = []
  private readonly late = new Set<Item>()

  static of<Item extends string | number>(only: Item): SortedList<Item> {
    const list = new SortedList<Item>()
    list.sorted.push(only)
    return list
  }

  get items(): readonly Item[] {
    if (this.late.size > 0) this.settle()
    return this.sorted
  }

  add(item: Item): void {
    const last = this.sorted[this.sorted.length - 1]
    if (last === undefined || last < item) this.sorted.push(item)
    else if (last !== item) this.late.add(item)
  }

  remove(item: Item): void {
    this.late.delete(item)
    const at = this.positionOf(item)
    if (this.sorted[at] === item) this.sorted.splice(at, 1)
  }

  /** Position of the first item that is not below `item`; the length when all are. */
  firstAtOrAfter(item: Item): number {
    if (this.late.size > 0) this.settle()
    return this.positionOf(item)
  }

  private positionOf(item: Item): number {
    const { sorted } = this
    const last = sorted[sorted.length - 1]
    if (last === undefined || last < item) return sorted.length
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] as Item) < item) low = middle + 1
      else high = middle
    }
    return low
  }

  private settle(): void {
    if (this.late.size <= insertedOneByOneMax) {
      for (const item of this.late) {
        const at = this.positionOf(item)
        if (this.sorted[at] !== item) this.sorted.splice(at, 0, item)
      }
    } else {
      for (const item of this.sorted) this.late.add(item)
      this.sorted = [...this.late].sort((a, b) => (a < b ? -1 : 1))
    }
    this.late.clear()
  }
}

/** A list of any length is sooner sorted again than opened up so often. */
const insertedOneByOneMax = 64
