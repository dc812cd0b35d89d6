/** Damaged files: a bit that changed by itself, in every kind of file that a node can repair. */
import { open, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { NodeProcess } from '../../node-process.js'
import { nodeFolder } from '../arena.js'
import { pause, type Nemesis } from '../nemesis.js'
import type { SeededRandom } from '../seeded-random.js'

interface Victim {
  readonly what: string
  readonly folder: 'raft' | 'snapshots' | 'state'
  readonly name: RegExp
  /** Where in a file of this size a changed bit cannot go unnoticed. */
  readonly range: (size: number) => { readonly from: number; readonly to: number }
}

/** Within the first record, or the first block of a table: a checksum covers both. */
const head = (size: number) => ({ from: 0, to: Math.min(size, 24) })
/**
 * The newest record of a log file. An older one may hold what is superseded, and then its loss is
 * none; the end is what the guard remembers.
 */
const tail = (size: number) => ({ from: Math.max(0, size - 24), to: size })
const whole = (size: number) => ({ from: 0, to: size })

/**
 * What the operating guide calls repairable. The identity and the guard are left alone: they tell
 * damage from age, and a node without them is replaced.
 */
const victims: readonly Victim[] = [
  { what: 'log file', folder: 'raft', name: /\.log$/, range: tail },
  { what: 'table', folder: 'raft', name: /\.ldb$/, range: head },
  { what: 'snapshot', folder: 'snapshots', name: /\.snapshot$/, range: whole },
  { what: 'state table', folder: 'state', name: /\.ldb$/, range: head },
  { what: 'MANIFEST', folder: 'raft', name: /^MANIFEST-/, range: head },
  { what: 'CURRENT', folder: 'raft', name: /^CURRENT$/, range: head },
  { what: 'CURRENT of the state', folder: 'state', name: /^CURRENT$/, range: head },
]

/** What the node must say of it in its log, in this order. */
const saysIn = {
  raft: ['; repairing"', '"msg":"repaired"'],
  snapshots: ['; repairing"', '"msg":"repaired"'],
  state: ['state store thrown away, rebuilding'],
} as const

const sayWithinMs = 30_000
const pollMs = 50

export const byteFlip: Nemesis = {
  name: 'byte-flip',
  nodesMin: 3,
  what: 'one bit changes in a file of a stopped node; it must find that and repair itself',
  strike: async ({ arena, random, signal, number }) => {
    const id = random.pick(arena.ids)
    const node = arena.cluster.node(id)
    await arena.stop(id)
    const data = path.join(nodeFolder(arena.directory, id), 'data')
    const { victim, file, size } = await choose(data, number, random)
    const saidBefore = node.log().length
    const at = await flipBit(file, victim.range(size), random)
    const where = `${path.relative(data, file)} at ${String(at)} of ${String(size)}`
    arena.journal.note('fault', `${victim.what}: one bit flipped in ${where}`, [id])
    await pause(random.between(200, 1000), signal)
    await arena.start(id)
    await node.ready(60_000)
    await says(node, saidBefore, saysIn[victim.folder], `${victim.what}, ${where}`)
    arena.journal.note('heal', `${victim.what}: found damaged and repaired`, [id])
    await pause(random.between(500, 1500), signal)
  },
}

/** The victims take turns; one whose file a young cluster does not have yet is passed over. */
async function choose(
  data: string,
  turn: number,
  random: SeededRandom,
): Promise<{ readonly victim: Victim; readonly file: string; readonly size: number }> {
  for (let step = 0; step < victims.length; step += 1) {
    const victim = victims[(turn + step) % victims.length]
    if (victim === undefined) break
    const folder = path.join(data, victim.folder)
    const found: { readonly file: string; readonly size: number }[] = []
    for (const name of await readdir(folder)) {
      if (!victim.name.test(name)) continue
      const file = path.join(folder, name)
      const { size } = await stat(file)
      if (size > 0) found.push({ file, size })
    }
    // Names of LevelDB's files ascend: the last log file is the one that is written.
    found.sort((a, b) => (a.file < b.file ? -1 : 1))
    const chosen = victim.range === tail ? found.at(-1) : found.length > 0 && random.pick(found)
    if (chosen !== undefined && chosen !== false) return { victim, ...chosen }
  }
  throw new Error(`${data} has no file that could be damaged.`)
}

/** Returns the offset of the byte that is another one now. */
async function flipBit(
  file: string,
  { from, to }: { readonly from: number; readonly to: number },
  random: SeededRandom,
): Promise<number> {
  const at = from + Math.floor(random.next() * (to - from))
  const handle = await open(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ (1 << Math.floor(random.next() * 8))
    await handle.write(byte, 0, 1, at)
    await handle.sync()
    return at
  } finally {
    await handle.close()
  }
}

/** Throws when the node does not say all of these, one after the other. */
async function says(
  node: NodeProcess,
  saidBefore: number,
  texts: readonly string[],
  damage: string,
): Promise<void> {
  const deadline = performance.now() + sayWithinMs
  let from = saidBefore
  for (const text of texts) {
    for (;;) {
      const at = node.log().indexOf(text, from)
      if (at >= 0) {
        from = at + text.length
        break
      }
      if (performance.now() > deadline) {
        throw new Error(`${node.id} never said ${JSON.stringify(text)} about this: ${damage}`)
      }
      await delay(pollMs)
    }
  }
}
