/** Faults of the wall clock. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Arena } from '../arena.js'
import { pause, type Nemesis } from '../nemesis.js'

const clocksOf = (directory: string) => path.join(directory, 'clocks')

/** Well within a day: the messages of the clients are good for so long. */
const jumpMaxMs = 3 * 60 * 60 * 1000

const pollMs = 50

/** Built beside this file; not there when the program runs from its sources. */
const preload = fileURLToPath(new URL('../wall-clock.js', import.meta.url))

async function setClock(directory: string, id: string, shiftMs: number): Promise<void> {
  const file = path.join(clocksOf(directory), id)
  await writeFile(`${file}.next`, String(shiftMs))
  await rename(`${file}.next`, file)
}

/** What a node says of its own clock; waits for as long as a busy machine may need. */
async function showsTime(arena: Arena, id: string, timeMs: number): Promise<boolean> {
  const status = arena.cluster.file.nodes.find((node) => node.id === id)?.status ?? ''
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const answer = await fetch(`http://${status}/status`)
    const { node } = (await answer.json()) as { readonly node: { readonly nowMs: number } }
    if (Math.abs(node.nowMs - timeMs) < 60_000) return true
    await delay(pollMs)
  }
  return false
}

export const clockJump: Nemesis = {
  name: 'clock-jump',
  nodesMin: 3,
  what: 'the wall clock of one node jumps by up to three hours, forth or back',
  prepare: async ({ directory, environment }) => {
    await mkdir(clocksOf(directory), { recursive: true })
    environment['CHAOS_CLOCKS'] = clocksOf(directory)
    environment['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --import=${preload}`.trim()
    return undefined
  },
  strike: async ({ arena, random, signal }) => {
    const id = random.pick(arena.ids)
    const jumpMs = Math.round(random.between(0.1, 1) * jumpMaxMs) * (random.chance(0.5) ? 1 : -1)
    arena.journal.note('fault', `wall clock off by ${(jumpMs / 1000).toFixed(0)} s`, [id])
    await setClock(arena.directory, id, jumpMs)
    if (!(await showsTime(arena, id, Date.now() + jumpMs))) {
      throw new Error(`The wall clock of ${id} did not move.`)
    }
    await pause(random.between(500, 4000), signal)
    await setClock(arena.directory, id, 0)
    arena.journal.note('heal', 'wall clock right again', [id])
    await pause(random.between(200, 1000), signal)
  },
}
