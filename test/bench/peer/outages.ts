/** Leaders lost and members restarted, timed until the cluster does its work again. */
import { firstSuccess, untilShown } from './probe.js'
import { rateOf } from './load.js'
import type { Member, System } from './system.js'

const withinMs = 120_000

/** Milliseconds from the signal until a survivor commits a command. */
export async function failoverMs(system: System, loss: 'killed' | 'frozen'): Promise<number> {
  const leader = await system.leader()
  // Warms the connections, as a client in use has them.
  await rateOf(system.commands(4, 1))
  const attempt = system.write()
  const survivors = othersOf(system, leader)
  const warm = system.write()
  await Promise.allSettled(survivors.map(({ id }) => warm(id)))
  const begin = performance.now()
  const ended = loss === 'killed' ? leader.kill() : undefined
  if (loss === 'frozen') leader.freeze()
  try {
    await firstSuccess(
      attempt,
      survivors.map(({ id }) => id),
      withinMs,
    )
    return performance.now() - begin
  } finally {
    await ended
    if (loss === 'killed') leader.start()
    else leader.thaw()
    await Promise.all(system.members().map((member) => member.ready()))
  }
}

/**
 * Milliseconds from the start of a killed follower's process until it shows, by itself, a command
 * that was committed while it was away.
 */
export async function restartFollowerMs(system: System): Promise<number> {
  const leader = await system.leader()
  const [follower] = othersOf(system, leader)
  if (follower === undefined) throw new Error(`${system.name} has no follower`)
  await follower.kill()
  const shows = await system.mark()
  const begin = performance.now()
  follower.start()
  await untilShown(shows, follower.id, withinMs)
  const tookMs = performance.now() - begin
  await follower.ready()
  return tookMs
}

/** Milliseconds from the start of all processes, killed before, until any of them commits. */
export async function restartAllMs(system: System): Promise<number> {
  const members = system.members()
  await Promise.all(members.map((member) => member.kill()))
  const attempt = system.write()
  const begin = performance.now()
  for (const member of members) member.start()
  await firstSuccess(
    attempt,
    members.map(({ id }) => id),
    withinMs,
  )
  const tookMs = performance.now() - begin
  await Promise.all(members.map((member) => member.ready()))
  return tookMs
}

const othersOf = (system: System, { id }: Member): readonly Member[] =>
  system.members().filter((member) => member.id !== id)
