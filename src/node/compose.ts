/**
 * The composition root: everything of a node is wired here and nowhere else. Order of a start:
 * identity and genesis, stores opened and checked, state recovered, peers, clients, status.
 */
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { startApi } from '../api/index.js'
import {
  decodeGenesis,
  featureLevelMax,
  type Genesis,
  type GenesisNode,
} from '../approval/index.js'
import type { NodeConfig } from '../config/index.js'
import { CountersignError } from '../errors.js'
import { logIndex, Raft } from '../raft/index.js'
import { decodePublicKey, type Signer } from '../signing/index.js'
import { readKeyFile } from '../signing/key-file.js'
import { createVerifyAhead } from '../signing/verify-ahead.js'
import { startStatus } from '../status/index.js'
import { openStores } from '../storage/index.js'
import { createPeers } from '../transport/index.js'
import { systemClock } from './clock.js'
import { ClusterNode } from './cluster-node.js'
import { buildVersion } from './version.js'
import { recoverState } from './recover-state.js'

export interface RunningNode {
  readonly clientAddress: string
  readonly statusUrl: string
  /** Hands leadership over, lets running calls finish, closes everything. */
  stop(): Promise<void>
}

export async function composeNode(options: {
  readonly config: NodeConfig
  readonly log: Logger
  /** The node cannot go on; called once. */
  readonly failed: (thrown: unknown) => void
}): Promise<RunningNode> {
  const { config, log, failed } = options
  const { genesis, clusterId } = await readGenesis(config.genesisFile)
  const self = findSelf(genesis, config)
  const nodeKey = await readNodeKey(config.nodeKeyFile, self)
  const tls = await readTls(config)
  const identity = { clusterId, nodeId: self.id, incarnation: self.incarnation }

  const stores = await openStores({ directory: config.dataDirectory, identity })
  const { logStore, recovered, stateStore } = stores
  const undo: (() => Promise<void>)[] = [() => logStore.close(), () => stateStore.close()]
  try {
    const lastIndex = recovered.entries.at(-1)?.index ?? 0
    const state = await recoverState({ genesis, clusterId, stateStore, lastIndex })
    const { machine, appliedIndex, rebuilt } = state
    if (rebuilt !== null) log.warn({ why: rebuilt }, 'state store thrown away, rebuilding')
    const voters = genesis.nodes.filter(({ role }) => role === 'voter')
    const { raft: raftConfig } = config
    const raft = new Raft({
      id: self.id,
      voters: voters.map(({ id }) => id),
      hardState: recovered.hardState,
      entries: recovered.entries,
      applied: logIndex(appliedIndex),
      heartbeatTicks: raftConfig.heartbeatTicks,
      electionTicksMin: raftConfig.electionTicksMin,
      electionTicksMax: raftConfig.electionTicksMax,
      refusalTicksMax: raftConfig.refusalTicksMax,
      limits: raftConfig,
      random: Math.random,
      trace: log.isLevelEnabled('trace'),
    })
    const peers = createPeers({
      ...identity,
      featureLevelMax,
      clientAddress: config.advertise.client,
      listen: config.listen.peer,
      peers: genesis.nodes
        .filter(({ id }) => id !== self.id)
        .map(({ id, address, incarnation }) => ({
          id,
          address: config.peers[id] ?? address,
          incarnation,
        })),
      tls: { ca: tls.ca, certificate: tls.certificate, key: tls.key },
      electionTimeoutMs: raftConfig.electionTicksMin * raftConfig.tickMs,
      random: Math.random,
      log: log.child({ room: 'transport' }),
    })
    const node = new ClusterNode({
      identity,
      version: await buildVersion(),
      clientAddress: config.advertise.client,
      raft,
      machine,
      verify: createVerifyAhead().verify,
      logStore,
      stateStore,
      peers,
      clock: systemClock,
      defer: setImmediate,
      log,
      nodeKey,
      nodeKeys: new Map(voters.map((voter) => [voter.id, publicKeyOf(voter)])),
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
    const status = await startStatus({
      node,
      listen: config.listen.status,
      logger: log.child({ room: 'status' }),
      tickMs: raftConfig.tickMs,
    })
    undo.push(() => status.close())
    return {
      clientAddress: api.address,
      statusUrl: status.url,
      stop: async () => {
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

async function readGenesis(
  file: string,
): Promise<{ readonly genesis: Genesis; readonly clusterId: string }> {
  const decoded = decodeGenesis(await readConfigured(file, 'genesisFile'))
  if (decoded.kind === 'refused') {
    throw new CountersignError('GENESIS_INVALID', `${file}: ${decoded.refusal.message}`, {
      details: { file, ...decoded.refusal.details },
    })
  }
  return decoded
}

function findSelf(genesis: Genesis, config: NodeConfig): GenesisNode {
  const self = genesis.nodes.find(({ id }) => id === config.nodeId)
  if (self?.role === 'voter') return self
  const voters = genesis.nodes.filter(({ role }) => role === 'voter').map(({ id }) => id)
  throw new CountersignError(
    'CONFIG_INVALID',
    `\`nodeId\` is ${config.nodeId}, and the voters of genesis are ${voters.join(', ')}.`,
    { details: { key: 'nodeId', voters } },
  )
}

async function readNodeKey(file: string, self: GenesisNode): Promise<Signer> {
  const signer = await readKeyFile(file)
  const expected = decodePublicKey(self.nodeKey)
  if (expected.kind === 'ok' && expected.keyId === signer.keyId) return signer
  throw new CountersignError(
    'KEY_FILE',
    `${file} is not the node key that genesis names for ${self.id}.`,
    { details: { file } },
  )
}

async function readTls(
  config: NodeConfig,
): Promise<{ readonly ca: string; readonly certificate: string; readonly key: string }> {
  const { caFile, certificateFile, keyFile } = config.tls
  const [ca, certificate, key] = await Promise.all([
    readConfigured(caFile, 'tls.caFile'),
    readConfigured(certificateFile, 'tls.certificateFile'),
    readConfigured(keyFile, 'tls.keyFile'),
  ])
  return { ca: ca.toString(), certificate: certificate.toString(), key: key.toString() }
}

async function readConfigured(file: string, key: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `\`${key}\`: ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { details: { key, file }, cause },
    )
  }
}

/** Genesis was judged: its keys are keys. */
function publicKeyOf(node: GenesisNode): Uint8Array {
  const decoded = decodePublicKey(node.nodeKey)
  if (decoded.kind === 'ok') return decoded.publicKey
  throw CountersignError.fromRefusal(decoded.refusal)
}
