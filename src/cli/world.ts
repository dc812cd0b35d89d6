/** What the command line touches of the process around it, so that a test can stand in for it. */
import type { CountersignClient, ConnectOptions } from '../client/index.js'

export interface TextSink {
  write(text: string): void
  readonly isTerminal: boolean
  /** Width of the terminal in columns; 80 when unknown. */
  readonly columns: number
}

export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly stdinIsTerminal: boolean
  /** One line typed by a person, without echo when `hidden`; null at the end of input. */
  ask(question: string, options?: { readonly hidden?: boolean }): Promise<string | null>
  wallMs(): number
  connect(options: ConnectOptions): Promise<CountersignClient>
  /** Calls back on SIGINT or SIGTERM; returns the way to stop listening. */
  onInterrupt(callback: () => void): () => void
}

export function processWorld(): World {
  ignoreClosedPipe()
  return {
    environment: process.env,
    workingDirectory: process.cwd(),
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    stdinIsTerminal: process.stdin.isTTY,
    async ask(question, options) {
      const { askOnTerminal } = await import('./ask.js')
      return askOnTerminal(question, options?.hidden ?? false)
    },
    wallMs: () => Date.now(),
    async connect(options) {
      const { connect } = await import('../client/index.js')
      return connect(options)
    },
    onInterrupt(callback) {
      process.on('SIGINT', callback)
      process.on('SIGTERM', callback)
      return () => {
        process.off('SIGINT', callback)
        process.off('SIGTERM', callback)
      }
    },
  }
}

function sinkOf(stream: NodeJS.WriteStream): TextSink {
  return {
    write: (text) => {
      stream.write(text)
    },
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : 80,
  }
}

/** `countersign list | head` closes the pipe early: that is no failure of ours. */
function ignoreClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}
