/** Two versions in one cluster, as during an upgrade and on the way back. */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { pause, type Nemesis } from '../nemesis.js'

const programOf = (build: string) => path.resolve(build, 'src', 'cli', 'main.js')

export const mixedVersion: Nemesis = {
  name: 'mixed-version',
  nodesMin: 3,
  what: 'nodes run another build in turn (--other-build), and come back to this one',
  // The older of two builds founds: it would not know the feature level of a newer genesis.
  foundedBy: ({ otherBuild }) => otherBuild && programOf(otherBuild),
  prepare: async (_plan, { otherBuild }) => {
    if (otherBuild === undefined) return 'say with --other-build where another version is built'
    const found = await access(programOf(otherBuild)).then(
      () => true,
      () => false,
    )
    return found ? undefined : `there is no build in ${otherBuild}`
  },
  strike: async ({ arena, random, signal, settings }) => {
    const id = random.pick(arena.ids)
    arena.journal.note('fault', 'goes to the other version', [id])
    await arena.stop(id)
    await arena.startOther(id, programOf(settings.otherBuild ?? ''))
    await arena.cluster.node(id).ready()
    await pause(random.between(1000, 4000), signal)
    await arena.stop(id)
    await arena.start(id)
    await arena.cluster.node(id).ready()
    arena.journal.note('heal', 'is back at this version', [id])
    await pause(random.between(200, 1000), signal)
  },
}
