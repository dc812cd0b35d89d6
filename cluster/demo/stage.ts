/** A throw-away cluster for the demo: made, driven as its operators would, and removed. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type CountersignClient, type SignedMessage } from '../../src/client/index.js'
import type { Signer } from '../../src/signing/index.js'
import { readKeyFile } from '../../src/signing/key-file.js'
import { launch, type RunningCluster } from '../launch.js'
import { loopbackHosts } from '../loopback.js'
import { runProgram } from '../program.js'
import type { Narrator } from './narrator.js'

/** What the command line says with `--json`. */
export type Outcome =
  | { readonly ok: true; readonly result: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** How one node sees itself, as far as the demo compares. */
export interface NodeView {
  readonly id: string
  readonly role: string
  readonly appliedIndex: number
  readonly stateDigest: string
  readonly noise: number
}

const settleWithinMs = 20_000
const pollMs = 50

export class Stage {
  readonly directory: string
  readonly cluster: RunningCluster
  readonly client: CountersignClient
  readonly #narrator: Narrator

  private constructor(directory: string, cluster: RunningCluster, narrator: Narrator) {
    this.directory = directory
    this.cluster = cluster
    this.#narrator = narrator
    this.client = connect({
      addresses: cluster.file.nodes.map((node) => node.client),
      ca: cluster.file.ca,
    })
  }

  /** Makes the example cluster of `countersign init` and starts its nodes. */
  static async open(narrator: Narrator): Promise<Stage> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'countersign-demo-'))
    const directory = path.join(folder, 'cluster')
    const places = loopbackHosts(3).map((host, n) => `--node=node-${n + 1}=${host}`)
    const made = await runProgram(['init', '--example', '--dir', directory, ...places])
    if (made.code !== 0) throw new Error(`countersign init failed:\n${made.stderr}${made.stdout}`)
    return new Stage(directory, await launch({ directory }), narrator)
  }

  async close(): Promise<void> {
    this.client.close()
    await this.cluster.stop()
    await rm(path.dirname(this.directory), { recursive: true, force: true })
  }

  /** Runs the command line as a process, shown as a person would type it. */
  async countersign(...words: readonly string[]): Promise<Outcome> {
    this.#narrator.typed(`countersign ${words.map(quoted).join(' ')}`)
    const run = await runProgram([...words, '--dir', this.directory, '--json', '--yes'])
    const line = run.stdout.trim().split('\n').at(-1) ?? ''
    try {
      return JSON.parse(line) as Outcome
    } catch {
      throw new Error(`countersign ${words.join(' ')} gave no JSON: ${run.stdout}${run.stderr}`)
    }
  }

  /** The example keeps the keys of all people in one folder. */
  signerOf(person: string): Promise<Signer> {
    return readKeyFile(path.join(this.directory, 'people', `${person}.key.pem`), {})
  }

  /** What each running node says of itself. */
  async views(): Promise<readonly NodeView[]> {
    const running = this.cluster.file.nodes.filter(({ id }) => this.cluster.node(id).isRunning)
    return Promise.all(
      running.map(async ({ id, client: address }) => {
        const status = await this.client.status(address)
        const { role, appliedIndex, stateDigest, noise } = status
        return { id, role, appliedIndex, stateDigest, noise }
      }),
    )
  }

  /** The newest time that a majority of nodes attested, in ms since the epoch. */
  async logTime(): Promise<number> {
    return (await this.client.status()).logTime
  }

  /** The leader, waiting for an election if there is none just now. */
  async leader(): Promise<string> {
    const leaders = await this.until(
      'a leader',
      async () => {
        const views = await this.views().catch(() => [])
        return views.filter(({ role }) => role === 'leader')
      },
      (found) => found.length === 1,
    )
    return leaders[0]?.id ?? ''
  }

  /** Sends a decision to one node alone; the code of its refusal, or the state that came out. */
  async answerOf(address: string, message: SignedMessage): Promise<string> {
    const { file } = this.cluster
    const client = connect({ addresses: [address], ca: file.ca })
    try {
      return (await client.decide(message)).state ?? 'ACCEPTED'
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error)
    } finally {
      client.close()
    }
  }

  /**
   * Makes a node lead that does not check what it appends: it is started with the option, and the
   * others are stopped in turn until leadership has come round to it.
   */
  async cheatingLeader(): Promise<string> {
    const [cheat] = this.cluster.nodes
    if (cheat === undefined) throw new Error('There is no node.')
    await cheat.stop()
    cheat.start({ COUNTERSIGN_TEST_OPTIONS: '1', COUNTERSIGN_TEST_ADMIT_FORGED: 'true' })
    await cheat.ready()
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const leader = await this.leader()
      if (leader === cheat.id) return leader
      await this.settled()
      await this.#restart(leader)
    }
    throw new Error(`${cheat.id} did not come to lead.`)
  }

  async honestAgain(id: string): Promise<void> {
    await this.#restart(id)
  }

  async #restart(id: string): Promise<void> {
    const node = this.cluster.node(id)
    await node.stop()
    await this.leader()
    node.start()
    await node.ready()
  }

  /** Waits until all running nodes have applied the same index, and gives their views then. */
  settled(): Promise<readonly NodeView[]> {
    return this.until(
      'all nodes to apply the same index',
      () => this.views(),
      (views) => new Set(views.map((view) => view.appliedIndex)).size === 1,
    )
  }

  async until<T>(what: string, ask: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
    const deadline = performance.now() + settleWithinMs
    for (;;) {
      const value = await ask()
      if (good(value)) return value
      if (performance.now() > deadline) throw new Error(`Waited too long for ${what}.`)
      await delay(pollMs)
    }
  }
}

export function sameDigest(views: readonly NodeView[]): boolean {
  return new Set(views.map((view) => view.stateDigest)).size === 1
}

const quoted = (word: string) => (/^[\w./:=@-]+$/.test(word) ? word : JSON.stringify(word))
