/**
 * Expectations are facts about the cluster as it stands, never dumps of a whole output: so a
 * scenario survives every change that keeps the facts. Facts about messages and requests: see
 * facts-of-traffic.ts.
 */
import type { Configuration, NodeId, RaftStatus, Role } from '../../../src/raft/index.js'
import type { Replica } from '../world/replica.js'
import type { Fact, Finding } from './fact.js'
import { trafficFacts } from './facts-of-traffic.js'
import { compares, type Words } from './words.js'

type FactReader = (words: Words) => Fact

export const roles = [
  'follower',
  'preCandidate',
  'candidate',
  'leader',
] as const satisfies readonly Role[]

const statusNumbers: Readonly<Record<string, (status: RaftStatus) => number>> = {
  term: (status) => status.term,
  commit: (status) => status.commitIndex,
  applied: (status) => status.appliedIndex,
  last: (status) => status.lastIndex,
  durable: (status) => status.durableIndex,
  first: (status) => status.firstIndex,
  snapshotIndex: (status) => status.snapshotIndex,
  configIndex: (status) => status.configurationIndex,
  uncommittedBytes: (status) => status.uncommittedBytes,
  pendingReads: (status) => status.pendingReads,
  elections: (status) => status.counters.electionsStarted,
}

/** Of a dead node too. */
const diskNumbers: Readonly<Record<string, (disk: Replica['disk']) => number>> = {
  diskTerm: (disk) => disk.hardState.term,
  diskLast: (disk) => disk.log.lastIndex,
  diskFirst: (disk) => disk.log.anchor.index + 1,
}

/** `term 1..3 = 7` */
function numberFact(name: string, words: Words): Fact {
  const nodes = words.nodes()
  const comparison = words.comparison()
  const wanted = words.number('a number')
  const ofStatus = statusNumbers[name]
  const ofDisk = diskNumbers[name]
  return ofEach(nodes, (replica) => {
    const value = ofDisk?.(replica.disk) ?? ofStatus?.(replica.core.status()) ?? NaN
    return { holds: compares(value, comparison, wanted), found: `${name} is ${String(value)}` }
  })
}

/** `leader 2`, `leader none`, `leader any`, `leader 2 of 1..3` (which know it, too). */
const leader: FactReader = (words) => {
  const wanted = words.takes('none') ? [] : words.takes('any') ? null : words.nodes()
  const by = words.takes('of') ? words.nodes() : []
  return (world) => {
    const leaders = world.running.filter(({ core }) => core.status().role === 'leader')
    const ids = leaders.map(({ id }) => id)
    const known = by.map((id) => world.replica(id).core.status().leader)
    const isRight = wanted === null ? ids.length === 1 : ids.join() === wanted.join()
    return {
      holds: isRight && known.every((id) => ids.includes(id ?? '')),
      found: `leaders: ${ids.join(' ') || 'none'}; known: ${known.map(String).join(' ')}`,
    }
  }
}

const role: FactReader = (words) => {
  const nodes = words.nodes()
  words.expect('=')
  const wanted = words.oneOf('a role', roles)
  return ofEach(nodes, ({ core }) => {
    const status = core.status()
    return { holds: status.role === wanted, found: `a ${status.role}` }
  })
}

const nodeOrNone = (words: Words): NodeId | null => (words.takes('none') ? null : words.node())

function nodeFact(read: (replica: Replica) => NodeId | null): FactReader {
  return (words) => {
    const nodes = words.nodes()
    words.expect('=')
    const wanted = nodeOrNone(words)
    return ofEach(nodes, (replica) => {
      const value = read(replica)
      return { holds: value === wanted, found: value ?? 'none' }
    })
  }
}

/** `log 3 = 1/1 2/1 3/4` (index/term), `log 3 tail 8/2 9/3`, `log 1..3 same`, `log 2 empty`. */
const log = (logOf: (replica: Replica) => Replica['log']): FactReader => {
  const textOf = (replica: Replica): string[] =>
    logOf(replica).entries.map((entry) => `${String(entry.index)}/${String(entry.term)}`)
  return (words) => {
    const nodes = words.nodes()
    const how = words.oneOf('=, tail, same or empty', ['=', 'tail', 'same', 'empty'])
    const wanted = words
      .positions()
      .map((position) => `${String(position.index)}/${String(position.term)}`)
    return (world) => {
      const logs = nodes.map((id) => textOf(world.replica(id)))
      const expected = how === 'same' ? (logs[0] ?? []) : wanted
      const holds = logs.every((entries) => {
        const part = how === 'tail' ? entries.slice(-expected.length) : entries
        return part.join() === expected.join()
      })
      const shown = logs.map((entries, place) => {
        const tail = entries.slice(-12).join(' ')
        return `${nodes[place] ?? ''}: ${entries.length > 12 ? '... ' : ''}${tail || 'empty'}`
      })
      return { holds, found: shown.join('; ') }
    }
  }
}

/** `state 1 = a b`, `state 1..3 same`: the commands that the state machine has applied. */
const state: FactReader = (words) => {
  const nodes = words.nodes()
  const same = words.takes('same')
  const wanted: string[] = []
  if (!same) {
    words.expect('=')
    while (!words.isAtEnd) wanted.push(words.word('a command'))
  }
  return (world) => {
    const states = nodes.map((id) => world.replica(id).commands.map((text) => text.trimEnd()))
    const expected = same ? (states[0] ?? []) : wanted
    return {
      holds: states.every((commands) => commands.join() === expected.join()),
      found: states
        .map((commands, place) => `${nodes[place] ?? ''}: ${commands.join(' ')}`)
        .join('; '),
    }
  }
}

/** `config 1 = voters 1 2 outgoing 1 3 learners 4 target 1 4`; parts left out are empty. */
const config: FactReader = (words) => {
  const nodes = words.nodes()
  words.expect('=')
  words.expect('voters')
  const wanted: Configuration = {
    voters: words.nodesOrNone(),
    outgoing: words.takes('outgoing') ? words.nodes() : [],
    learners: words.takes('learners') ? words.nodes() : [],
    target: words.takes('target') ? words.nodes() : null,
  }
  return ofEach(nodes, ({ core }) => {
    const { voters, outgoing, learners, target } = core.status().configuration
    const text = JSON.stringify({ voters, outgoing, learners, target })
    return { holds: text === JSON.stringify(wanted), found: text }
  })
}

const configCommitted: FactReader = (words) =>
  ofEach(words.nodes(), ({ core }) => {
    const { configurationIndex, configurationCommitted } = core.status()
    return {
      holds: configurationCommitted,
      found: `configuration ${String(configurationIndex)} is not committed`,
    }
  })

/** `peer 2 of 1 = replicate match 5 next 6`: what leader 1 knows of node 2. */
const peer: FactReader = (words) => {
  const id = words.node()
  words.expect('of')
  const leaderId = words.node()
  if (words.takes('absent')) {
    return (world) => {
      const known = world
        .replica(leaderId)
        .core.status()
        .peers.map((entry) => entry.id)
      return { holds: !known.includes(id), found: `peers ${known.join(' ')}` }
    }
  }
  words.expect('=')
  const wanted = words.oneOf('a state', ['probe', 'replicate', 'snapshot', 'any'])
  const match = words.takes('match') ? words.number('an index') : null
  const next = words.takes('next') ? words.number('an index') : null
  return (world) => {
    const known = world
      .replica(leaderId)
      .core.status()
      .peers.find((entry) => entry.id === id)
    return {
      holds:
        known !== undefined &&
        (wanted === 'any' || known.state === wanted) &&
        (match === null || known.matchIndex === match) &&
        (next === null || known.nextIndex === next),
      found: JSON.stringify(known ?? 'no such peer'),
    }
  }
}

const life = (wanted: boolean): FactReader => {
  return (words) => {
    const nodes = words.nodes()
    return ofEach(nodes, ({ alive }) => ({
      holds: alive === wanted,
      found: alive ? 'alive' : 'dead',
    }))
  }
}

const fetching: FactReader = (words) => {
  const id = words.node()
  words.expect('=')
  const wanted = words.takes('none') ? null : words.number('the index of a snapshot')
  return ofEach([id], (replica) => {
    const index = replica.fetching?.snapshot.index ?? null
    return { holds: index === wanted, found: `fetching ${String(index ?? 'none')}` }
  })
}

const readers: ReadonlyMap<string, FactReader> = new Map([
  ['leader', leader],
  ['role', role],
  ['follows', nodeFact(({ core }) => core.status().leader)],
  ['vote', nodeFact(({ core }) => core.status().votedFor)],
  ['diskVote', nodeFact(({ disk }) => disk.hardState.votedFor)],
  ['transfer', nodeFact(({ core }) => core.status().transferTarget)],
  ['log', log((replica) => replica.log)],
  ['diskLog', log((replica) => replica.disk.log)],
  ['state', state],
  ['config', config],
  ['configCommitted', configCommitted],
  ['peer', peer],
  ['alive', life(true)],
  ['dead', life(false)],
  ['fetching', fetching],
  ...trafficFacts,
])

export function factOf(words: Words): Fact {
  if (words.takes('not')) {
    const fact = factOf(words)
    return (world) => {
      const { holds, found } = fact(world)
      return { holds: !holds, found }
    }
  }
  const name = words.word('a fact')
  if (name in statusNumbers || name in diskNumbers) return numberFact(name, words)
  const reader = readers.get(name) ?? words.fail(`unknown fact "${name}"`)
  return reader(words)
}

function ofEach(nodes: readonly NodeId[], judge: (replica: Replica) => Finding): Fact {
  return (world) => {
    const found = nodes.map((id) => ({ id, ...judge(world.replica(id)) }))
    return {
      holds: found.every(({ holds }) => holds),
      found: found.map((one) => `node ${one.id}: ${one.found}`).join('; '),
    }
  }
}
