/**
 * The composition root: everything of a node is wired here and nowhere else. Order of a start:
 * identity and genesis, stores examined and if need be repaired, opened, state recovered, peers,
 * clients, status.
 */
import type { Logger } from 'pino'
import { startApi } from '../api/index.js'
import { featureLevelMax, type Genesis } from '../approval/index.js'
import type { NodeConfig } from '../config/index.js'
import { CountersignError } from '../errors.js'
import { Raft } from '../raft/index.js'
import { verifyStrict, type Signer } from '../signing/index.js'
import {
  examineStores,
  holdingWithDamage,
  powerCutDisk,
  powerCutStateStore,
  repairStores,
  soundEntry,
  systemDisk,
  type Disk,
  type DamageReport,
  type OpenedStores,
} from '../storage/index.js'
import { askForTransfer, createPeers } from '../transport/index.js'
import { systemClock } from './clock.js'
import { ClusterNode } from './cluster-node.js'
import { findSelf, knownMembers, readNodeKey, type Self } from './identity.js'
import { readGenesis, readTls } from './own-files.js'
import { heldEntries } from './peer-answers.js'
import type { PeerMember, Peers } from './ports.js'
import { foundingOf, recoverNode } from './recover-node.js'
import { RepairMode, type RepairStorage } from './repair-mode.js'
import { Scrub } from './scrub.js'
import { speakerOf, transferBy, type TransferResult } from './transfer-command.js'
import { buildVersion } from './version.js'

export interface RunningNode {
  readonly clientAddress: string
  readonly statusUrl: string
  /** Hands leadership over, lets running calls finish, closes everything. */
  stop(): Promise<void>
}

interface NodeParts {
  readonly config: NodeConfig
  readonly log: Logger
  readonly genesis: Genesis
  readonly clusterId: string
  readonly self: Self
  readonly nodeKey: Signer
  readonly tls: Awaited<ReturnType<typeof readTls>>
  readonly known: readonly PeerMember[]
  /** The node cannot go on; called once. */
  readonly failed: (thrown: unknown) => void
}

/** Rejects with CANCELLED when `stop` is aborted before the node serves. */
export async function composeNode(options: {
  readonly config: NodeConfig
  readonly log: Logger
  readonly failed: (thrown: unknown) => void
  readonly stop: AbortSignal
}): Promise<RunningNode> {
  const { config, stop } = options
  const { genesis, clusterId } = await readGenesis(config.genesisFile)
  const self = findSelf(genesis, config)
  const nodeKey = await readNodeKey(config.nodeKeyFile, self)
  const tls = await readTls(config)
  const known = knownMembers(genesis, config)
  const parts = { ...options, genesis, clusterId, self, nodeKey, tls, known }
  const identity = identityOf(parts)
  const disk = config.test.powerCut ? powerCutDisk() : systemDisk
  const examine = () => examineStores({ directory: config.dataDirectory, identity, disk })
  let examined = await examine()
  while (examined.kind === 'damaged') {
    const { report } = examined
    try {
      await repair(parts, report, disk, stop)
    } finally {
      await report.snapshots.close()
    }
    examined = await examine()
  }
  return startNode(parts, examined.stores)
}

/** As a person who holds the files of the node of this configuration. */
export async function composeTransfer(
  config: NodeConfig,
  wish: { readonly to: string | null; readonly deadlineMs: number },
): Promise<TransferResult> {
  const speaker = await speakerOf(config)
  return transferBy(config, wish.to, (peer, to) =>
    askForTransfer(speaker, peer, to, wish.deadlineMs),
  )
}

/** Resolves when the data directory is sound. */
async function repair(
  parts: NodeParts,
  report: DamageReport,
  disk: Disk,
  stop: AbortSignal,
): Promise<void> {
  const { config, log, genesis, known, self } = parts
  const mode = new RepairMode({
    report,
    storage: repairStorageOn(disk),
    nodeId: self.id,
    members: known,
    founding: foundingOf(genesis),
    peers: peersOf(parts),
    clock: systemClock,
    log,
  })
  const { startRepairStatus } = await import('../status/index.js')
  const status = await startRepairStatus({
    listen: config.listen.status,
    nodeId: self.id,
    facts: () => mode.facts(),
  })
  const cancel = (): void => {
    mode.stop()
  }
  stop.addEventListener('abort', cancel)
  try {
    if (await mode.run()) return
    throw new CountersignError('CANCELLED', 'The node was stopped while it repaired its log.')
  } finally {
    stop.removeEventListener('abort', cancel)
    await status.close()
  }
}

const repairStorageOn = (disk: Disk): RepairStorage => ({
  repair: (report, sources) => repairStores(report, sources, disk),
  heldLog: (report) => ({
    entries: (first, bytesMax) =>
      Promise.resolve(heldEntries((index) => soundEntry(report, index), first, bytesMax)),
    holding: (index, term) => holdingWithDamage(report, index, term),
  }),
})

function identityOf({ clusterId, self }: Pick<NodeParts, 'clusterId' | 'self'>) {
  return { clusterId, nodeId: self.id, incarnation: self.incarnation }
}

function peersOf(parts: NodeParts): Peers {
  const { config, known, self, tls, log } = parts
  return createPeers({
    ...identityOf(parts),
    featureLevelMax,
    clientAddress: config.advertise.client,
    listen: config.listen.peer,
    peers: known.filter(({ id }) => id !== self.id),
    tls: { ca: tls.ca, certificate: tls.certificate, key: tls.key },
    electionTimeoutMs: config.raft.electionTicksMin * config.raft.tickMs,
    random: Math.random,
    log: log.child({ room: 'transport' }),
  })
}

async function startNode(parts: NodeParts, stores: OpenedStores): Promise<RunningNode> {
  const { config, log, failed, genesis, clusterId, self, nodeKey, tls, known } = parts
  const identity = identityOf(parts)
  const { logStore, recovered, snapshots: snapshotStore } = stores
  const stateStore = config.test.powerCut
    ? powerCutStateStore(stores.stateStore)
    : stores.stateStore
  const undo: (() => Promise<void>)[] = [
    () => logStore.close(),
    () => stateStore.close(),
    () => snapshotStore.close(),
  ]
  try {
    const { machine, rebuilt, configuration, raft } = await recoverNode({
      genesis,
      clusterId,
      logStore,
      recovered,
      stateStore,
      snapshotStore,
    })
    if (rebuilt !== null) log.warn({ why: rebuilt }, 'state store thrown away, rebuilding')
    const { raft: raftConfig } = config
    const node = new ClusterNode({
      identity,
      version: await buildVersion(),
      clientAddress: config.advertise.client,
      raft: new Raft({
        id: self.id,
        ...raft,
        heartbeatTicks: raftConfig.heartbeatTicks,
        electionTicksMin: raftConfig.electionTicksMin,
        electionTicksMax: raftConfig.electionTicksMax,
        refusalTicksMax: raftConfig.refusalTicksMax,
        limits: raftConfig,
        random: Math.random,
        trace: log.isLevelEnabled('trace'),
      }),
      machine,
      verify: verifyStrict,
      logStore,
      stateStore,
      snapshotStore,
      snapshots: raftConfig,
      committed: configuration,
      peers: peersOf(parts),
      known,
      addresses: config.peers,
      clock: systemClock,
      defer: setImmediate,
      log,
      nodeKey,
      ticks: raftConfig,
      limits: config.limits,
      admitForged: config.test.admitForged,
      configuration: { ...config },
      failed,
    })
    undo.splice(0, undo.length, () => node.stop())
    await node.start()
    const api = await startApi({
      node,
      listen: config.listen.client,
      tls: { certificate: Buffer.from(tls.certificate), key: Buffer.from(tls.key) },
      tickMs: raftConfig.tickMs,
      logger: log.child({ room: 'api' }),
    })
    undo.push(() => api.stop())
    // Loaded only now: the HTTP server is no small part of the process, and clients do not wait for it.
    const { startStatus } = await import('../status/index.js')
    const status = await startStatus({
      node,
      listen: config.listen.status,
      logger: log.child({ room: 'status' }),
      tickMs: raftConfig.tickMs,
    })
    undo.push(() => status.close())
    const { everyHours } = config.scrub
    const scrub = new Scrub({
      snapshotStore,
      logStore,
      clock: systemClock,
      everyHours,
      log,
      failed,
    })
    scrub.start()
    return {
      clientAddress: api.address,
      statusUrl: status.url,
      stop: async () => {
        await scrub.stop()
        await node.drain()
        await status.close()
        await api.stop()
        await node.stop()
      },
    }
  } catch (thrown) {
    for (const step of undo.reverse()) await step()
    throw thrown
  }
}
