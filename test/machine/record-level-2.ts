/**
 * Records test/fixtures/logs/level-2.ndjson, a log of a cluster that was founded at feature level 2,
 * and raised-to-2.ndjson, of one that was founded at level 1. Recorded anew only by hand, while
 * level 2 has not been released; the format is that of record-level-1.ts:
 *
 *   npm run build && node dist/test/machine/record-level-2.js
 */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Json } from '../../src/signing/index.js'
import { textOfLog } from './record-level-1.js'
import { World, day, hour, json, keyOf, minute, nodeAt, nodeOf } from './world.js'

const quorum = ['bob', 'carol']
const founders = [1, 2, 3].map((n) => nodeAt(`node-${String(n)}`, 7100 + n))

const put = (id: string, port: number, fields = {}): Record<string, Json> => ({
  [`/sys/nodes/${id}`]: json(nodeAt(id, port, fields)),
})
const remove = (id: string): Record<string, Json> => ({ [`/sys/nodes/${id}`]: null })

/** Every rule of level 2 is kept and broken once. */
export function recordLevelTwo(): string {
  const world = new World({ genesis: { featureLevel: 2, nodes: founders } })
  world.tick(minute)
  nodeStory(world)
  return textOfLog(world)
}

export function recordRaised(): string {
  const world = new World({ genesis: { nodes: founders } })
  world.tick(minute)
  world.propose({ by: 'alice', set: put('node-4', 7104) })
  const early = world.propose({ by: 'alice', set: { '/prod/none': null } })
  world.carry({ by: 'alice', set: { '/sys/cluster/featureLevel': 2 } }, quorum)
  for (const by of quorum) world.approve(by, early.changeId)
  nodeStory(world)
  return textOfLog(world)
}

function nodeStory(world: World): void {
  const refuse = (set: Record<string, Json>): void => {
    world.propose({ by: 'alice', set })
  }
  world.carry({ by: 'alice', set: put('node-4', 7104, { role: 'learner' }) }, quorum)
  world.carry({ by: 'alice', set: put('node-4', 7104) }, quorum)
  world.tick(minute)
  world.carry({ by: 'bob', set: { ...remove('node-1'), ...put('node-5', 7105) } }, [
    'alice',
    'carol',
  ])
  world.tick(hour)
  world.carry({ by: 'alice', set: put('node-5', 9105, { owner: 'Moved' }) }, quorum)
  refuse(put('node-1', 7101))
  refuse(put('node-2', 7102, { incarnation: '0'.repeat(32) }))
  refuse(put('node-6', 7106, { nodeKey: nodeOf('node-1').nodeKey }))
  refuse(put('node-6', 7106, { nodeKey: keyOf('bob').publicKey }))
  refuse(put('node-6', 7102))
  refuse(put('node-6', 7106, { address: 'nowhere' }))
  refuse({ ...remove('node-2'), ...remove('node-3'), ...remove('node-4'), ...remove('node-5') })
  refuse({ '/prod/none': null })
  refuse({ '/sys/cluster/cosignQuorum': 2 })
  const first = world.propose({ by: 'alice', set: put('node-7', 7107) })
  const second = world.propose({ by: 'alice', set: put('node-8', 7107) })
  for (const { changeId } of [first, second]) for (const by of quorum) world.approve(by, changeId)
  world.carry({ by: 'alice', set: remove('node-7') }, quorum)
  world.apply(first.command)
  world.skip()
  world.tick(day)
  world.carry({ by: 'alice', set: { '/prod/a': 1 } }, quorum)
  world.carry({ by: 'alice', set: { '/prod/a': null } }, quorum)
}

const isMain = import.meta.url === pathToFileURL(process.argv[1] ?? '').href
if (isMain) {
  writeFileSync('test/fixtures/logs/level-2.ndjson', recordLevelTwo())
  writeFileSync('test/fixtures/logs/raised-to-2.ndjson', recordRaised())
}
