/** Three nodes in one process: real cores and machines, memory stores, peers in memory. */
import { pino } from 'pino'
import type { Genesis, GenesisNode } from '../../src/approval/index.js'
import { decodeGenesis } from '../../src/approval/index.js'
import { exampleFounding, examplePeople, makeGenesis } from '../../src/cli/founding/genesis.js'
import {
  composeDecision,
  composePropose,
  sign,
  type SignedMessage,
} from '../../src/client/index.js'
import { ClusterNode } from '../../src/node/cluster-node.js'
import { systemClock } from '../../src/node/clock.js'
import type { Clock } from '../../src/node/ports.js'
import { recoverNode } from '../../src/node/recover-node.js'
import { membersOf, Raft } from '../../src/raft/index.js'
import {
  encodeCanonical,
  sha256Hex,
  toBase64,
  verifyStrict,
  type Json,
  type Signer,
} from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'
import {
  MemoryLogDisk,
  MemorySnapshotDisk,
  MemoryStateDisk,
  type LogStore,
} from '../../src/storage/index.js'
import { MemoryNetwork } from './memory-network.js'

export type PersonId = 'alice' | 'bob' | 'carol' | 'agent'

const mebibyte = 1024 * 1024

/** What survives when a node goes. */
export interface Disk {
  readonly log: MemoryLogDisk
  readonly state: MemoryStateDisk
  readonly snapshots: MemorySnapshotDisk
}

export interface InProcessOptions {
  readonly nodes?: number
  readonly clock?: Clock
  readonly admitForged?: boolean
  /** Applied entries after which a snapshot is saved; none is, when left out. */
  readonly snapshotEntries?: number
  /** Entries kept behind a snapshot. */
  readonly keptEntries?: number
  /** Wraps the log store of a node: for faults. */
  readonly logStore?: (id: string, store: LogStore) => LogStore
}

export class InProcessCluster {
  readonly genesis: Genesis
  readonly clusterId: string
  readonly people: Readonly<Record<PersonId, Signer>>
  readonly network = new MemoryNetwork()
  readonly running = new Map<string, ClusterNode>()
  readonly failures = new Map<string, unknown>()
  readonly #options: InProcessOptions
  readonly #nodeKeys = new Map<string, Signer>()
  readonly #disks = new Map<string, Disk>()

  constructor(options: InProcessOptions = {}) {
    this.#options = options
    const signers = Object.fromEntries(examplePeople.map(({ id }) => [id, generateSigner()]))
    this.people = signers as Record<PersonId, Signer>
    const nodes = Array.from({ length: options.nodes ?? 3 }, (_, at) => this.found(at + 1))
    const keys = examplePeople.map(({ id, uses }) => ({
      keyId: this.people[id as PersonId].keyId,
      person: id,
      algorithm: 'ed25519' as const,
      publicKey: toBase64(this.people[id as PersonId].publicKeySpki),
      uses,
      status: 'active' as const,
    }))
    const clock = options.clock ?? systemClock
    const made = makeGenesis(exampleFounding(keys), nodes, clock.wallMs())
    const decoded = decodeGenesis(encodeCanonical(made as unknown as Json))
    if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
    this.genesis = decoded.genesis
    this.clusterId = decoded.clusterId
  }

  get ids(): readonly string[] {
    return this.genesis.nodes.map(({ id }) => id)
  }

  async startAll(): Promise<void> {
    for (const id of this.ids) await this.start(id)
  }

  async start(id: string): Promise<ClusterNode> {
    const disk = this.disk(id)
    const { genesis, clusterId } = this
    const snapshotStore = await disk.snapshots.open()
    const { logStore: plain, recovered } = disk.log.open()
    const wrap = this.#options.logStore ?? ((_id, store) => store)
    const logStore = wrap(id, plain)
    const stateStore = disk.state.open()
    const { machine, raft, configuration } = await recoverNode({
      genesis,
      clusterId,
      logStore,
      recovered,
      stateStore,
      snapshotStore,
    })
    const ticks = { tickMs: 5, heartbeatTicks: 5, electionTicksMin: 20, electionTicksMax: 40 }
    const nodeKey = this.#nodeKeys.get(id)
    if (nodeKey === undefined) throw new Error(`${id} was not founded`)
    const node = new ClusterNode({
      identity: { nodeId: id, clusterId, incarnation: '00'.repeat(16) },
      version: 'test',
      clientAddress: `${id}:7200`,
      raft: new Raft({
        id,
        ...raft,
        ...ticks,
        refusalTicksMax: 4,
        limits: {
          appendBytesMax: mebibyte,
          inflightMessagesMax: 256,
          inflightBytesMax: 8 * mebibyte,
          uncommittedBytesMax: 64 * mebibyte,
          applyingBytesMax: 16 * mebibyte,
          keptEntries: this.#options.keptEntries ?? 1000,
          pinTicksMax: 6000,
          pinnedBytesMax: 64 * mebibyte,
        },
        random: Math.random,
        trace: false,
      }),
      machine,
      verify: verifyStrict,
      logStore,
      stateStore,
      snapshotStore,
      snapshots: {
        snapshotEntries: this.#options.snapshotEntries ?? Number.MAX_SAFE_INTEGER,
        snapshotBytes: Number.MAX_SAFE_INTEGER,
      },
      committed: configuration,
      peers: this.network.peers(id, clusterId),
      known: genesis.nodes,
      addresses: {},
      clock: this.#options.clock ?? systemClock,
      defer: setImmediate,
      log: pino({ level: process.env['TEST_LOG'] ?? 'silent', base: { node: id } }),
      nodeKey,
      ticks,
      limits: { commandsInFlightMax: 1000, watchersMax: 10 },
      admitForged: this.#options.admitForged ?? false,
      configuration: {},
      failed: (thrown) => this.failures.set(id, thrown),
    })
    this.running.set(id, node)
    await node.start()
    return node
  }

  disk(id: string): Disk {
    let disk = this.#disks.get(id)
    if (disk === undefined) {
      const snapshots = new MemorySnapshotDisk(this.clusterId)
      const log = new MemoryLogDisk(this.clusterId, snapshots)
      disk = { log, state: new MemoryStateDisk(), snapshots }
      this.#disks.set(id, disk)
    }
    return disk
  }

  /** As SIGKILL: nothing is handed over, the others find the port closed. */
  async kill(id: string): Promise<void> {
    const node = this.running.get(id)
    this.running.delete(id)
    this.network.cut(id)
    await node?.stop()
  }

  async stopAll(): Promise<void> {
    for (const id of [...this.running.keys()]) await this.kill(id)
  }

  node(id: string): ClusterNode {
    const node = this.running.get(id)
    if (node === undefined) throw new Error(`${id} does not run`)
    return node
  }

  /** Waits for one leader that is ready and that all running nodes (but one) follow. */
  async leader(except?: string): Promise<ClusterNode> {
    let found: ClusterNode | undefined
    await until(() => {
      const nodes = [...this.running]
        .filter(([id, node]) => id !== except && this.#takesPart(id, node))
        .map(([, node]) => node)
      found = nodes.find((node) => node.status().raft.role === 'leader' && node.status().ready)
      const leader = found?.status().nodeId
      return leader !== undefined && nodes.every((node) => node.status().raft.leader === leader)
    })
    if (found === undefined) throw new Error('no leader')
    return found
  }

  /** Neither cut off by a test, nor removed, nor waiting to be taken in. */
  #takesPart(id: string, node: ClusterNode): boolean {
    const { raft, removed } = node.status()
    const isMember = membersOf(raft.configuration).includes(id)
    return isMember && !removed && !this.network.isIsolated(id)
  }

  propose(person: PersonId, path: string, value: Json, modRevision = 0): Proposal {
    const signer = this.people[person]
    const composed = composePropose({
      clusterId: this.clusterId,
      person,
      keyId: signer.keyId,
      title: `Set ${path}`,
      ops: [{ action: 'put', path, value }],
      base: [{ path, modRevision }],
    })
    return { changeId: composed.body.changeId, message: sign(composed, signer) }
  }

  /** Alice changes what governs the cluster (null deletes), bob and carol approve it. */
  async govern(changes: Readonly<Record<string, Json | null>>): Promise<void> {
    const leader = await this.leader()
    const signer = this.people.alice
    const base = await Promise.all(
      Object.keys(changes).map(async (path) => {
        const { value: entry } = await leader.read('linearizable', (reads) => reads.get(path))
        return { path, modRevision: entry?.modRevision ?? 0 }
      }),
    )
    const composed = composePropose({
      clusterId: this.clusterId,
      person: 'alice',
      keyId: signer.keyId,
      title: 'Change the nodes',
      ops: Object.entries(changes).map(([path, value]) =>
        value === null ? { action: 'delete', path } : { action: 'put', path, value },
      ),
      base,
    })
    const results = [await leader.submit(command(sign(composed, signer)))]
    for (const person of ['bob', 'carol'] as const) {
      const message = await this.approve(person, composed.body.changeId, leader)
      results.push(await leader.submit(command(message)))
    }
    const last = results.at(-1)
    if (last?.kind !== 'accepted') throw new Error(JSON.stringify(results))
  }

  /** Signs what the change looks like on this node. */
  async approve(person: PersonId, changeId: string, node: ClusterNode): Promise<SignedMessage> {
    const signer = this.people[person]
    const { value: change } = await node.read('linearizable', (reads) =>
      reads.change(changeId, person),
    )
    if (change === undefined) throw new Error(`no change ${changeId}`)
    const { clusterId } = this
    const { keyId } = signer
    return sign(composeDecision({ clusterId, person, keyId, decision: 'approve', change }), signer)
  }

  /** The document of a node that is to be added; its key is known from now on. */
  found(number: number, role: 'voter' | 'learner' = 'voter'): GenesisNode {
    const id = `node-${String(number)}`
    const nodeKey = generateSigner()
    this.#nodeKeys.set(id, nodeKey)
    return {
      id,
      owner: 'test',
      address: `${id}:7100`,
      role,
      incarnation: sha256Hex(Buffer.from(id)).slice(0, 32),
      nodeKey: toBase64(nodeKey.publicKeySpki),
      logKey: toBase64(generateSigner().publicKeySpki),
      cosignerKey: toBase64(generateSigner().publicKeySpki),
    }
  }
}

export interface Proposal {
  readonly changeId: string
  readonly message: SignedMessage
}

export function command(message: SignedMessage): {
  readonly kind: 'submit'
  readonly envelope: SignedMessage['envelope']
  readonly detached: readonly Uint8Array[]
} {
  return { kind: 'submit', envelope: message.envelope, detached: message.detached }
}

/** Polls a condition that other turns of the loop bring about; the test's time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setTimeout(next, 2))
}
