/**
 * `npm run demo`: the whole story on a throw-away cluster of three real nodes. Exit code 0 only
 * when everything came out as it had to.
 */
import { Narrator } from './demo/narrator.js'
import {
  forgery,
  fourthPerson,
  leaderDies,
  movedBase,
  quorum,
  sameEverywhere,
} from './demo/scenes.js'
import { Stage } from './demo/stage.js'
import { WatchingService } from './demo/watching-service.js'

const narrator = new Narrator((line) => {
  console.log(line)
}, process.stdout.isTTY)

async function play(stage: Stage): Promise<void> {
  narrator.tell(`${await stage.leader()} leads`)
  for (const { id, client } of stage.cluster.file.nodes) {
    narrator.tell(`${id} is process ${stage.cluster.node(id).pid ?? '?'}, clients at ${client}`)
  }
  const service = new WatchingService(stage.client, '/prod/payments/')
  try {
    await service.started()
    const scenes = [quorum, leaderDies, movedBase, forgery, fourthPerson, sameEverywhere]
    for (const scene of scenes) await scene({ narrator, stage, service })
  } finally {
    await service.stop()
  }
}

narrator.scene('three nodes found a cluster; none is special')
try {
  const stage = await Stage.open(narrator)
  // Ctrl-C must leave neither processes nor keys behind.
  process.once('SIGINT', () => {
    void stage.close().finally(() => process.exit(130))
  })
  try {
    await play(stage)
  } finally {
    await stage.close()
  }
} catch (error) {
  narrator.fail(error instanceof Error ? error.message : String(error))
}
narrator.sumUp()
process.exitCode = narrator.allHeld ? 0 : 1
