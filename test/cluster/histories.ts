/** Histories for tests of the checker: recorded from an imaginary register that is linearizable. */
import type { Json, Operation } from '../../cluster/linearizability/index.js'
import type { SeededRandom } from '../simulation/random.js'

export interface HistoryShape {
  readonly clients: number
  readonly operations: number
  readonly keys: number
  /** Share of the writes whose answer is lost. */
  readonly lost: number
}

/**
 * Clients that are always busy. Each operation takes effect at a random instant between its call
 * and its return; values are unique.
 */
export function correctHistory(random: SeededRandom, shape: HistoryShape): Operation[] {
  const drawn = Array.from({ length: shape.clients }, () => {
    let now = random.between(0, 1)
    return Array.from({ length: Math.ceil(shape.operations / shape.clients) }, () => {
      const start = now
      const end = start + random.between(0.1, 3)
      now = end + random.between(0.01, 0.3)
      return { start, end, effect: random.between(start, end) }
    })
  }).flatMap((times, client) => times.map((each) => ({ ...each, client: `c${String(client)}` })))
  drawn.sort((a, b) => a.effect - b.effect)
  const values = new Map<string, Json>()
  return drawn.slice(0, shape.operations).map(({ client, start, end }, at): Operation => {
    const key = `/prod/${String(random.int(0, shape.keys - 1))}`
    const found = values.get(key) ?? null
    const about = { client, start, end, key, status: 'ok' } as const
    const kind = random.next()
    if (kind < 0.5) return { ...about, op: 'get', result: found }
    const isLost = random.chance(shape.lost)
    // Half of what is lost never had an effect.
    const happens = !isLost || random.chance(0.5)
    const answer = isLost ? ({ status: 'info', end: null } as const) : {}
    if (kind < 0.85) {
      if (happens) values.set(key, at)
      return { ...about, op: 'put', value: at, ...answer }
    }
    if (kind < 0.95) {
      const result = random.chance(0.7)
      const old = result ? found : -at
      if (happens && result) values.set(key, at)
      return { ...about, op: 'cas', old, value: at, ...(isLost ? answer : { result }) }
    }
    if (happens) values.set(key, null)
    return { ...about, op: 'delete', ...answer }
  })
}

/**
 * The same with one read that gives a value which certainly was overwritten before it began.
 * Undefined when no read of the history could be stale.
 */
export function withStaleRead(
  history: readonly Operation[],
  random: SeededRandom,
): Operation[] | undefined {
  const endOf = (operation: Operation) => operation.end ?? Infinity
  const puts = history.filter(({ op, status }) => op === 'put' && status === 'ok')
  const candidates = history.flatMap((read, at) => {
    if (read.op !== 'get') return []
    const older = puts.filter(
      (put) =>
        put.key === read.key &&
        puts.some(
          (newer) =>
            newer.key === read.key && newer.start > endOf(put) && endOf(newer) < read.start,
        ),
    )
    return older.map((put) => ({ at, value: put.value ?? null }))
  })
  if (candidates.length === 0) return undefined
  const { at, value } = random.pick(candidates)
  return history.map((operation, n) => (n === at ? { ...operation, result: value } : operation))
}
