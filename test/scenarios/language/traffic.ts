/** What a scenario does to time and to messages on their way. */
import { passes } from '../world/wire.js'
import { electionTicksMax, electionTicksMin } from '../world/world.js'
import type { Command } from './commands.js'
import { factOf, roles } from './facts.js'
import { filterOf } from './message-kinds.js'
import { spokenMessage } from './spoken.js'

/** A role or a fact that does not come about within so many ticks never will. */
const patienceTicks = 5_000

/** `tick 2 150`, `tick 2 until candidate`: time passes on these nodes alone. */
const tick: Command = (words) => {
  const nodes = words.nodes()
  if (words.takes('until')) {
    const role = words.oneOf('a role', roles)
    return (world) => {
      const replicas = nodes.map((id) => world.replica(id))
      for (let ticks = 0; replicas.some(({ core }) => core.status().role !== role); ticks += 1) {
        if (ticks > patienceTicks) throw new Error(`no ${role} in ${String(patienceTicks)} ticks`)
        world.tick(replicas)
      }
    }
  }
  const ticks = words.number('a number of ticks')
  return (world) => {
    const replicas = nodes.map((id) => world.replica(id))
    for (let passed = 0; passed < ticks; passed += 1) world.tick(replicas)
  }
}

/** `run 500`, `run 500 until leader 2`: all clocks go and all messages arrive. */
const run: Command = (words) => {
  const ticks = words.number('a number of ticks')
  const fact = words.takes('until') ? factOf(words) : null
  return (world) => {
    for (let passed = 0; passed < ticks; passed += 1) {
      if (fact?.(world).holds === true) return
      world.tick(world.running)
      world.deliver()
    }
    const last = fact?.(world)
    if (last?.holds === false) throw new Error(`not within ${String(ticks)} ticks: ${last.found}`)
  }
}

/** Its timer runs out when the others have heard no leader for the least election timeout. */
const elect: Command = (words) => {
  const id = words.node()
  return (world) => {
    const others = world.running.filter(
      (replica) => replica.id !== id && replica.core.status().leader !== null,
    )
    world.tick(others, electionTicksMin)
    world.tick([world.replica(id)], electionTicksMax)
    world.deliver()
    const { role } = world.replica(id).core.status()
    if (role !== 'leader') throw new Error(`node ${id} was not elected, it is a ${role}`)
  }
}

const deliver: Command = (words) => {
  if (words.isAtEnd) return (world) => world.deliver()
  const filter = filterOf(words)
  return (world) => {
    if (world.deliverOnly(filter) === 0) throw new Error('no such message waits')
  }
}

const lose: Command = (words) => {
  const filter = filterOf(words)
  return (world) => {
    world.start()
    if (world.wire.lose(filter) === 0) throw new Error('no such message waits')
  }
}

const hold: Command = (words) => {
  const filter = filterOf(words)
  return (world) => world.wire.hold(filter)
}

const release: Command = () => (world) => world.wire.release()

const cut: Command = (words) => {
  const links = [words.link()]
  while (!words.isAtEnd) links.push(words.link())
  return (world) => {
    for (const link of links) world.wire.cut(link)
  }
}

const heal: Command = (words) => {
  if (words.isAtEnd) return (world) => world.wire.heal(null)
  const link = words.link()
  return (world) => world.wire.heal(link)
}

/** `partition 1 2 | 3 4 5`: instead of whatever was cut before. */
const partition: Command = (words) => {
  const sides = [words.nodes()]
  while (words.takes('|')) sides.push(words.nodes())
  return (world) => {
    world.wire.heal(null)
    for (const side of sides) {
      for (const other of sides) {
        if (side === other) continue
        for (const from of side) for (const to of other) world.wire.cut({ from, to })
      }
    }
  }
}

/** `keep 1->2 append as old`: a copy of the last one sent, to be replayed later. */
const keep: Command = (words) => {
  const filter = filterOf(words)
  words.expect('as')
  const name = words.word('a name')
  return (world) => {
    const message = world.wire.sent.findLast((sent) => passes(filter, sent))
    if (message === undefined) throw new Error('no such message was sent')
    world.wire.kept.set(name, message)
  }
}

const replay: Command = (words) => {
  const name = words.word('the name of a kept message')
  return (world) => {
    const message = world.wire.kept.get(name)
    if (message === undefined) throw new Error(`nothing was kept as ${name}`)
    world.hand(message)
  }
}

const say: Command = (words) => {
  const spoken = spokenMessage(words)
  return (world) => {
    world.start()
    world.hand(spoken(world.wire))
  }
}

/** `redial 2->1 refused`: the stream to node 1 broke, and its port answers no dial. */
const redial: Command = (words) => {
  const { from, to } = words.direction()
  words.expect('refused')
  return (world) => world.step(from, { kind: 'peerRefused', peer: to })
}

const reconnect: Command = (words) => {
  const { from, to } = words.direction()
  return (world) => world.reconnect(from, to)
}

const count: Command = () => (world) => {
  world.wire.sent = []
}

export const traffic: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['tick', tick],
  ['run', run],
  ['elect', elect],
  ['deliver', deliver],
  ['lose', lose],
  ['hold', hold],
  ['release', release],
  ['cut', cut],
  ['heal', heal],
  ['partition', partition],
  ['keep', keep],
  ['replay', replay],
  ['say', say],
  ['redial', redial],
  ['reconnect', reconnect],
  ['count', count],
])
