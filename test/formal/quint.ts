/**
 * Runs Quint on the specification. Only its TypeScript backend: the other one is downloaded when it
 * is first used. Paths are those of the repository, which is the current directory.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { readTrace, record, type TraceState } from './itf.js'

const specification = path.join('test', 'formal', 'countersign.qnt')
const program = path.join('node_modules', '@informalsystems', 'quint', 'dist', 'src', 'cli.js')

export type Trace = readonly TraceState[]

export interface Walk {
  readonly traces: number
  /** Actions of each trace. */
  readonly steps: number
  readonly seed: number
}

/** Rejects with what Quint said when it fails; `timeoutMs` ends it. */
async function quint(args: readonly string[], timeoutMs: number): Promise<void> {
  const limits = { timeout: timeoutMs, maxBuffer: 1 << 26 }
  try {
    await promisify(execFile)(process.execPath, [program, ...args], limits)
  } catch (thrown) {
    const said = thrown as { readonly stdout?: string; readonly stderr?: string }
    const what = `${said.stdout ?? ''}${said.stderr ?? ''}`.trim()
    throw new Error(`quint ${args.join(' ')}: ${what === '' ? String(thrown) : what}`, {
      cause: thrown,
    })
  }
}

/**
 * Runs the tests of the specification, whose schedules leave nothing to chance: the trace of each by
 * its name. Rejects when a type is wrong, or when one ends otherwise than it must.
 */
export async function scheduleTraces(): Promise<ReadonlyMap<string, Trace>> {
  return withTraces('{test}.json', async (output) => {
    const args = ['test', '--backend=typescript', '--max-samples=1', output]
    await quint([...args, specification], 120_000)
  })
}

/** False of a schedule whose rules are broken on purpose: the core does otherwise. */
export function isByTheCode(trace: Trace): boolean {
  const rules = record(trace[0]?.variable('rules'))
  return Object.values(rules).every((isKept) => isKept === true)
}

/** Random traces, on each of which the invariants hold; rejects when they do not. */
export async function randomTraces(walk: Walk): Promise<readonly Trace[]> {
  const traces = await withTraces('{seq}.json', async (output) => {
    const args = [
      ...['run', '--backend=typescript', output],
      ...['--invariant=safety', `--seed=${String(walk.seed)}`, `--max-steps=${String(walk.steps)}`],
      ...[`--max-samples=${String(walk.traces)}`, `--n-traces=${String(walk.traces)}`],
    ]
    await quint([...args, specification], 60_000 + walk.traces * walk.steps * 100)
  })
  return [...traces.values()]
}

/** `run` writes its traces where the option says that it is given. By name, shorter names first. */
async function withTraces(
  pattern: string,
  run: (output: string) => Promise<void>,
): Promise<ReadonlyMap<string, Trace>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'countersign-traces-'))
  try {
    await run(`--out-itf=${path.join(directory, pattern)}`)
    const names = (await readdir(directory)).sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
    const traces = new Map<string, Trace>()
    for (const name of names) {
      const trace = readTrace(await readFile(path.join(directory, name), 'utf8'))
      traces.set(path.basename(name, '.json'), trace)
    }
    return traces
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
