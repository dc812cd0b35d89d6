/**
 * How long until a cluster does something again. Both systems are asked in the same way, so that
 * neither is charged for the manners of a client library.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Attempt } from './system.js'

const everyMs = 10
/** A local read answers or refuses at once, so the next one may follow closely. */
const pauseMs = 5

/**
 * A new attempt every 10 ms, at each member in turn, whatever became of those before: one that
 * hangs, as at a member that forwards to a dead leader, holds up no other. Resolves with the first
 * that succeeds.
 */
export async function firstSuccess(
  attempt: Attempt,
  memberIds: readonly string[],
  withinMs: number,
): Promise<void> {
  const state = { isDone: false, wake: (): void => undefined }
  const succeeded = new Promise<void>((resolve) => (state.wake = resolve))
  const until = performance.now() + withinMs
  for (let n = 0; !state.isDone && performance.now() < until; n += 1) {
    attempt(memberIds[n % memberIds.length] ?? '').then(
      () => {
        state.isDone = true
        state.wake()
      },
      () => undefined,
    )
    await Promise.race([succeeded, delay(everyMs)])
  }
  if (!state.isDone) throw new Error(`nothing succeeded within ${String(withinMs)} ms`)
}

/** Asks one member until it succeeds. */
export async function untilShown(
  attempt: Attempt,
  memberId: string,
  withinMs: number,
): Promise<void> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      await attempt(memberId)
      return
    } catch (cause) {
      if (performance.now() > until) {
        throw new Error(`${memberId} shows no last write within ${String(withinMs)} ms`, { cause })
      }
    }
    await delay(pauseMs)
  }
}
