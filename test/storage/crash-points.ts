/**
 * The process ends before each operation that changes the disk, of one life (crash-lives.ts); then
 * the power may be cut too. Whatever the point: the next start finds the log before the running step
 * or after it, all that was acknowledged, and the state at an index with what belongs to it.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openStores, type OpenedStores } from '../../src/storage/index.js'
import { powerCutDisk } from '../../src/storage/power-cut-files.js'
import type { Life } from './crash-lives.js'
import { closeAll, found, identity, reserveBytes } from './data.js'
import { StoppingDisk } from './stopping-disk.js'

/** How much of what was not synced survives, one operation after the other. */
export const cuts: Readonly<Record<string, (point: number) => () => number>> = {
  'all unsynced lost': () => () => 0,
  'all unsynced there': () => () => 1,
  'any unsynced lost, some torn': (point) => {
    let at = point
    return () => {
      at = (at * 1103515245 + 12345) % 2147483648
      return [0, 1, 0.5][Math.floor(at / 65536) % 3] ?? 0
    }
  },
}

export interface CrashPoints {
  readonly points: number
  /** Each says cut, point and step. */
  readonly failures: readonly string[]
}

/** `folder`: an empty one, to work in. */
export async function crashPointsOf(life: Life, folder: string): Promise<CrashPoints> {
  const empty = join(folder, 'empty')
  await found(empty)
  const states = await statesOf(life, empty, join(folder, 'model'))
  const failures: string[] = []
  let points = 0
  for (const [name, cut] of Object.entries(cuts)) {
    for (let point = 1; ; point += 1) {
      const directory = join(folder, 'life')
      await cp(empty, directory, { recursive: true })
      const { done, isOver } = await livedUntil(life, directory, point, cut(point))
      const wrong = await wrongIn(directory, states.slice(done, done + 2))
      const where = `${life.name}, ${name}, point ${String(point)}, step ${String(done + 1)}`
      if (wrong !== null) failures.push(`${where}: ${wrong}`)
      await rm(directory, { recursive: true })
      if (isOver) break
      points += 1
    }
  }
  return { points, failures }
}

/** What the log is at first and after each step, each of which a restart goes before. */
async function statesOf(
  { steps }: Life,
  empty: string,
  directory: string,
): Promise<readonly string[]> {
  await cp(empty, directory, { recursive: true })
  const states = [await logIn(directory)]
  for (const step of steps) {
    const stores = await openStores({ directory, identity, reserveBytes })
    await step.again?.(stores)
    await step.run(stores)
    await closeAll(stores)
    states.push(await logIn(directory))
  }
  return states
}

async function livedUntil(
  { steps }: Life,
  directory: string,
  point: number,
  survives: () => number,
): Promise<{ readonly done: number; readonly isOver: boolean }> {
  const power = powerCutDisk()
  const disk = new StoppingDisk(power, point)
  let done = 0
  let isOver = false
  try {
    const stores = await openStores({ directory, identity, reserveBytes, disk })
    for (const step of steps) {
      await step.run(stores)
      done += 1
    }
    isOver = true
  } catch (thrown) {
    if (!disk.hasStopped) throw thrown
  }
  await disk.settled()
  await power.cut(survives)
  await disk.release()
  return { done, isOver }
}

/** Null when a start finds what it may find. */
async function wrongIn(directory: string, allowed: readonly string[]): Promise<string | null> {
  let stores: OpenedStores
  try {
    stores = await openStores({ directory, identity, reserveBytes })
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
  const { recovered, snapshots } = stores
  const log = logOf(stores)
  const isCovered = recovered.anchor.index <= (snapshots.latest()?.index ?? 0)
  const state = await stateOf(stores)
  await closeAll(stores)
  if (!isCovered) return 'nothing stands behind the anchor'
  if (state !== null) return state
  return allowed.includes(log) ? null : `the log is ${log.slice(0, 200)}`
}

async function logIn(directory: string): Promise<string> {
  const stores = await openStores({ directory, identity, reserveBytes })
  const log = logOf(stores)
  await closeAll(stores)
  return log
}

function logOf({ recovered }: OpenedStores): string {
  const { anchor, entries, hardState } = recovered
  const lines = entries.map(({ index, term, payload }) => [
    ...[index, term, Buffer.from(payload).toString('base64')],
  ])
  return JSON.stringify([hardState.term, hardState.votedFor, anchor.index, ...lines])
}

/** Null when the applied index and the record that was written with it belong together. */
async function stateOf({ stateStore }: OpenedStores): Promise<string | null> {
  const applied = await stateStore.readApplied()
  let written: number | null = null
  for await (const [key, value] of stateStore.readAll()) {
    if (key === 'n') written = Number(Buffer.from(value).toString())
  }
  if ((applied?.index ?? null) === written) return null
  return `applied ${String(applied?.index)} with the record of ${String(written)}`
}
