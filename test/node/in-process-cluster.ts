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
import { recoverState } from '../../src/node/recover-state.js'
import { logIndex, Raft } from '../../src/raft/index.js'
import {
  decodePublicKey,
  encodeCanonical,
  sha256Hex,
  toBase64,
  type Json,
  type Signer,
} from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'
import { createVerifyAhead } from '../../src/signing/verify-ahead.js'
import { MemoryLogDisk, MemoryStateDisk, type LogStore } from '../../src/storage/index.js'
import { MemoryNetwork } from './memory-network.js'

export type PersonId = 'alice' | 'bob' | 'carol' | 'agent'

const mebibyte = 1024 * 1024

export interface InProcessOptions {
  readonly nodes?: number
  readonly clock?: Clock
  readonly admitForged?: boolean
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
  readonly #disks = new Map<string, { log: MemoryLogDisk; state: MemoryStateDisk }>()

  constructor(options: InProcessOptions = {}) {
    this.#options = options
    const signers = Object.fromEntries(examplePeople.map(({ id }) => [id, generateSigner()]))
    this.people = signers as Record<PersonId, Signer>
    const nodes = Array.from({ length: options.nodes ?? 3 }, (_, at) => this.#found(at + 1))
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
    const { logStore, recovered } = disk.log.open()
    const stateStore = disk.state.open()
    const { genesis, clusterId } = this
    const { machine, appliedIndex } = await recoverState({
      genesis,
      clusterId,
      stateStore,
      lastIndex: recovered.entries.at(-1)?.index ?? 0,
    })
    const ticks = { tickMs: 5, heartbeatTicks: 5, electionTicksMin: 20, electionTicksMax: 40 }
    const nodeKey = this.#nodeKeys.get(id)
    if (nodeKey === undefined) throw new Error(`${id} is not in genesis`)
    const wrap = this.#options.logStore ?? ((_id, store) => store)
    const node = new ClusterNode({
      identity: { nodeId: id, clusterId, incarnation: '00'.repeat(16) },
      version: 'test',
      clientAddress: `${id}:7200`,
      raft: new Raft({
        id,
        voters: this.ids,
        hardState: recovered.hardState,
        entries: recovered.entries,
        applied: logIndex(appliedIndex),
        ...ticks,
        refusalTicksMax: 4,
        limits: {
          appendBytesMax: mebibyte,
          inflightMessagesMax: 256,
          inflightBytesMax: 8 * mebibyte,
          uncommittedBytesMax: 64 * mebibyte,
          applyingBytesMax: 16 * mebibyte,
        },
        random: Math.random,
        trace: false,
      }),
      machine,
      verify: createVerifyAhead().verify,
      logStore: wrap(id, logStore),
      stateStore,
      peers: this.network.peers(id, this.ids, clusterId),
      clock: this.#options.clock ?? systemClock,
      defer: setImmediate,
      log: pino({ level: process.env['TEST_LOG'] ?? 'silent', base: { node: id } }),
      nodeKey,
      nodeKeys: new Map(genesis.nodes.map((each) => [each.id, publicKeyOf(each)])),
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

  /** What survives when a node goes. */
  disk(id: string): { log: MemoryLogDisk; state: MemoryStateDisk } {
    let disk = this.#disks.get(id)
    if (disk === undefined) {
      disk = { log: new MemoryLogDisk(), state: new MemoryStateDisk() }
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

  /** Waits for one leader that is ready and that all running nodes follow. */
  async leader(): Promise<ClusterNode> {
    let found: ClusterNode | undefined
    await until(() => {
      const nodes = [...this.running.values()]
      found = nodes.find((node) => node.status().raft.role === 'leader' && node.status().ready)
      const leader = found?.status().nodeId
      return leader !== undefined && nodes.every((node) => node.status().raft.leader === leader)
    })
    if (found === undefined) throw new Error('no leader')
    return found
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

  #found(number: number): GenesisNode {
    const id = `node-${String(number)}`
    const nodeKey = generateSigner()
    this.#nodeKeys.set(id, nodeKey)
    return {
      id,
      owner: 'test',
      address: `${id}:7100`,
      role: 'voter',
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

function publicKeyOf(node: GenesisNode): Uint8Array {
  const decoded = decodePublicKey(node.nodeKey)
  if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
  return decoded.publicKey
}
