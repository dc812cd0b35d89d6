/** A program of this build as a child process with a time limit. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  /** Null when it was ended by a signal. */
  readonly code: number | null
  readonly stdout: readonly string[]
  /** The last lines that it wrote to stderr. */
  readonly said: readonly string[]
  readonly seconds: number
  readonly timedOut: boolean
}

export interface ChildOptions {
  /** Below `dist/`, e.g. `cluster/chaos.js`. */
  readonly program: string
  readonly parameters: readonly string[]
  readonly limitSeconds: number
  readonly signal: AbortSignal
  /** Now and then: how long it has run, and the last line of stderr. */
  readonly progress: (seconds: number, said: string) => void
}

const progressEveryMs = 10_000
const saidMax = 30
/** A program that is told to end takes its own processes and folders with it; that needs time. */
const graceMs = 90_000

/** Resolves when the program has ended: by itself, by its limit, or since `signal` was aborted. */
export async function runChild(options: ChildOptions): Promise<Ended> {
  const startedMs = performance.now()
  const program = fileURLToPath(new URL(`../../${options.program}`, import.meta.url))
  // A group of its own: Ctrl-C reaches this program, which then ends its children in order.
  const child = spawn(process.execPath, [program, ...options.parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const stdout = new Lines(Infinity)
  const stderr = new Lines(saidMax)
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout.add(part)
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr.add(part)
  })
  const seconds = () => Math.round((performance.now() - startedMs) / 1000)
  const shown = setInterval(() => {
    options.progress(seconds(), stderr.last)
  }, progressEveryMs)
  let killed: NodeJS.Timeout | undefined
  const end = () => {
    child.kill('SIGTERM')
    killed ??= setTimeout(() => child.kill('SIGKILL'), graceMs)
  }
  let timedOut = false
  const limit = setTimeout(() => {
    timedOut = true
    end()
  }, options.limitSeconds * 1000)
  options.signal.addEventListener('abort', end, { once: true })
  if (options.signal.aborted) end()
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, stdout: stdout.all, said: stderr.all, seconds: seconds(), timedOut }
  } finally {
    clearInterval(shown)
    clearTimeout(limit)
    clearTimeout(killed)
    options.signal.removeEventListener('abort', end)
  }
}

/** Text that comes in pieces, as lines; the first ones are forgotten above a number. */
class Lines {
  readonly #max: number
  #lines: string[] = []
  #rest = ''

  constructor(max: number) {
    this.#max = max
  }

  add(part: string): void {
    const pieces = (this.#rest + part).split('\n')
    this.#rest = pieces.pop() ?? ''
    this.#lines = [...this.#lines, ...pieces.filter((line) => line !== '')].slice(-this.#max)
  }

  get all(): readonly string[] {
    return this.#rest === '' ? this.#lines : [...this.#lines, this.#rest]
  }

  get last(): string {
    return this.#lines.at(-1) ?? ''
  }
}
