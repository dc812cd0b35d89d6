/** Faults of processes: killed, all killed, frozen, restarted in turn. */
import { electionTimeoutMs } from '../arena.js'
import { minority, pause, type Nemesis } from '../nemesis.js'

export const kill: Nemesis = {
  name: 'kill',
  nodesMin: 3,
  what: 'SIGKILL to a minority, then a restart on the same data',
  strike: async (strike) => {
    const { arena, random, signal } = strike
    const victims = minority(strike)
    arena.journal.note('fault', 'killed', victims)
    await arena.kill(...victims)
    await pause(random.between(50, 2 * electionTimeoutMs), signal)
    await arena.start(...victims)
    arena.journal.note('heal', 'started', victims)
    await pause(random.between(500, 2000), signal)
  },
}

export const killAll: Nemesis = {
  name: 'kill-all',
  nodesMin: 1,
  what: 'SIGKILL to all nodes at once, then a restart of all',
  strike: async ({ arena, random, signal }) => {
    arena.journal.note('fault', 'all killed', arena.ids)
    await arena.kill(...arena.ids)
    await pause(random.between(0, 500), signal)
    await arena.start(...random.shuffled(arena.ids))
    arena.journal.note('heal', 'all started', arena.ids)
    await Promise.all(arena.nodes.map((node) => node.ready()))
    await pause(random.between(1000, 3000), signal)
  },
}

export const freeze: Nemesis = {
  name: 'pause',
  nodesMin: 3,
  what: 'SIGSTOP for up to three election timeouts, most often to the leader',
  strike: async (strike) => {
    const { arena, random, signal } = strike
    const leader = random.chance(0.7) ? await arena.cluster.leader() : undefined
    const victims = leader === undefined ? minority(strike) : [leader]
    arena.journal.note('fault', 'frozen', victims)
    for (const id of victims) arena.freeze(id)
    await pause(random.between(0.2, 3) * electionTimeoutMs, signal)
    for (const id of victims) arena.thaw(id)
    arena.journal.note('heal', 'thawed', victims)
    await pause(random.between(500, 2000), signal)
  },
}

export const rollingRestart: Nemesis = {
  name: 'rolling-restart',
  nodesMin: 3,
  what: 'SIGTERM to one node after the other, as an upgrade does it',
  strike: async ({ arena, random, signal }) => {
    for (const id of random.shuffled(arena.ids)) {
      if (signal.aborted) return
      arena.journal.note('fault', 'stopped', [id])
      await arena.stop(id)
      await pause(random.between(0, 300), signal)
      await arena.start(id)
      await arena.cluster.node(id).ready()
      arena.journal.note('heal', 'ready again', [id])
    }
  },
}
