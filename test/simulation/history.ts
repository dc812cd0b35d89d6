/**
 * Linearizability of registers when the order of the writes is known: it is the log. Each operation
 * has a place in that order: a write its own index, a read that of the write it saw. What was
 * completed before an operation began must have an earlier place in the same register; so a stale
 * read, a lost write and a value that comes back are all found.
 */
export class HistoryViolation extends Error {
  override readonly name = 'HistoryViolation'
}

export class History {
  /** Of each register: the furthest place that somebody was told of. */
  private readonly known = new Map<number, number>()
  private readonly placeOfValue = new Map<number, number>([[0, 0]])
  private readonly invoked = new Set<number>([0])
  writesAcknowledged = 0
  readsAnswered = 0

  /** Taken when an operation begins; its place must not be before this. */
  begin(key: number): number {
    return this.known.get(key) ?? 0
  }

  invokeWrite(value: number): void {
    this.invoked.add(value)
  }

  /** An entry was committed with this value. */
  committed(index: number, value: number): void {
    const before = this.placeOfValue.get(value)
    if (before !== undefined && before !== index) {
      throw new HistoryViolation(
        `value ${String(value)} is committed at ${String(before)} and at ${String(index)}`,
      )
    }
    if (!this.invoked.has(value)) {
      throw new HistoryViolation(`value ${String(value)} was never written by anybody`)
    }
    this.placeOfValue.set(value, index)
  }

  acknowledgeWrite(write: {
    readonly key: number
    readonly value: number
    readonly begunAt: number
  }): void {
    const place = this.placeOfValue.get(write.value)
    if (place === undefined) {
      throw new HistoryViolation(`value ${String(write.value)} was acknowledged, not committed`)
    }
    if (place <= write.begunAt) {
      throw new HistoryViolation(
        `value ${String(write.value)} stands at ${String(place)}, before what was known when it began`,
      )
    }
    this.writesAcknowledged += 1
    this.learn(write.key, place)
  }

  answerRead(read: {
    readonly key: number
    readonly value: number
    readonly begunAt: number
  }): void {
    const place = this.placeOfValue.get(read.value)
    if (place === undefined) {
      throw new HistoryViolation(`value ${String(read.value)} was read, never committed`)
    }
    if (place < read.begunAt) {
      throw new HistoryViolation(
        `a read of register ${String(read.key)} saw place ${String(place)}, but ` +
          `${String(read.begunAt)} was known when it began`,
      )
    }
    this.readsAnswered += 1
    this.learn(read.key, place)
  }

  private learn(key: number, place: number): void {
    if (place > (this.known.get(key) ?? 0)) this.known.set(key, place)
  }
}
