import t, { type Test } from 'tap'
import { CountersignError } from '../../src/errors.js'
import type { Clock } from '../../src/node/ports.js'
import { Scrub } from '../../src/node/scrub.js'
import { logIndex, type LogIndex } from '../../src/raft/index.js'
import { MemorySnapshotDisk } from '../../src/storage/index.js'

const hourMs = 3_600_000

/** Timers that the test lets go off. */
class HandClock implements Clock {
  waiting: { readonly ms: number; readonly callback: () => void }[] = []

  monotonicMs = (): number => 0
  wallMs = (): number => 0

  after(ms: number, callback: () => void): () => void {
    const timer = { ms, callback }
    this.waiting.push(timer)
    return () => {
      this.waiting = this.waiting.filter((other) => other !== timer)
    }
  }

  next(): number {
    const timer = this.waiting.shift()
    timer?.callback()
    return timer?.ms ?? -1
  }

  async untilWaiting(): Promise<void> {
    while (this.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

interface Stage {
  readonly clock: HandClock
  readonly scrub: Scrub
  readonly asked: number[]
  readonly failures: unknown[]
}

async function stage(
  t: Test,
  options: {
    readonly everyHours?: number
    readonly verify?: (first: LogIndex) => Promise<LogIndex | null>
  },
): Promise<Stage> {
  const clock = new HandClock()
  const asked: number[] = []
  const failures: unknown[] = []
  const verify = options.verify ?? (() => Promise.resolve(null))
  const scrub = new Scrub({
    snapshotStore: await new MemorySnapshotDisk('c1'.repeat(32)).open(),
    logStore: {
      verify: (first) => {
        asked.push(first)
        return verify(first)
      },
    },
    clock,
    everyHours: options.everyHours ?? 2,
    log: { info: () => undefined },
    failed: (thrown) => failures.push(thrown),
  })
  t.teardown(() => scrub.stop())
  scrub.start()
  return { clock, scrub, asked, failures }
}

await t.test('the log is read in portions with pauses, and again after the hours', async (t) => {
  const { clock, asked, failures } = await stage(t, {
    verify: (first) => Promise.resolve(first < 129 ? logIndex(first + 64) : null),
  })
  t.equal(clock.next(), 2 * hourMs)
  for (let pause = 0; pause < 2; pause += 1) {
    await clock.untilWaiting()
    t.ok(clock.next() < 1000, 'a pause')
  }
  await clock.untilWaiting()
  t.strictSame(asked, [1, 65, 129])
  t.equal(clock.waiting[0]?.ms, 2 * hourMs, 'the next time')
  t.strictSame(failures, [])
})

await t.test('damage is reported once, and ends the scrub', async (t) => {
  const damage = new CountersignError('STORE_DAMAGED', 'entry 7 does not fit its digest')
  const { clock, scrub, failures } = await stage(t, { verify: () => Promise.reject(damage) })
  clock.next()
  await scrub.stop()
  t.strictSame(failures, [])
  const again = await stage(t, { verify: () => Promise.reject(damage) })
  again.clock.next()
  while (again.failures.length === 0) await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(again.failures, [damage])
  t.equal(again.clock.waiting.length, 0)
})

await t.test('zero hours: never; and a stop does not wait for the pause', async (t) => {
  const never = await stage(t, { everyHours: 0 })
  t.equal(never.clock.waiting.length, 0)
  const { clock, scrub, asked } = await stage(t, { verify: () => Promise.resolve(logIndex(2)) })
  clock.next()
  await clock.untilWaiting()
  await scrub.stop()
  t.strictSame(asked, [1])
})
