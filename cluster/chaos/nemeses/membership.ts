/**
 * The membership changes under load: a node joins, another one takes its place, and that one is
 * removed. Whoever was removed goes on running for a while, and must not disturb.
 */
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { loopbackHosts } from '../../loopback.js'
import { NodeProcess } from '../../node-process.js'
import { configure, electionTimeoutMs, nodeFolder, raftSettings } from '../arena.js'
import { termOf } from '../node-views.js'
import { pause, type Nemesis, type Strike } from '../nemesis.js'
import { governedChange } from '../operator.js'

interface Joiner {
  readonly node: NodeProcess
  readonly status: string
  readonly peer: string
}

function joinerAt({ arena }: Strike): Joiner {
  const [host = ''] = loopbackHosts(1)
  const id = arena.newId()
  const status = `${host}:7300`
  const node = new NodeProcess({
    ...{ id, status },
    config: path.join(nodeFolder(arena.directory, id), 'node.json'),
    logFile: path.join(arena.directory, 'logs', `${id}.log`),
  })
  return { node, status, peer: `${host}:7100` }
}

async function start({ arena }: Strike, { node }: Joiner): Promise<void> {
  await configure(arena.directory, node.id, { raft: raftSettings })
  node.start()
  await node.ready(60_000)
  arena.journal.note('heal', 'has joined', [node.id])
}

const learnsWithinMs = 30_000
const pollMs = 50

/**
 * Lets a removed node run until it knows of its removal, and for longer than its election timeout.
 * A node that campaigns raises its term above that of the cluster; this one must not.
 */
async function outliveRemoval({ arena }: Strike, { node, status }: Joiner): Promise<void> {
  const deadline = performance.now() + learnsWithinMs
  while (!node.log().includes('"NODE_REMOVED"')) {
    if (performance.now() > deadline) throw new Error(`${node.id} never learnt of its removal.`)
    await delay(pollMs)
  }
  await delay(2 * electionTimeoutMs)
  const own = await termOf(status)
  const { nodes } = arena.cluster.file
  const terms = await Promise.all(nodes.map((member) => termOf(member.status)))
  const highest = Math.max(...terms.map((term) => term ?? 0))
  if (own === undefined || own > highest) {
    throw new Error(`${node.id} was removed and is in term ${String(own)} of ${String(highest)}.`)
  }
  arena.journal.note('heal', 'ran on after its removal and disturbed nobody', [node.id])
  await node.stop()
}

export const membership: Nemesis = {
  name: 'membership',
  nodesMin: 3,
  what: 'a node is added, replaced by another, and that one removed; removed ones run on',
  strike: async (strike) => {
    const { arena, random, signal } = strike
    const first = joinerAt(strike)
    const second = joinerAt(strike)
    const [old, young] = [first.node.id, second.node.id]
    try {
      arena.journal.note('fault', 'is added', [old])
      await governedChange(strike, 'node', 'add', old, '--peer', first.peer)
      await start(strike, first)
      await pause(random.between(200, 1000), signal)
      arena.journal.note('fault', `is replaced by ${young}`, [old])
      await governedChange(strike, 'node', 'replace', old, '--with', young, '--peer', second.peer)
      await start(strike, second)
      await outliveRemoval(strike, first)
      arena.journal.note('fault', 'is removed', [young])
      await governedChange(strike, 'node', 'remove', young)
      await outliveRemoval(strike, second)
    } finally {
      for (const { node } of [first, second]) if (node.isRunning) await node.stop()
    }
  },
}
