/**
 * Virtual time for code that awaits. One event of the schedule is one tick of Node's own queue:
 * Node drains every microtask before it takes the next tick, so all that an event sets off by
 * promises is over before the next event, and no real timer or socket takes part.
 */
import type { Schedule } from '../schedule.js'

/** Between so many events the real event loop gets a turn: signals, messages of a worker. */
const eventsPerTurn = 20_000

/**
 * Runs what is due until `endMs`, or until `isOver` says so; rejects with what an event throws.
 * Resolves with the number of events.
 */
export function runTurns(
  schedule: Schedule,
  endMs: number,
  isOver: () => boolean = () => false,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0
    const turn = (): void => {
      try {
        if (isOver()) resolve(count)
        else if (schedule.runNext(endMs)) {
          count += 1
          if (count % eventsPerTurn === 0) setImmediate(turn)
          // From a microtask: a tick asked for by the event itself would run before its promises.
          else queueMicrotask(nextTurn)
        } else {
          schedule.nowMs = endMs
          resolve(count)
        }
      } catch (thrown) {
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)))
      }
    }
    const nextTurn = (): void => {
      process.nextTick(turn)
    }
    // The caller may stand in a tick or a callback, where ticks come before what it left to promises.
    queueMicrotask(nextTurn)
  })
}
