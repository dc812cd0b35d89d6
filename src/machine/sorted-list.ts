/** Distinct strings (by code units) or numbers in rising order; appending at the end is cheap. */
export class SortedList<Item extends string | number> {
  private readonly sorted: Item[] = []

  get items(): readonly Item[] {
    return this.sorted
  }

  add(item: Item): void {
    const at = this.firstAtOrAfter(item)
    if (this.sorted[at] !== item) this.sorted.splice(at, 0, item)
  }

  remove(item: Item): void {
    const at = this.firstAtOrAfter(item)
    if (this.sorted[at] === item) this.sorted.splice(at, 1)
  }

  /** Position of the first item that is not below `item`; the length when all are. */
  firstAtOrAfter(item: Item): number {
    const last = this.sorted[this.sorted.length - 1]
    if (last === undefined || last < item) return this.sorted.length
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle] as Item) < item) low = middle + 1
      else high = middle
    }
    return low
  }
}
