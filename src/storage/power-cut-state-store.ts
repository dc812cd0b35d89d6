/**
 * A state store that loses what it was given last when the process is killed, for tests: its
 * batches are not synced, so a power cut may take any number of the newest ones.
 */
import type { AppliedPoint, StateStore, StateWrite } from './state-store.js'

/** Batches held back; when there are more, the oldest go to the store below, in order. */
const batchesHeldBack = 32

interface Batch {
  readonly writes: readonly StateWrite[]
  readonly applied: AppliedPoint
}

export function powerCutStateStore(below: StateStore): StateStore {
  let waiting: Batch[] = []

  async function pass(count: number): Promise<void> {
    const due = waiting.slice(0, count)
    waiting = waiting.slice(due.length)
    for (const { writes, applied } of due) await below.write(writes, applied)
  }

  return {
    ...(below.thrownAway === undefined ? {} : { thrownAway: below.thrownAway }),
    readApplied: () => {
      const last = waiting.at(-1)
      return last === undefined ? below.readApplied() : Promise.resolve(last.applied)
    },
    // Whoever reads it all makes it durable: the system writes back what it likes, when it likes.
    async *readAll() {
      await pass(waiting.length)
      yield* below.readAll()
    },
    readSince: async (index) => {
      await pass(waiting.length)
      return below.readSince(index)
    },
    settle: async (index) => {
      await pass(waiting.length)
      await below.settle(index)
    },
    forgetChanges: () => below.forgetChanges(),
    write: async (writes, applied) => {
      waiting.push({ writes, applied })
      await pass(Math.max(0, waiting.length - batchesHeldBack))
    },
    clear: async () => {
      waiting = []
      await below.clear()
    },
    close: async () => {
      await pass(waiting.length)
      await below.close()
    },
  }
}
