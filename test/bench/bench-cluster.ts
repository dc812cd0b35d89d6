/** A throw-away cluster of real node processes for measuring, and the people who act on it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stringify } from 'yaml'
import { launch, type RunningCluster } from '../../cluster/launch.js'
import { runProgram } from '../../cluster/program.js'
import { connect, type CountersignClient } from '../../src/client/index.js'
import { toBase64, type Signer } from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'

/** Seven processes that start at once on two cores take their time. */
const readyWithinMs = 120_000

const people = ['alice', 'bob', 'carol'] as const
export type BenchPerson = (typeof people)[number]

/** Who signs, and for which cluster: all that a message needs. */
export interface BenchPeople {
  readonly clusterId: string
  readonly signers: Readonly<Record<BenchPerson, Signer>>
}

export interface BenchCluster extends BenchPeople {
  readonly running: RunningCluster
  connect(): CountersignClient
  /** Stops the nodes and removes every file. */
  remove(): Promise<void>
}

/** Like the example genesis, but one person may hold as many changes open as clients are measured. */
function genesisText(signers: Readonly<Record<BenchPerson, Signer>>): string {
  const need = [{ count: 2, group: 'operators' }]
  const propose = { groups: ['operators'] }
  return stringify(
    {
      name: 'bench',
      people: people.map((id) => ({ id, kind: 'human' })),
      keys: people.map((id) => ({ person: id, publicKey: toBase64(signers[id].publicKeySpki) })),
      groups: [{ name: 'operators', members: [...people] }],
      policies: {
        governance: { format: 1, rules: [{ id: 'governance', paths: ['/sys/**'], propose, need }] },
        prod: { format: 1, rules: [{ id: 'prod', paths: ['/prod/**'], propose, need }] },
      },
      floor: { config: 2, sys: 2, lowRisk: [] },
      coolOff: '0s',
      limits: { openChanges: 10_000, openChangesPerPerson: 1000, revisionsPerChange: 16 },
    },
    // The strict profile of the file knows no aliases.
    { aliasDuplicateObjects: false },
  )
}

export const generateSigners = (): BenchPeople['signers'] => ({
  alice: generateSigner(),
  bob: generateSigner(),
  carol: generateSigner(),
})

export async function startBenchCluster(size = 3): Promise<BenchCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-bench-'))
  const directory = path.join(folder, 'cluster')
  const signers = generateSigners()
  const genesisFile = path.join(folder, 'genesis.yaml')
  await writeFile(genesisFile, genesisText(signers))
  // An address for each node, made from the process id: two benches do not meet.
  const net = `127.${String(100 + ((process.pid >> 8) & 63))}.${String(process.pid & 255)}`
  const nodes = Array.from({ length: size }, (_, n) => n + 1).flatMap((n) => [
    '--node',
    `node-${String(n)}=${net}.${String(n)}`,
  ])
  const made = await runProgram([
    'init',
    '--dir',
    directory,
    '--genesis-file',
    genesisFile,
    ...nodes,
  ])
  if (made.code !== 0) throw new Error(`init failed:\n${made.stderr}`)
  const running = await launch({
    directory,
    environment: { COUNTERSIGN_LOG_LEVEL: 'warn' },
    readyWithinMs,
  })
  const { file } = running
  return {
    clusterId: file.clusterId,
    running,
    signers,
    connect: () => connect({ addresses: file.nodes.map((node) => node.client), ca: file.ca }),
    async remove() {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
