/** A throw-away cluster of real node processes behind proxies: made, broken, healed, removed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { launch, type RunningCluster } from '../launch.js'
import { loopbackHosts } from '../loopback.js'
import type { NodeProcess, OtherBuild } from '../node-process.js'
import { runProgram } from '../program.js'
import type { Journal } from './journal.js'
import { Links, type Place } from './links.js'

/** What may be done to the material before the nodes start. */
export interface Plan {
  readonly directory: string
  /** Ids of the nodes of genesis. */
  readonly nodes: readonly string[]
  /** Joined with the environment of every node. */
  readonly environment: Record<string, string>
  /** Of the nodes, when it is not the one of this build. */
  program?: string
  /** Run when the cluster has stopped, the last one first. */
  readonly cleanUps: (() => Promise<void>)[]
}

export interface ArenaOptions {
  readonly nodes: number
  readonly journal: Journal
  /** Leave the folder of the run. */
  readonly keep: boolean
  readonly prepare: (plan: Plan) => Promise<void>
  /** Command line that founds the cluster, when it is not the one of this build. */
  readonly foundedBy: string | undefined
}

/**
 * Short times, so that a run of seconds sees elections. Ten heartbeats fit into the shortest
 * silence that is allowed, as operators are told to keep it. A leader that is cut off believes in
 * itself for as long as `electionTicksMax`: long enough to be seen beside its successor.
 */
const timing = { heartbeatTicks: 5, electionTicksMin: 50, electionTicksMax: 150 }
/** So few that snapshots are made, fetched and resumed within seconds. */
export const raftSettings = { ...timing, snapshotEntries: 300, keptEntries: 100 }
export const electionTimeoutMs = 1000

export const nodeFolder = (directory: string, id: string) => path.join(directory, 'nodes', id)

export class Arena {
  readonly directory: string
  readonly journal: Journal
  readonly cluster: RunningCluster
  readonly links: Links
  /** Nodes that ended without being told to. */
  readonly endedByThemselves: string[] = []
  /** Processes that were ended with SIGKILL. */
  kills = 0
  readonly #plan: Plan
  readonly #keep: boolean
  readonly #mayEnd = new Set<string>()
  readonly #frozen = new Set<string>()
  #idsGiven = 0

  private constructor(plan: Plan, cluster: RunningCluster, links: Links, options: ArenaOptions) {
    this.#plan = plan
    this.directory = plan.directory
    this.cluster = cluster
    this.links = links
    this.journal = options.journal
    this.#keep = options.keep
    for (const node of cluster.nodes) this.#watchOver(node)
  }

  static async open(options: ArenaOptions): Promise<Arena> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'countersign-chaos-'))
    const directory = path.join(folder, 'cluster')
    const hosts = loopbackHosts(options.nodes)
    const nodes = hosts.map((_, n) => `node-${n + 1}`)
    const plan: Plan = { directory, nodes, environment: {}, cleanUps: [] }
    plan.cleanUps.push(async () => {
      if (!options.keep) await rm(folder, { recursive: true, force: true })
    })
    try {
      const places = hosts.map((host, n) => `--node=${nodes[n] ?? ''}=${host}`)
      const words = ['init', '--example', '--dir', directory, ...places]
      const { foundedBy } = options
      const made = await runProgram(words, foundedBy === undefined ? {} : { program: foundedBy })
      if (made.code !== 0) throw new Error(`countersign init failed:\n${made.stderr}${made.stdout}`)
      const links = await Links.open(await Promise.all(nodes.map((id) => placeOf(directory, id))))
      plan.cleanUps.push(() => links.close())
      for (const id of nodes) {
        await configure(directory, id, { peers: links.peersOf(id), raft: raftSettings })
      }
      await options.prepare(plan)
      const { environment, program } = plan
      const cluster = await launch({ directory, environment, ...(program && { program }) })
      return new Arena(plan, cluster, links, options)
    } catch (error) {
      await cleanUp(plan)
      throw error
    }
  }

  get nodes(): readonly NodeProcess[] {
    return this.cluster.nodes
  }

  get ids(): readonly string[] {
    return this.nodes.map(({ id }) => id)
  }

  /** Of a node that joins: ids are used once. */
  newId(): string {
    this.#idsGiven += 1
    return `node-${this.ids.length + this.#idsGiven}`
  }

  async kill(...ids: readonly string[]): Promise<void> {
    await this.#end('kill', ids)
  }

  /** SIGTERM: the node hands leadership over and closes its stores. */
  async stop(...ids: readonly string[]): Promise<void> {
    await this.#end('stop', ids)
  }

  /** The node may end by itself from now on, until it is started again. */
  mayEnd(id: string): void {
    this.#mayEnd.add(id)
  }

  async start(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#start(id)
  }

  /** With another build, until it is started again; it gets a configuration without new keys. */
  async startOther(id: string, program: string): Promise<void> {
    const file = configFile(this.directory, id)
    const known = JSON.parse(await readFile(file, 'utf8')) as Record<string, object>
    const config = path.join(path.dirname(file), 'node-other.json')
    await writeFile(config, JSON.stringify({ ...known, raft: timing }))
    await this.#start(id, { program, config })
  }

  freeze(id: string): void {
    this.#frozen.add(id)
    this.cluster.node(id).freeze()
  }

  thaw(id: string): void {
    this.#frozen.delete(id)
    this.cluster.node(id).thaw()
  }

  /** Ends every fault of links and processes, and waits until all nodes serve. */
  async heal(): Promise<void> {
    await this.links.heal()
    for (const id of this.#frozen) this.thaw(id)
    await this.start(...this.nodes.filter((node) => !node.isRunning).map(({ id }) => id))
    await Promise.all(this.nodes.map((node) => node.ready(60_000)))
  }

  async close(): Promise<void> {
    for (const id of this.#frozen) this.thaw(id)
    for (const { id } of this.nodes) this.#mayEnd.add(id)
    await this.cluster.stop()
    await cleanUp(this.#plan)
    if (this.#keep) this.journal.note('phase', `kept in ${this.directory}`)
  }

  async #start(id: string, other?: OtherBuild): Promise<void> {
    await this.links.setDead(id, false)
    this.#mayEnd.delete(id)
    const node = this.cluster.node(id)
    node.start({}, other)
    this.#watchOver(node)
  }

  async #end(how: 'kill' | 'stop', ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const node = this.cluster.node(id)
        if (!node.isRunning) return
        this.#mayEnd.add(id)
        if (this.#frozen.has(id)) this.thaw(id)
        if (how === 'kill') this.kills += 1
        await (how === 'kill' ? node.kill() : node.stop())
        await this.links.setDead(id, true)
      }),
    )
  }

  /** A node that ends although nobody ended it has met a broken assertion, or worse. */
  #watchOver(node: NodeProcess): void {
    void node.exited().then(async ({ code, signal }) => {
      if (this.#mayEnd.has(node.id)) return
      this.endedByThemselves.push(node.id)
      const how = signal ?? `exit code ${String(code)}`
      this.journal.note('trouble', `ended by itself (${how}): ${node.logTail(1)}`, [node.id])
      await this.links.setDead(node.id, true)
    })
  }
}

async function cleanUp({ cleanUps }: Plan): Promise<void> {
  for (const step of [...cleanUps].reverse()) await step()
}

const configFile = (directory: string, id: string) =>
  path.join(nodeFolder(directory, id), 'node.json')

async function placeOf(directory: string, id: string): Promise<Place> {
  const text = await readFile(configFile(directory, id), 'utf8')
  const { listen } = JSON.parse(text) as { readonly listen: { readonly peer: string } }
  const [host = '', port = ''] = listen.peer.split(':')
  return { id, host, port: Number(port) }
}

/** Adds keys to a node's configuration file; sections are joined. */
export async function configure(
  directory: string,
  id: string,
  keys: Readonly<Record<string, object>>,
): Promise<void> {
  const file = configFile(directory, id)
  const before = JSON.parse(await readFile(file, 'utf8')) as Record<string, object>
  const sections = Object.entries(keys).map(([name, section]) => [
    name,
    { ...before[name], ...section },
  ])
  const after = { ...before, ...(Object.fromEntries(sections) as object) }
  await writeFile(file, `${JSON.stringify(after, null, 2)}\n`)
}
