/**
 * Two of five nodes are hurt, each in another way: each is repaired from what the other still has and
 * from the three that are sound, or says that nothing has to be repaired.
 */
import { rm } from 'node:fs/promises'
import { examineStores, soundEntry, type RepairSources } from '../../src/storage/index.js'
import { hurts, kinds, type Original } from './corruption.js'
import { copyOf, identity, reserveBytes } from './data.js'

export interface Swept {
  readonly points: number
  readonly failures: readonly string[]
}

/** The other kinds are refused (guard, identity) or built again (state) without a peer. */
const repairable = kinds.filter(({ allowed }) => allowed.includes('repaired'))

/** `pairsMax`: of the ways to hurt two nodes. */
export async function damagedMinority(original: Original, pairsMax: number): Promise<Swept> {
  const ways = Object.entries(hurts)
  const pairs = repairable.flatMap((kind, k) =>
    ways.map((way, w) => [
      { kind, way },
      {
        kind: repairable[(k + 1 + w) % repairable.length] ?? kind,
        way: ways[(w + 3) % ways.length] ?? way,
      },
    ]),
  )
  const failures: string[] = []
  let points = 0
  for (const pair of pairs.slice(0, pairsMax)) {
    const hurt = []
    for (const [at, { kind, way }] of pair.entries()) {
      const directory = await copyOf(original.directory, `node-${String(at + 1)}`)
      const file = await kind.find(directory)
      await way[1](file, file.slice(directory.length + 1), original.older)
      hurt.push({ directory, file, name: `${kind.name}, ${way[0]}` })
    }
    for (const [at, { directory, file, name }] of hurt.entries()) {
      const other = hurt[1 - at]?.directory ?? ''
      const sources = await alsoFrom(other, original.sources)
      const { outcome, wrong } = await original.started(directory, file, sources)
      points += 1
      if (outcome === 'refused') failures.push(`${name}: refused`)
      failures.push(...wrong.map((sentence) => `${name}: ${sentence}`))
    }
    for (const { directory } of hurt) await rm(directory, { recursive: true })
  }
  return { points, failures }
}

/** The hurt node is asked first: what it lacks is a gap in its answer. */
async function alsoFrom(directory: string, sound: RepairSources): Promise<RepairSources> {
  const examined = await examineStores({ directory, identity, reserveBytes })
  if (examined.kind === 'sound') {
    await examined.stores.logStore.close()
    await examined.stores.stateStore.close()
    await examined.stores.snapshots.close()
    return sound
  }
  const { report } = examined
  await report.snapshots.close()
  return {
    ...sound,
    async *entries(from, to) {
      const held = []
      for (let index: number = from; index <= to; index += 1) {
        const entry = soundEntry(report, index as typeof from)
        if (entry !== null) held.push(entry)
      }
      yield held
      yield* sound.entries(from, to)
    },
  }
}
