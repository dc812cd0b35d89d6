/**
 * Two versions in one cluster, as during an upgrade: on the way back while the feature level is the
 * old one, and no way back once it is raised.
 */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { featureLevelMax } from '../../../src/client/index.js'
import { configure, raftSettings } from '../arena.js'
import { olderBuild } from '../builds.js'
import { pause, type Nemesis, type Strike } from '../nemesis.js'
import { countersign, governedChange } from '../operator.js'

const programOf = (build: string) => path.resolve(build, 'src', 'cli', 'main.js')
const levelPath = '/sys/cluster/featureLevel'

/** Strikes before the level is raised. */
const roundsBefore = 2
const haltsWithinMs = 30_000
const never = 1_000_000

export const mixedVersion: Nemesis = {
  name: 'mixed-version',
  nodesMin: 3,
  what: 'nodes run an older build in turn and come back; then the feature level is raised',
  settle: async (settings) => {
    const otherBuild = settings.otherBuild ?? (await olderBuild())
    return otherBuild === undefined ? settings : { ...settings, otherBuild }
  },
  // The older of two builds founds: it would not know the feature level of a newer genesis.
  foundedBy: ({ otherBuild }) => otherBuild && programOf(otherBuild),
  prepare: async ({ directory, nodes }, { otherBuild }) => {
    if (otherBuild === undefined) return 'no older commit is at hand; say --other-build'
    const found = await access(programOf(otherBuild)).then(
      () => true,
      () => false,
    )
    if (!found) return `there is no build in ${otherBuild}`
    // An older build may not read a log that was cut by this one: there is a way back before that.
    for (const id of nodes) await configure(directory, id, { raft: { snapshotEntries: never } })
    return undefined
  },
  strike: async (strike) => {
    const { arena, random, signal, settings, number } = strike
    const id = random.pick(arena.ids)
    const other = programOf(settings.otherBuild ?? '')
    if (number === roundsBefore) await raise(strike)
    const isRaised = number >= roundsBefore
    arena.journal.note('fault', 'goes to the other version', [id])
    await arena.stop(id)
    await arena.startOther(id, other)
    if (isRaised) {
      arena.mayEnd(id)
      await halted(strike, id)
    } else {
      await arena.cluster.node(id).ready()
      if (number === 0) await refusedToRaise(strike)
      await pause(random.between(1000, 4000), signal)
      await arena.stop(id)
    }
    await arena.start(id)
    await arena.cluster.node(id).ready()
    arena.journal.note('heal', 'is back at this version', [id])
    await pause(random.between(200, 1000), signal)
  },
}

const proposal = [
  ...['propose', '--set', `${levelPath}=${String(featureLevelMax)}`],
  ...['--title', 'Raise the feature level'],
]

/** Nobody may be left at a command that its build does not know. */
async function refusedToRaise(strike: Strike): Promise<void> {
  const said = await countersign(strike.arena, ...proposal, '--as', 'alice').then(
    ({ changeId }) => `accepted as ${String(changeId)}`,
    (error: unknown) => String(error),
  )
  // A leader of the old build does not know the level; one of the new build knows who does not.
  if (!/LEVEL_UNSUPPORTED|FEATURE_LEVEL/.test(said)) {
    throw new Error(`A raise beside an old build is ${said}`)
  }
  strike.arena.journal.note('phase', 'the level is not raised beside an old build')
}

/** From now on there is no way back, and the log may be cut. */
async function raise(strike: Strike): Promise<void> {
  const { arena } = strike
  await governedChange(strike, ...proposal)
  arena.journal.note('phase', `the feature level is ${String(featureLevelMax)} from now on`)
  for (const id of arena.ids) {
    await configure(arena.directory, id, { raft: raftSettings })
    await arena.stop(id)
    await arena.start(id)
    await arena.cluster.node(id).ready()
  }
}

/** An older build that meets the new level says so and ends: it could not judge the next entry. */
async function halted({ arena }: Strike, id: string): Promise<void> {
  const node = arena.cluster.node(id)
  const ended = await Promise.race([
    node.exited().then(() => true),
    delay(haltsWithinMs, false, { ref: false }),
  ])
  if (!ended) throw new Error(`${id} runs on at a level that its build does not know`)
  if (!/VERSION_UNKNOWN|STORE_DAMAGED/.test(node.logTail())) {
    throw new Error(`${id} did not say why it ended:\n${node.logTail()}`)
  }
  arena.journal.note('phase', 'the older build halts at the new level', [id])
}
