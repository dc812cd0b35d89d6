/** Virtual time: a binary heap of callbacks. Equal times run in the order they were asked for. */
interface Planned {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Schedule {
  nowMs = 0
  private readonly heap: Planned[] = []
  private order = 0

  after(ms: number, run: () => void): void {
    this.order += 1
    this.heap.push({ atMs: this.nowMs + ms, order: this.order, run })
    this.up(this.heap.length - 1)
  }

  /** Runs what is due until `endMs`, or until `isOver` says so. */
  runUntil(endMs: number, isOver: () => boolean = () => false): void {
    while (!isOver() && this.runNext(endMs));
    if (!isOver()) this.nowMs = endMs
  }

  /** Runs the next callback if it is due by `endMs`; false when there is none. */
  runNext(endMs: number): boolean {
    const first = this.heap[0]
    if (first === undefined || first.atMs > endMs) return false
    this.removeFirst()
    this.nowMs = first.atMs
    first.run()
    return true
  }

  private isBefore(a: number, b: number): boolean {
    const left = this.heap[a]
    const right = this.heap[b]
    if (left === undefined || right === undefined) return false
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)
  }

  private swap(a: number, b: number): void {
    const left = this.heap[a]
    const right = this.heap[b]
    if (left === undefined || right === undefined) return
    this.heap[a] = right
    this.heap[b] = left
  }

  private up(start: number): void {
    let child = start
    while (child > 0) {
      const parent = (child - 1) >>> 1
      if (!this.isBefore(child, parent)) return
      this.swap(child, parent)
      child = parent
    }
  }

  private removeFirst(): void {
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return
    this.heap[0] = last
    let parent = 0
    for (;;) {
      const left = 2 * parent + 1
      const right = left + 1
      let least = parent
      if (this.isBefore(left, least)) least = left
      if (this.isBefore(right, least)) least = right
      if (least === parent) return
      this.swap(parent, least)
      parent = least
    }
  }
}
