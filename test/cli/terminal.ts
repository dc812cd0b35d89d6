/** A process for the command line to live in: what it prints is kept, what it asks is answered. */
import { connect, type CountersignClient } from '../../src/client/index.js'
import { runCommandLine } from '../../src/cli/program.js'
import type { World } from '../../src/cli/world.js'

export interface TerminalOptions {
  readonly workingDirectory: string
  readonly environment?: Readonly<Record<string, string>>
  /** Stands in for the network; without it the real client dials. */
  readonly client?: CountersignClient
  /** Lines that a person types, in order. Given: stdin is a terminal. */
  readonly answers?: readonly string[]
  /** Colours and progress are for terminals. */
  readonly isTerminal?: boolean
}

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  readonly asked: readonly string[]
  /** The one line of `--json`. */
  readonly json: JsonLine
}

export interface JsonLine {
  readonly ok: boolean
  readonly command: string
  readonly result: Readonly<Record<string, unknown>>
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details: Readonly<Record<string, unknown>>
    readonly retryable: boolean
  }
}

/** Runs one command line and hands back everything that it said. */
export async function run(argv: readonly string[], options: TerminalOptions): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const asked: string[] = []
  const answers = [...(options.answers ?? [])]
  const isTerminal = options.isTerminal === true
  const world: World = {
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory,
    stdout: {
      write: (text) => {
        stdout += text
      },
      isTerminal,
      columns: 80,
    },
    stderr: {
      write: (text) => {
        stderr += text
      },
      isTerminal,
      columns: 80,
    },
    stdinIsTerminal: options.answers !== undefined,
    ask(question) {
      asked.push(question)
      return Promise.resolve(answers.shift() ?? null)
    },
    wallMs: () => Date.now(),
    connect: (where) => Promise.resolve(options.client ?? connect(where)),
    onInterrupt: () => () => undefined,
  }
  const exit = await runCommandLine(argv, world)
  return {
    exit,
    stdout,
    stderr,
    asked,
    get json() {
      return JSON.parse(stdout) as JsonLine
    },
  }
}
