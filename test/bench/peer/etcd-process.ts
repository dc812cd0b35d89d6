/** A throw-away cluster of three etcd processes (Debian's `etcd-server`), at etcd's own defaults. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const clientPort = 2379
const peerPort = 2380
const readyWithinMs = 60_000

const running = new Set<ChildProcess>()

// Whatever ends this program, it leaves no etcd behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface EtcdMember {
  readonly id: string
  /** host:port of its client listener. */
  readonly address: string
  readonly directory: string
  readonly pid: number
  readonly isRunning: boolean
  start(): void
  signal(name: NodeJS.Signals): void
  exited(): Promise<void>
}

export interface EtcdProcesses {
  readonly version: string
  readonly members: readonly EtcdMember[]
  remove(): Promise<void>
}

/** The installed version; throws with what to install. */
export function etcdVersion(): string {
  const asked = spawnSync('etcd', ['--version'], { encoding: 'utf8' })
  const version = /etcd Version: (\S+)/.exec(asked.stdout)?.[1]
  if (version !== undefined) return version
  throw new Error('etcd is not installed. On Debian: apt-get install etcd-server')
}

export async function startEtcd(): Promise<EtcdProcesses> {
  const version = etcdVersion()
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-bench-etcd-'))
  const net = `127.${String(164 + ((process.pid >> 8) & 63))}.${String(process.pid & 255)}`
  const places = [1, 2, 3].map((n) => ({ id: `etcd-${String(n)}`, host: `${net}.${String(n)}` }))
  const initial = places.map(({ id, host }) => `${id}=http://${host}:${String(peerPort)}`).join(',')
  const members = places.map(({ id, host }) => new Etcd({ id, host, folder, initial }))
  for (const member of members) member.start()
  const remove = async () => {
    for (const member of members) if (member.isRunning) member.signal('SIGKILL')
    await Promise.all(members.map((member) => member.exited()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(members.map((member) => member.healthy()))
  } catch (thrown) {
    await remove()
    throw thrown
  }
  return { version, members, remove }
}

class Etcd implements EtcdMember {
  readonly id: string
  readonly address: string
  readonly directory: string
  readonly #host: string
  readonly #initial: string
  readonly #logFile: string
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()

  constructor(options: {
    readonly id: string
    readonly host: string
    readonly folder: string
    readonly initial: string
  }) {
    this.id = options.id
    this.#host = options.host
    this.#initial = options.initial
    this.address = `${options.host}:${String(clientPort)}`
    this.directory = path.join(options.folder, options.id)
    this.#logFile = path.join(options.folder, `${options.id}.log`)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  start(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 })
    const log = openSync(this.#logFile, 'a')
    const peer = `http://${this.#host}:${String(peerPort)}`
    const client = `http://${this.address}`
    const child = spawn(
      'etcd',
      [
        ...['--name', this.id, '--data-dir', this.directory],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--initial-cluster', this.#initial, '--initial-cluster-state', 'new'],
        ...['--logger', 'zap', '--log-level', 'error'],
      ],
      { stdio: ['ignore', log, log], detached: true },
    )
    closeSync(log)
    running.add(child)
    this.#child = child
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        running.delete(child)
        this.#child = null
        resolve()
      })
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  exited(): Promise<void> {
    return this.#exited
  }

  async healthy(): Promise<void> {
    const until = performance.now() + readyWithinMs
    while (performance.now() < until) {
      if (this.#child === null) break
      const answer = await fetch(`http://${this.address}/health`).catch(() => null)
      if (answer?.ok === true && (await answer.text()).includes('"true"')) return
      await delay(20)
    }
    const log = await readFile(this.#logFile, 'utf8')
    throw new Error(`${this.id} did not become healthy:\n${log.slice(-2000)}`)
  }
}
