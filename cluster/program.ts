/** Where the built command line is, seen from dist/cluster/ as well as from cluster/ (tests). */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const dist =
  path.basename(path.dirname(here)) === 'dist' ? path.dirname(here) : path.join(here, '../dist')

export const programPath = path.join(dist, 'src', 'cli', 'main.js')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Another build's `src/cli/main.js`. */
  readonly program?: string
  /** Joined with this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** What the program reads; nothing by default. */
  readonly input?: string
}

/** Runs `countersign` with these arguments, as a user would, and waits for its end. */
export async function runProgram(
  parameters: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [options.program ?? programPath, ...parameters], {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: 'pipe',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => stdout.push(part))
  child.stderr.on('data', (part: Buffer) => stderr.push(part))
  // A program that ends without reading closes the pipe; that is its right.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve({
        ...{ code, signal },
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      })
    })
  })
}
