/** The power goes: what a node wrote and did not sync is lost, which a kill alone does not show. */
import { configure } from '../arena.js'
import { unsyncedBuild } from '../builds.js'
import { pause, type Nemesis } from '../nemesis.js'

export const powerCut: Nemesis = {
  name: 'power-cut',
  nodesMin: 1,
  what: 'SIGKILL to all nodes, or a majority, which then lack what they did not sync',
  prepare: async (plan, { withoutSync }) => {
    // Both hands of decision 007: a key of the configuration, and the environment.
    plan.environment['COUNTERSIGN_TEST_OPTIONS'] = '1'
    for (const id of plan.nodes) await configure(plan.directory, id, { test: { powerCut: true } })
    if (withoutSync === true) plan.program = await unsyncedBuild(plan)
    return undefined
  },
  strike: async ({ arena, random, signal }) => {
    const most = Math.floor(arena.ids.length / 2) + 1
    const victims = random.chance(0.7) ? arena.ids : random.shuffled(arena.ids).slice(0, most)
    arena.journal.note('fault', 'without power', victims)
    await arena.kill(...victims)
    await pause(random.between(0, 500), signal)
    await arena.start(...random.shuffled(victims))
    arena.journal.note('heal', 'with power again', victims)
    await Promise.all(arena.nodes.map((node) => node.ready()))
    await pause(random.between(1000, 3000), signal)
  },
}
