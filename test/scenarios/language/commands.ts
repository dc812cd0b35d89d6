/** What a scenario can do: nodes, disks, clients. Messages and time: see traffic.ts. */
import { logIndex, type HardState } from '../../../src/raft/index.js'
import { bytes, entryOf, freshHardState, type World } from '../world/world.js'
import { factOf } from './facts.js'
import type { Words } from './words.js'

export type Action = (world: World) => void
export type Command = (words: Words) => Action

const limitNames = [
  'appendBytesMax',
  'inflightMessagesMax',
  'inflightBytesMax',
  'uncommittedBytesMax',
  'applyingBytesMax',
  'keptEntries',
  'pinTicksMax',
  'pinnedBytesMax',
] as const

const founds =
  (role: 'voters' | 'learners' | 'joining' | 'played'): Command =>
  (words) => {
    const nodes = words.nodes()
    return (world) => world.found(role, nodes)
  }

const limits: Command = (words) => {
  const values: [(typeof limitNames)[number], number][] = []
  while (!words.isAtEnd) {
    values.push([words.oneOf('a limit', limitNames), words.number('its value')])
  }
  return (world) => {
    for (const [name, value] of values) world.limits[name] = value
  }
}

/** `disk 1 term 3 vote 2 commit 1 log 1/1 2/3`: what a node finds when it starts. */
const disk: Command = (words) => {
  const nodes = words.nodes()
  const state: { -readonly [name in keyof HardState]: HardState[name] } = { ...freshHardState }
  let entries: ReturnType<typeof entryOf>[] = []
  while (!words.isAtEnd) {
    switch (words.oneOf('a part of the disk', ['term', 'vote', 'commit', 'log'])) {
      case 'term':
        state.term = words.term()
        break
      case 'vote':
        state.votedFor = words.node()
        break
      case 'commit':
        state.commit = words.index()
        break
      case 'log':
        entries = words.positions().map(entryOf)
        break
    }
  }
  return (world) => {
    for (const id of nodes) world.lay(id, state, entries)
  }
}

const persist: Command = (words) => {
  const id = words.node()
  switch (words.oneOf('what the disk does', ['hold', 'release', 'complete', 'report', 'fail'])) {
    case 'hold':
      return (world) => {
        world.replica(id).disk.held = true
      }
    case 'release':
      return (world) => world.replica(id).releaseDisk()
    case 'complete': {
      const count = words.numberOr(1)
      const order = Array.from({ length: count }, (_, position) => position + 1)
      return (world) => world.replica(id).write(count, order)
    }
    case 'report': {
      const order: number[] = []
      while (!words.isAtEnd) order.push(words.number('the number of a write'))
      return (world) => world.replica(id).write(Math.max(...order), order)
    }
    case 'fail':
      return (world) => world.failWrite(id)
  }
}

const apply: Command = (words) => {
  const id = words.node()
  const holds = words.oneOf('hold or release', ['hold', 'release']) === 'hold'
  return (world) => {
    if (holds) world.replica(id).applyHeld = true
    else world.replica(id).releaseApply()
  }
}

/** `crash 2 keeping 1`: the oldest write under way reached the disk, though nobody heard of it. */
const crash: Command = (words) => {
  const nodes = words.nodes()
  const synced = words.takes('keeping') ? words.number('a number of writes') : 0
  return (world) => {
    for (const id of nodes) world.crash(id, synced)
  }
}

const restart: Command = (words) => {
  const nodes = words.nodes()
  return (world) => {
    for (const id of nodes) world.restart(id)
  }
}

const pause: Command = (words) => {
  const nodes = words.nodes()
  return (world) => {
    for (const id of nodes) world.replica(id).paused = true
  }
}

/** `resume 1 ticks 10`: with the ticks that it missed, as far as they are handed in. */
const resume: Command = (words) => {
  const id = words.node()
  const ticks = words.takes('ticks') ? words.number('ticks') : 0
  return (world) => {
    world.replica(id).paused = false
    if (ticks > 0) world.step(id, { kind: 'tick', ticks })
  }
}

/** `propose 1 p1`, `propose 1 p1 bytes 100`: the command is the name of the proposal. */
const propose: Command = (words) => {
  const node = words.node()
  const name = words.word('a name for the proposal')
  const size = words.takes('bytes') ? words.number('a size') : name.length
  return (world) => {
    const id = world.request(name, node)
    world.step(node, { kind: 'propose', id, payload: bytes(name.padEnd(size, '.')) })
  }
}

/** `load 1 50 bytes 10`: so many proposals whose answers nobody waits for. */
const load: Command = (words) => {
  const node = words.node()
  const count = words.number('a number of proposals')
  const size = words.takes('bytes') ? words.number('a size') : 1
  return (world) => {
    for (let made = 1; made <= count; made += 1) {
      const id = world.request(`load ${String(world.requests.size)}`, node)
      world.step(node, { kind: 'propose', id, payload: bytes('x'.repeat(size)) })
    }
  }
}

const read: Command = (words) => {
  const node = words.node()
  const name = words.word('a name for the read')
  return (world) => world.step(node, { kind: 'read', id: world.request(name, node) })
}

const transfer: Command = (words) => {
  const node = words.node()
  const to = words.takes('to') ? words.node() : null
  return (world) => world.step(node, { kind: 'transferLeadership', to })
}

/** `membership 1 c1 voters 1 2 3 learners 4 based on 5` */
const membership: Command = (words) => {
  const node = words.node()
  const name = words.word('a name for the change')
  words.expect('voters')
  const voters = words.nodesOrNone()
  const learners = words.takes('learners') ? words.nodesOrNone() : []
  const basedOn = words.takes('based') ? (words.expect('on'), words.index()) : null
  return (world) => {
    const id = world.request(name, node)
    world.step(node, { kind: 'changeMembership', id, basedOn, voters, learners })
  }
}

const snapshot: Command = (words) => {
  const nodes = words.nodes()
  words.expect('at')
  const index = words.index()
  return (world) => {
    for (const id of nodes) world.replica(id).saveSnapshot(index)
  }
}

const fetch: Command = (words) => {
  const id = words.node()
  switch (words.oneOf('what becomes of the fetch', ['hold', 'complete', 'fail'])) {
    case 'hold':
      return (world) => {
        world.replica(id).fetchHeld = true
      }
    case 'complete':
      return (world) => world.replica(id).completeFetch()
    case 'fail':
      return (world) => world.replica(id).failFetch()
  }
}

const distrust: Command = (words) => {
  const nodes = words.nodes()
  return (world) => {
    for (const id of nodes) world.step(id, { kind: 'distrustLeader' })
  }
}

const start: Command = () => (world) => world.start()

const expect: Command = (words) => {
  const fact = factOf(words)
  return (world) => {
    const { holds, found } = fact(world)
    if (!holds) throw new Error(`it is not so: ${found}`)
  }
}

/** `expect fails 2 "a committed entry is never overwritten"`: node 2 stopped itself, saying so. */
export const fails: Command = (words) => {
  const id = words.node()
  const sentence = words.quoted()
  return (world) => {
    const replica = world.replica(id)
    const { failure } = replica
    if (failure === null) throw new Error(`node ${id} has not stopped itself`)
    replica.failure = null
    if (!failure.includes(sentence)) throw new Error(`node ${id} stopped with: ${failure}`)
  }
}

/** `write 1 3`: three proposals, delivered; a shorthand to bring a cluster to a known length. */
const write: Command = (words) => {
  const node = words.node()
  const count = words.numberOr(1)
  return (world) => {
    for (let made = 1; made <= count; made += 1) {
      const next = logIndex(world.replica(node).core.status().lastIndex + 1)
      const id = world.request(`write ${String(world.requests.size)}`, node)
      world.step(node, { kind: 'propose', id, payload: bytes(`w${String(next)}`) })
    }
    world.deliver()
  }
}

export const commands: ReadonlyMap<string, Command> = new Map([
  ['nodes', founds('voters')],
  ['learners', founds('learners')],
  ['joining', founds('joining')],
  ['played', founds('played')],
  ['limits', limits],
  ['disk', disk],
  ['start', start],
  ['persist', persist],
  ['apply', apply],
  ['crash', crash],
  ['restart', restart],
  ['pause', pause],
  ['resume', resume],
  ['propose', propose],
  ['load', load],
  ['write', write],
  ['read', read],
  ['transfer', transfer],
  ['membership', membership],
  ['snapshot', snapshot],
  ['fetch', fetch],
  ['distrust', distrust],
  ['expect', expect],
])
