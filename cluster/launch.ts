/**
 * Several nodes of one cluster directory as processes on this machine. `npm start`,
 * `countersign up`, the demo and tests start clusters with it.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { connect } from '../src/client/index.js'
import { CountersignError } from '../src/errors.js'
import { readClusterFile, type ClusterFile } from './cluster-file.js'
import { NodeProcess } from './node-process.js'

export interface LaunchOptions {
  /** Where `countersign init` put the cluster. */
  readonly directory: string
  /** Ids of the nodes to start; absent: all. */
  readonly nodes?: readonly string[]
  /** Joined with the environment of every node. */
  readonly environment?: Readonly<Record<string, string>>
  /** Time for each node to become ready; as NodeProcess has it when absent. */
  readonly readyWithinMs?: number
  /** Another build's `src/cli/main.js`. */
  readonly program?: string
  /** Aborting while the nodes start stops them and rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface RunningCluster {
  readonly file: ClusterFile
  readonly nodes: readonly NodeProcess[]
  /** The process of this node. */
  node(id: string): NodeProcess
  /** Asks the nodes who leads; undefined while nobody does. */
  leader(): Promise<string | undefined>
  /** Stops every node that runs and waits for their ends. */
  stop(): Promise<void>
}

const logFileOf = (directory: string, id: string) => path.join(directory, 'logs', `${id}.log`)

/** Keeps the log of the run before beside the new one. */
async function setAsideLog(file: string): Promise<void> {
  await rename(file, `${file}.1`).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  })
}

/** Another program at one of our addresses would otherwise be taken for the node that we start. */
async function refuseTaken(id: string, address: string): Promise<void> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  const isTaken = await new Promise<boolean>((resolve) => {
    const socket = net.connect({ host, port: Number(address.slice(colon + 1)) })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
  if (isTaken) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `${id}: another program answers at ${address}. Is this cluster running already?`,
      {
        details: {
          node: id,
          address,
          next: 'Look at `countersign status`; stop what runs there, or give the node another address.',
        },
      },
    )
  }
}

/**
 * Starts the nodes and waits until each is ready, which means that a leader serves. If one fails,
 * all are stopped and the error carries the end of its log.
 */
export async function launch(options: LaunchOptions): Promise<RunningCluster> {
  const directory = path.resolve(options.directory)
  const file = await readClusterFile(directory)
  if (file === undefined) {
    throw new CountersignError(
      'INPUT_INVALID',
      `There is no cluster in ${directory}. Make one with \`countersign init\`.`,
    )
  }
  await mkdir(path.join(directory, 'logs'), { recursive: true })
  const wanted = file.nodes.filter(
    ({ id, joined, config }) =>
      // The folder of an added node may lie on another machine.
      (options.nodes?.includes(id) ?? true) && (!joined || existsSync(config)),
  )
  const nodes = wanted.map(
    ({ id, config, status }) =>
      new NodeProcess({
        ...{ id, config, status, logFile: logFileOf(directory, id) },
        ...(options.environment && { environment: options.environment }),
        ...(options.program && { program: options.program }),
      }),
  )
  const stop = async () => {
    await Promise.all(nodes.filter((node) => node.isRunning).map((node) => node.stop()))
  }
  await Promise.all(
    wanted.flatMap(({ id, client, status }) =>
      [client, status].map((address) => refuseTaken(id, address)),
    ),
  )
  for (const { id } of nodes) await setAsideLog(logFileOf(directory, id))
  for (const node of nodes) node.start()
  try {
    // An added node is ready when an approved change takes it in: nobody waits for that.
    const founders = nodes.filter((_, i) => wanted[i]?.joined !== true)
    await orAborted(
      Promise.all(founders.map((node) => node.ready(options.readyWithinMs))),
      options.signal,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...{ file, nodes, stop },
    node: (id) => {
      const found = nodes.find((node) => node.id === id)
      if (found === undefined) throw new Error(`${id} is not a node that was launched here`)
      return found
    },
    leader: () => askForLeader(file, nodes),
  }
}

async function orAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await work
    return
  }
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => {
      reject(
        new CountersignError('CANCELLED', 'Stopped before the cluster was ready.', {
          cause: signal.reason,
          details: { next: 'The nodes have stopped; `countersign up` starts them again.' },
        }),
      )
    }
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
  // Stopped nodes end before they are ready; after an abort nobody waits for that report.
  work.catch(() => undefined)
  await Promise.race([work, aborted])
}

async function askForLeader(
  file: ClusterFile,
  nodes: readonly NodeProcess[],
): Promise<string | undefined> {
  const client = connect({ addresses: file.nodes.map((node) => node.client), ca: file.ca })
  try {
    for (const { id, client: address } of file.nodes) {
      if (!nodes.some((node) => node.id === id && node.isRunning)) continue
      // A node that is just stopping has no answer; the next one has.
      const status = await client.status(address, { deadlineMs: 5000 }).catch(() => undefined)
      if (status?.role === 'leader') return id
    }
    return undefined
  } finally {
    client.close()
  }
}

export interface RunOptions extends LaunchOptions {
  /** How this user calls the command line: `countersign`, or `npx --no countersign`. */
  readonly calledAs: string
  /** Printed when the cluster serves. */
  readonly next: readonly string[]
  readonly print: (line: string) => void
  /** For programs: told once, when the cluster serves. */
  readonly serving?: (file: ClusterFile, leader: string | undefined) => void
}

/**
 * Runs the cluster in the foreground until SIGINT, SIGTERM or SIGHUP, or until its last node has
 * ended by itself. A node that ends alone is reported, and the others go on: a cluster is made for
 * that. Returns the exit code.
 */
export async function runCluster(options: RunOptions): Promise<number> {
  const { print } = options
  const controller = new AbortController()
  const stopAsked = new Promise<'asked'>((resolve) => {
    // Stays registered: a second Ctrl-C must not cut the nodes' own clean stop short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        controller.abort(signal)
        resolve('asked')
      })
    }
  })
  print('Starting the nodes ...')
  const cluster = await launch({ ...options, signal: controller.signal })
  const leader = await cluster.leader()
  options.serving?.(cluster.file, leader)
  printAddresses(cluster.file, leader, print)
  for (const line of options.next) print(line)
  const allEnded = Promise.all(
    cluster.nodes.map(async (node) => {
      const { signal, code } = await node.exited()
      if (controller.signal.aborted) return
      print(`\n${node.id} ended by itself (${signal ?? `exit code ${String(code)}`}).`)
      if (signal === null) print(`Its last lines:\n${node.logTail()}`)
      print(
        `Start it again, in another terminal:\n  ${options.calledAs} node --config ${node.config}`,
      )
    }),
  )
  const why = await Promise.race([stopAsked, allEnded])
  if (why === 'asked') print('\nStopping the nodes ...')
  await cluster.stop()
  print('All nodes have stopped; their data stays.')
  return why === 'asked' ? 0 : 1
}

function printAddresses(
  file: ClusterFile,
  leader: string | undefined,
  print: (line: string) => void,
): void {
  print('')
  print(`Cluster ${file.name} (${file.clusterId.slice(0, 16)}) serves.`)
  for (const { id, client, status } of file.nodes) {
    const role = id === leader ? 'leader' : ''
    print(
      `  ${id.padEnd(8)} clients ${client.padEnd(17)} page http://${status}/  ${role}`.trimEnd(),
    )
  }
  print(`  logs     ${path.relative(process.cwd(), path.join(file.directory, 'logs'))}`)
}
