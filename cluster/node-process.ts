/**
 * One real node as a process: start it, wait until it serves, stop it, kill it, freeze it, start
 * it again on the same data. The launcher, the demo and test/process/ use it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '../src/errors.js'
import { programPath } from './program.js'

export interface NodeProcessOptions {
  readonly id: string
  /** Path of the node's configuration file. */
  readonly config: string
  /** `host:port` of its status endpoint. */
  readonly status: string
  /** Its log is appended here, one JSON object a line. */
  readonly logFile: string
  /** Joined with this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** `src/cli/main.js` of its build; absent: of this one. */
  readonly program?: string
}

export interface OtherBuild {
  /** Its `src/cli/main.js`. */
  readonly program: string
  readonly config: string
}

export interface NodeExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Long enough for a machine that is busy with other work; what is ready earlier returns earlier. */
const readyWithinMs = 120_000
const pollMs = 50

const running = new Set<ChildProcess>()

// Whatever ends this program, it leaves no node behind that nobody knows of.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
// A signal ends a program without `exit`, unless somebody listens; whoever does ends it in order.
for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(128 + number)
  })
}

export class NodeProcess {
  readonly id: string
  readonly #options: NodeProcessOptions
  #child: ChildProcess | undefined
  #exited: Promise<NodeExit> | undefined

  constructor(options: NodeProcessOptions) {
    this.id = options.id
    this.#options = options
  }

  /** Its configuration file, as seen from the working directory. */
  get config(): string {
    return path.relative(process.cwd(), this.#options.config)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /**
   * Starts the process; `environment`, and another build with a configuration that it knows, only
   * for this run. Resolves at once, see {@link ready}.
   */
  start(environment: Readonly<Record<string, string>> = {}, other?: OtherBuild): void {
    const { program = programPath, config } = other ?? this.#options
    if (this.#child !== undefined) throw new Error(`${this.id} is running already`)
    const log = openSync(this.#options.logFile, 'a')
    // A process group of its own: Ctrl-C reaches the launcher, which stops its nodes in order.
    const child = spawn(process.execPath, [program, 'node', '--config', config], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#options.environment, ...environment },
    })
    closeSync(log)
    running.add(child)
    this.#child = child
    this.#exited = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        running.delete(child)
        this.#child = undefined
        resolve({ code, signal })
      })
    })
  }

  /** How the last run ended; pending while it lasts. */
  exited(): Promise<NodeExit> {
    if (this.#exited === undefined) throw new Error(`${this.id} was never started`)
    return this.#exited
  }

  /** Waits until the node knows a leader and has caught up with what it first heard of. */
  async ready(withinMs = readyWithinMs): Promise<void> {
    const deadline = performance.now() + withinMs
    while (!(await this.isReady())) {
      if (this.#child === undefined) {
        const { code, signal } = await this.exited()
        throw new CountersignError(
          'NODES_ENDED',
          `${this.id} ended (${signal ?? `exit code ${code ?? '?'}`}) before it was ready:\n${this.logTail()}`,
        )
      }
      if (performance.now() > deadline) {
        throw new CountersignError(
          'NODE_STARTING',
          `${this.id} was not ready within ${withinMs} ms:\n${this.logTail()}`,
        )
      }
      await delay(pollMs)
    }
  }

  async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://${this.#options.status}/readyz`, {
        signal: AbortSignal.timeout(5000),
      })
      await answer.arrayBuffer()
      return answer.ok
    } catch {
      return false
    }
  }

  /** SIGTERM: the node hands leadership over, closes its stores and exits with 0. */
  stop(): Promise<NodeExit> {
    return this.#end('SIGTERM')
  }

  /** SIGKILL: what was not synced is lost with the process. */
  kill(): Promise<NodeExit> {
    return this.#end('SIGKILL')
  }

  /** SIGSTOP: the process keeps its connections and answers nobody. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** What the node has logged so far, over all its runs. */
  log(): string {
    return readFileSync(this.#options.logFile, 'utf8')
  }

  /** The last lines of the node's log. */
  logTail(lines = 15): string {
    return this.log().trimEnd().split('\n').slice(-lines).join('\n')
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<NodeExit> {
    this.#child?.kill(signal)
    return this.exited()
  }
}
