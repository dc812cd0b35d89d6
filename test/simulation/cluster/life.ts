/** One life of a simulated node: the stores opened, repaired if need be, recovered, and a real node. */
import { ClusterNode } from '../../../src/node/cluster-node.js'
import { heldEntries } from '../../../src/node/peer-answers.js'
import type { Clock, PeerHello, PeerMember, Peers } from '../../../src/node/ports.js'
import { foundingOf, recoverNode } from '../../../src/node/recover-node.js'
import { RepairMode } from '../../../src/node/repair-mode.js'
import { membersOf } from '../../../src/raft/index.js'
import type { Verify } from '../../../src/signing/index.js'
import { holdingWithDamage, soundEntry, type SnapshotStore } from '../../../src/storage/index.js'
import { LogView } from '../log-view.js'
import { OracleViolation } from '../oracles.js'
import type { SeededRandom } from '../random.js'
import type { ClusterWorld } from './cluster-world.js'
import type { DiskDamage } from './disk-damage.js'
import { observeMachine } from './observed-machine.js'
import { ObservedRaft } from './observed-raft.js'
import { realSigner } from './people.js'
import type { SimProcess } from './process.js'
import { raftLimits } from './raft-limits.js'
import type { Chance } from './rare-paths.js'
import { withRarePaths } from './rare-peers.js'
import { rareLogStore, rareSnapshotStore, rareStateStore, type PauseAt } from './rare-stores.js'
import type { SimDisk } from './sim-disk.js'

export interface LifeParts {
  readonly world: ClusterWorld
  /** Another one than its id for a machine that only says that it is this node. */
  readonly name: string
  readonly hello: PeerHello
  readonly known: readonly PeerMember[]
  readonly process: SimProcess
  readonly disk: SimDisk
  readonly damage: DiskDamage
  readonly verify: Verify
  readonly random: SeededRandom
  readonly failed: (thrown: unknown) => void
}

export interface Running {
  readonly node: ClusterNode
  readonly raft: ObservedRaft
}

/** Resolves when the node serves; rejects with what it cannot start for. */
export async function startLife(parts: LifeParts): Promise<Running> {
  const { world, process, disk, hello, random } = parts
  const { options, founded } = world
  const { genesis, clusterId } = founded
  const { chance } = world.rare
  const pauseAt: PauseAt = (path) => (chance(path) ? pause(parts, 300) : Promise.resolve())
  await repair(parts)
  const snapshotStore = rareSnapshotStore(await disk.openSnapshots(process), chance, pauseAt)
  const { logStore: plainLog, recovered } = disk.openLog(process)
  const logStore = rareLogStore(plainLog, pauseAt)
  const stateStore = rareStateStore(disk.openState(process), pauseAt)
  const stores = { logStore, stateStore, snapshotStore }
  const recoveredNode = await recoverNode({ genesis, clusterId, recovered, ...stores })
  const { machine, configuration, raft: atRest } = recoveredNode
  const peers = linksOf(parts)
  observeMachine(machine, {
    name: parts.name,
    ledger: world.ledger,
    build: hello.featureLevelMax,
    nodeId: hello.nodeId,
    members: () => membersOf(raft.status().configuration),
    links: () => peers.links(),
    asksNobody: options.mutant === 'a level is raised whoever knows it',
  })
  const rng = random.fork()
  const raft = new ObservedRaft(
    {
      id: hello.nodeId,
      ...atRest,
      heartbeatTicks: options.heartbeatTicks,
      electionTicksMin: options.electionTicksMin,
      electionTicksMax: options.electionTicksMax,
      refusalTicksMax: 4,
      limits: raftLimits(options.tightLimits, options.keptEntries),
      random: () => rng.next(),
      trace: false,
    },
    parts.name,
    world.oracles,
    new LogView(atRest.anchor, atRest.entries),
  )
  const node = new ClusterNode({
    identity: hello,
    version: 'simulated',
    clientAddress: hello.clientAddress,
    raft,
    machine,
    verify: parts.verify,
    ...stores,
    snapshots: {
      snapshotEntries: options.snapshotEveryEntries,
      snapshotBytes: Number.MAX_SAFE_INTEGER,
    },
    committed: configuration,
    known: parts.known,
    addresses: {},
    peers: withRarePaths(peers, chance, () => pause(parts, 500)),
    clock: lateClock(process, chance),
    defer: (callback) => {
      if (chance('loop: a turn takes long')) process.later(random.between(1, 60), callback)
      else process.defer(callback)
    },
    log: world.log,
    nodeKey: realSigner(`${hello.nodeId} node`),
    ticks: options,
    limits: { commandsInFlightMax: options.tightLimits ? 4 : 1000, watchersMax: 100 },
    admitForged: false,
    configuration: {},
    rare: chance,
    failed: parts.failed,
  })
  await node.start()
  return { node, raft }
}

/** As compose.ts does: until the disk is sound the node hands out what is, and does nothing else. */
async function repair(parts: LifeParts): Promise<void> {
  const { world, process, disk, damage, hello, known, name } = parts
  const snapshots: SnapshotStore = await disk.openSnapshots(process)
  const report = damage.examine(snapshots)
  if (report === null) return
  world.count('repair begun')
  if (world.options.mutant === 'a damaged log is cut where the damage begins') {
    damage.cutOff(report)
    return
  }
  const held = world.oracles.committed.map(({ entry }) => entry).filter((each) => disk.holds(each))
  const mode = new RepairMode({
    report,
    storage: {
      repair: (found, sources) => damage.repair(found, sources),
      heldLog: (found) => ({
        entries: (first, bytesMax) =>
          Promise.resolve(heldEntries((index) => soundEntry(found, index), first, bytesMax)),
        holding: (index, term) => holdingWithDamage(found, index, term),
      }),
    },
    nodeId: hello.nodeId,
    members: known,
    founding: foundingOf(world.founded.genesis),
    peers: silent(linksOf(parts), parts),
    clock: process,
    log: world.log,
  })
  if (!(await mode.run())) throw new Error('nobody stops a simulated repair')
  const lost = held.filter((entry) => !disk.holds(entry))
  if (lost.length > 0) {
    throw new OracleViolation('a repair gives back every committed entry that the node held', {
      name,
      lost: lost.map(({ index, term }) => ({ index, term })),
    })
  }
  world.count('repair ended')
}

/** Neither votes nor leads nor answers: what it sent would be a violation. */
function silent(peers: Peers, { world, name }: LifeParts): Peers {
  const says = (what: string): void => {
    world.violated(new OracleViolation('a damaged node is silent', { name, what }))
  }
  return {
    ...peers,
    send: (_to, messages) => {
      says(messages.map(({ kind }) => kind).join())
    },
    sendStamp: () => {
      says('stamp')
    },
  }
}

function linksOf({ world, process, hello, known }: LifeParts): Peers {
  return world.links.peers(process, hello, known)
}

function pause({ process, random }: LifeParts, msMax: number): Promise<void> {
  return new Promise((resolve) => {
    process.later(random.between(0, msMax), resolve)
  })
}

function lateClock(process: SimProcess, chance: Chance): Clock {
  return {
    monotonicMs: () => process.monotonicMs(),
    wallMs: () => process.wallMs(),
    after: (ms, callback) =>
      process.after(chance('clock: a timer is late') ? 2 * ms + 20 : ms, callback),
  }
}
