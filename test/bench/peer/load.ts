/** Closed-loop load of prepared calls, ended by the work or by the clock. */
import { median } from '../cost.js'
import type { Lane, System } from './system.js'

export interface Rate {
  readonly perSecond: number
  readonly p50Ms: number
}

/** Every lane at once. None begins new work after `secondsMax`. */
export async function rateOf(lanes: readonly Lane[], secondsMax = Infinity): Promise<Rate> {
  const latencies: number[] = []
  const begin = performance.now()
  const until = begin + secondsMax * 1000
  await Promise.all(
    lanes.map(async (lane) => {
      for (const work of lane) {
        if (performance.now() > until) return
        for (const call of work) {
          const sentAt = performance.now()
          await call()
          latencies.push(performance.now() - sentAt)
        }
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1000
  return { perSecond: latencies.length / seconds, p50Ms: median(latencies) }
}

/**
 * Commits so many commands, in portions: what is prepared ahead must not itself fill the memory of
 * this process. Throws when it takes longer than `secondsMax`.
 */
export async function fill(
  system: System,
  entries: number,
  secondsMax: number,
  progress: (done: number) => void,
): Promise<void> {
  const portion = 5000
  const until = performance.now() + secondsMax * 1000
  for (let done = 0; done < entries; done += portion) {
    if (performance.now() > until) {
      throw new Error(`only ${String(done)} entries were written in ${String(secondsMax)} s`)
    }
    progress(done)
    const count = Math.min(portion, entries - done)
    const stream = system.streamed(count, 256)
    await rateOf(stream?.lanes ?? system.commands(count, 256))
    await stream?.end()
  }
}
