/** One nemesis against one cluster under load, and the judgement when it has ended. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Arena } from './arena.js'
import { memoryOf } from './bounds.js'
import { readPath } from './change.js'
import { judge, type Judged } from './checks.js'
import { DirectClients } from './direct-clients.js'
import { Keys } from './keys.js'
import type { Nemesis, Settings } from './nemesis.js'
import { codeOf } from './outcome.js'
import { People } from './people.js'
import { Recorder } from './recorder.js'
import type { SeededRandom } from './seeded-random.js'
import { Watcher } from './watcher.js'
import { Workload } from './workload.js'
import { connect } from '../../src/client/index.js'

export interface PhaseOptions {
  readonly arena: Arena
  readonly nemesis: Nemesis
  readonly settings: Settings
  readonly seconds: number
  readonly random: SeededRandom
  readonly signal: AbortSignal
}

export interface PhaseResult extends Judged {
  readonly nemesis: string
  readonly strikes: number
  readonly kills: number
  readonly counts: { readonly ok: number; readonly fail: number; readonly info: number }
}

/** Whoever is at work during a phase. */
interface Company {
  readonly keys: Keys
  readonly recorder: Recorder
  readonly people: People
  readonly watchers: readonly Watcher[]
}

/** Load without a fault before the first and after the last one. */
const quietMs = 500
const watchersCount = 2

export async function runPhase(options: PhaseOptions): Promise<PhaseResult> {
  const { arena, nemesis } = options
  const prefix = `/prod/chaos/${nemesis.name}/`
  const keys = new Keys(prefix)
  const recorder = new Recorder(arena.journal)
  const people = await People.read(arena.directory, arena.cluster.file.clusterId)
  arena.journal.note('phase', `${nemesis.name}: ${nemesis.what}`)
  const watchers = Array.from({ length: watchersCount }, () => new Watcher(arena, prefix))
  try {
    return await underLoad(options, { keys, recorder, people, watchers })
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.stop()))
  }
}

async function underLoad(
  options: PhaseOptions,
  { keys, recorder, people, watchers }: Company,
): Promise<PhaseResult> {
  const { arena, nemesis, random } = options
  const endedBefore = arena.endedByThemselves.length
  await Promise.all(watchers.map((watcher) => watcher.standing()))
  const memoryBefore = await memoryOf(arena)
  const load = new Workload({ ...{ arena, people, keys, recorder }, random: random.fork() })
  const direct = new DirectClients({ ...{ arena, people, keys, recorder }, random: random.fork() })
  let strikes = 0
  try {
    await delay(quietMs)
    strikes = await strikeAgain(options)
    await arena.heal()
    arena.journal.note('heal', 'all faults ended')
    await delay(quietMs)
  } finally {
    await Promise.all([load.stop(), direct.stop()])
  }
  await readAll({ arena, people, recorder, random }, keys)
  const judged = await judge({
    ...{ arena, recorder, watchers, endedBefore, memoryBefore },
    paths: keys.all,
  })
  const counts = {
    ok: recorder.count('ok'),
    fail: recorder.count('fail'),
    info: recorder.count('info'),
  }
  return { ...judged, nemesis: nemesis.name, strikes, kills: arena.kills, counts }
}

async function strikeAgain(options: PhaseOptions): Promise<number> {
  const { arena, nemesis, random, seconds, settings } = options
  // Held by hand: a combination of signals that only listeners know of may be collected as garbage.
  const over = new AbortController()
  const end = () => {
    over.abort()
  }
  const timer = setTimeout(end, seconds * 1000)
  options.signal.addEventListener('abort', end, { once: true })
  const { signal } = over
  let strikes = 0
  try {
    while (!signal.aborted && !options.signal.aborted) {
      await nemesis.strike({ arena, random, signal, settings, number: strikes })
      strikes += 1
    }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', end)
  }
  return strikes
}

/** The end of every register, as clients see it: part of the history. */
async function readAll(
  context: {
    readonly arena: Arena
    readonly people: People
    readonly recorder: Recorder
    readonly random: SeededRandom
  },
  keys: Keys,
): Promise<void> {
  const { nodes, ca } = context.arena.cluster.file
  const client = connect({ addresses: nodes.map((node) => node.client), ca })
  try {
    for (const key of keys.all) await readPath({ ...context, client, name: 'end' }, key)
  } catch (error) {
    codeOf(error)
  } finally {
    client.close()
  }
}
